"""What the gate gives and takes as values: a frame without its content, and with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from audit.actions import Action
from audit.journal import Facts
from governance.capture.models import Frame, LiveFrame


@dataclass(frozen=True, slots=True)
class FrameInfo:
    """One stored frame without its content. `hour` is the clear, coarse time of its first event."""

    id: UUID
    batch_id: UUID
    subject: str
    application: str
    category: str
    hour: datetime
    event_count: int
    generation: int
    policy_version: str
    schedule_version: str
    retain_until: datetime
    redaction: dict[str, object]
    consent_events: dict[str, str]


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """A frame and its redacted events, each a dict in the wire form of `events.md`."""

    frame: FrameInfo
    events: list[dict[str, object]]


class Waiting(NamedTuple):
    """An accepted upload that waits for its redaction, and the time by the database's clock.

    By a clock of its own a worker would find no consent yet, or no more, and drop what it opens.
    """

    id: UUID
    subject: str
    device_id: UUID
    now: datetime


class OpenBatch(NamedTuple):
    """A sealed batch while it is open."""

    waiting: Waiting
    wire: bytes
    received_at: datetime
    plaintext: bytes


@dataclass(slots=True)
class OpenBatches:
    """Batches of one device that were opened under one entry.

    `closing` gives the entry with which that ends, told how; whoever commits it with what became of
    the batches says so in `is_closed`.
    """

    batches: Sequence[OpenBatch]
    closing: Callable[[str], tuple[Action, Facts]]
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class FrameFilter:
    """Which frames a listing asks for; `before` is the id the last page ended with."""

    subject: str
    application: str | None = None
    category: str | None = None
    day: date | None = None
    before: UUID | None = None
    limit: int = 50


def info(frame: Frame) -> FrameInfo:
    """Return a frame's row as a value."""
    return FrameInfo(
        id=frame.id,
        batch_id=frame.batch_id,
        subject=frame.subject,
        application=frame.application,
        category=frame.category,
        hour=frame.first_hour,
        event_count=frame.event_count,
        generation=frame.generation,
        policy_version=frame.policy_version,
        schedule_version=frame.schedule_version,
        retain_until=frame.retain_until,
        redaction=dict(frame.redaction),
        consent_events=dict(frame.consent_events),
    )


def ids_of(filters: FrameFilter) -> list[UUID]:
    """Return the frames that are stored and not due, newest first."""
    live = LiveFrame.objects.filter(subject=filters.subject, retain_until__gt=timezone.now())
    if filters.application:
        live = live.filter(application=filters.application)
    if filters.category:
        live = live.filter(category=filters.category)
    if filters.day:
        start = timezone.make_aware(
            datetime.combine(filters.day, datetime.min.time()), timezone.get_current_timezone()
        )
        # As a closed span: the day after the last one of the calendar does not exist.
        end = start + timedelta(hours=23, minutes=59, seconds=59)
        live = live.filter(first_hour__gte=start, first_hour__lte=end)
    if filters.before:
        live = live.filter(frame_id__lt=filters.before)
    return list(live.order_by("-frame_id").values_list("frame_id", flat=True)[: filters.limit])
