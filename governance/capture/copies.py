"""A stored frame written anew in its own place: with fewer events, or redacted again."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from audit.ids import uuid7
from governance.capture import blobs, bystander_index, content, frames
from governance.capture.models import Frame
from governance.capture.storing import hour, moment
from governance.vault import sealing

if TYPE_CHECKING:
    from audit.models import Entry

Events = list[dict[str, object]]


def store(
    old: Frame,
    events: Events,
    entry: "Entry",
    *,
    redaction: Mapping[str, object] | None = None,
    marks: Collection[str] = (),
) -> None:
    """Store these events as a new frame that keeps all other facts of the old one.

    `marks` are of whom it was only now found to show.
    """
    frame_id = uuid7()
    frame = sealing.seal_frame(
        subject=old.subject,
        application=old.application,
        category=old.category,
        frame_id=frame_id,
        policy_version=old.policy_version,
        plaintext=content.pack(content.lines(events)),
    )
    place, inserts = blobs.put(frame_id=frame_id, ciphertext=frame.ciphertext)
    if inserts:
        frames.write(inserts)
    times = [int(str(event["t_ns"])) for event in events]
    new = Frame.objects.get(id=old.id)
    new.id = frame_id
    new.generation = frame.generation
    new.first_hour = hour(moment(min(times)))
    new.last_hour = hour(moment(max(times)))
    new.event_count = len(events)
    new.store, new.object_key = place.store, place.object_key
    new.offset, new.length = place.offset, place.length
    new.ciphertext_digest = frame.digest.hex()
    new.entry = entry
    if redaction is not None:
        new.redaction = redaction
    new.save(force_insert=True)
    frames.enliven(frame=new, entry=entry)
    bystander_index.copy(old=old.id, new=frame_id)
    bystander_index.store(frame_id, marks)
