"""Where a frame's ciphertext lies: beside its row when small, else as an object of its own.

Both places are deletable, and neither holds anything that outlives its key in readable form.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from governance.capture.errors import RecordGoneError
from governance.capture.models import Frame, FrameBlob, LiveFrame
from governance.vault import orphans, storage

ROW: Final = "row"
OBJECT: Final = "object"
LARGEST_ROW_OCTETS: Final = 65_536


Insert = tuple[str, Mapping[str, Any]]  # A table, and the values of a row by column.


@dataclass(frozen=True, slots=True)
class Place:
    """Where ciphertext lies; the five columns of a frame row."""

    store: str
    object_key: str
    offset: int
    length: int


def put(*, frame_id: UUID, ciphertext: bytes) -> tuple[Place, list[Insert]]:
    """Store ciphertext durably, or return the row to be written for it beside the frame's.

    An object is written before the row that names it.
    """
    if len(ciphertext) <= LARGEST_ROW_OCTETS:
        row = {"key": frame_id, "ciphertext": ciphertext}
        return Place(ROW, str(frame_id), 0, len(ciphertext)), [("capture_frameblob", row)]
    stored = storage.put(ciphertext)
    return Place(OBJECT, stored.key, 0, stored.length), []


def get(frame: Frame) -> bytes:
    """Return the ciphertext; raises RecordGoneError when it was deleted."""
    if frame.store == OBJECT:
        return storage.get(frame.object_key)
    blob = FrameBlob.objects.filter(key=frame.object_key).first()
    if blob is None:
        raise RecordGoneError
    return bytes(blob.ciphertext)


def delete(frame: Frame) -> None:
    """Remove the ciphertext; doing it twice is harmless."""
    if frame.store == OBJECT:
        storage.delete(frame.object_key)
        return
    FrameBlob.objects.filter(key=frame.object_key).delete()


@orphans.claim("captures")
def needed(keys: Collection[str]) -> set[str]:
    """Return which of these objects hold a frame that may still be read."""
    frames = Frame.objects.filter(store=OBJECT, object_key__in=keys)
    found = dict(frames.values_list("id", "object_key"))
    live = LiveFrame.objects.filter(frame_id__in=found).values_list("frame_id", flat=True)
    return {found[frame] for frame in live}
