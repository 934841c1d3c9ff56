"""What a person may do about themselves. Every verb of the portal and of `/api/v1/me` is here."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

import consent.selectors
import consent.services
from audit import journal
from audit.actions import Action
from audit.actors import Actor
from governance.accounts import selectors as accounts
from governance.accounts.errors import UnknownDeviceError
from governance.capture import deletion, gate, rereading
from governance.capture.errors import RecordGoneError
from governance.capture.gate import FrameFilter
from governance.decisions import InternalPurpose
from governance.releases import services as releases
from governance.rights import erasure, exports, requests
from governance.rights.choosing import (
    Answer,
    Basis,
    choose,
    end_all,
    expire_consents,
    withdraw_all,
)
from governance.rights.deferring import defer
from governance.rights.errors import ForgetSpanError, MissTextError
from governance.rights.models import ErasureOrder, PortabilityExport, RightsRequest
from governance.rights.states import Kind

if TYPE_CHECKING:
    from audit.models import Entry
    from governance.capture.models import Rereading

__all__ = [
    "Answer",
    "Basis",
    "choose",
    "defer",
    "delete_capture",
    "erase_everything",
    "expire_consents",
    "export",
    "forget",
    "pause",
    "report_miss",
    "request",
    "resume",
    "withdraw_all",
]

MOST_MINUTES = 24 * 60
# Less than four letters stand in every second word; more than this is a text, not a detail.
SHORTEST_MISS, LONGEST_MISS = 4, 200
# More than any budget lets a person's devices send in a day.
_MOST_FRAMES_A_DAY = 100_000


def pause(
    *,
    subject: str,
    actor: Actor,
    minutes: int | None = None,
    device_id: UUID | None = None,
    now: datetime | None = None,
) -> "Entry":
    """Pause capture at once, for some minutes or (None) until resumed.

    UnknownDeviceError when `device_id` is not one of the person's own.
    """
    if device_id is not None:
        device = accounts.device(device_id)
        if device is None or device.subject != subject:
            raise UnknownDeviceError("There is no such device.")
    moment = now or timezone.now()
    until = None if minutes is None else moment + timedelta(minutes=minutes)
    return consent.services.pause(
        subject=subject, device_id=device_id, until=until, actor=actor, now=moment
    )


def resume(
    *, subject: str, actor: Actor, device_id: UUID | None = None, now: datetime | None = None
) -> "Entry | None":
    """End the pauses; None when there was none."""
    return consent.services.resume(subject=subject, device_id=device_id, actor=actor, now=now)


def delete_capture(*, subject: str, frames: Sequence[UUID], actor: Actor) -> deletion.Deleted:
    """Delete captures of one's own; what releases hold of them is recalled first.

    RecordGoneError when none of them is there (or is one's own).
    """
    _recall(subject=subject, frames=frames, reason="capture-deleted")
    done = deletion.delete_frames(subject=subject, frames=frames, actor=actor)
    if not done.frames:
        raise RecordGoneError
    return done


def report_miss(*, subject: str, frame: UUID, text: str, actor: Actor) -> "Rereading":
    """Report what can still be read in one's own capture; all that holds it is redacted again.

    RecordGoneError, MissTextError. What releases hold of it is recalled when it is replaced.
    """
    value = " ".join(text.split())
    if not SHORTEST_MISS <= len(value) <= LONGEST_MISS:
        raise MissTextError
    return rereading.report_miss(subject=subject, frame=frame, value=value, actor=actor)


def forget(
    *, subject: str, last_minutes: int, actor: Actor, now: datetime | None = None
) -> deletion.Deleted:
    """Forget the last minutes, up to a day: stored, queued, released, and what still arrives."""
    if not 1 <= last_minutes <= MOST_MINUTES:
        raise ForgetSpanError
    moment = now or timezone.now()
    since = moment - timedelta(minutes=last_minutes)
    _recall(subject=subject, frames=_stored_since(subject, since), reason="forgotten")
    return deletion.forget(subject=subject, since=since, actor=actor, now=moment)


def _stored_since(subject: str, since: datetime) -> list[UUID]:
    """Return the frames that may hold something of that time: none is older than its events."""
    frames = gate.list_frames(
        actor=deletion.ERASER,
        purpose=InternalPurpose.RETENTION,
        filters=FrameFilter(subject=subject, limit=_MOST_FRAMES_A_DAY),
    )
    # The first 48 bits of a UUIDv7 are milliseconds.
    return [frame.id for frame in frames if frame.id.int >> 80 >= int(since.timestamp() * 1000)]


def _recall(*, subject: str, frames: Sequence[UUID], reason: str) -> None:
    if frames:
        with transaction.atomic():
            releases.recall_frames(subject=subject, frames=frames, reason=reason)


@transaction.atomic
def erase_everything(
    *, subject: str, actor: Actor, language: str, form_digest: str, now: datetime | None = None
) -> ErasureOrder:
    """Erase all that was captured about a person, for good. Asked twice, it is one order.

    In this transaction every consent ends and every release is recalled, so nothing may be read
    from the commit on; the keys are destroyed right after it; a job purges, verifies, certifies.
    """
    moment = now or timezone.now()
    consent.selectors.lock(subject=subject, exclusive=True)
    held = ErasureOrder.objects.filter(subject=subject, application="").first()
    if held is not None:
        return held
    asked = requests.open_request(subject=subject, kind=Kind.ERASURE, actor=actor, now=moment)
    entry = journal.append(Action.ERASURE_REQUESTED, actor=actor, subject=subject)
    end_all(
        person_subject=subject,
        actor=actor,
        language=language,
        form_digest=form_digest,
        now=moment,
    )
    releases.recall_subject(subject=subject, cells=None, reason="erasure")
    return erasure.order_subject(
        subject=subject, request=asked, reason="request", entry=entry, now=moment
    )


def export(*, subject: str, actor: Actor, now: datetime | None = None) -> PortabilityExport:
    """Order a copy of everything, or return the one that is on its way or ready."""
    return exports.order(subject=subject, actor=actor, now=now)


def request(*, subject: str, kind: Kind, actor: Actor, words: str = "") -> RightsRequest:
    """Take in a request that people of the organisation answer (all kinds but the two above)."""
    return requests.open_request(subject=subject, kind=kind, actor=actor, words=words)
