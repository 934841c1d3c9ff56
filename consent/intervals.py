"""When consent and pauses held: pure folds over what happened. Half-open, [from, to).

Intake, expiry and releases ask about times gone by, so the answer never comes from a status
column: it is computed from the events themselves.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from uuid import UUID

from consent.status import VALID, ConsentStatus


@dataclass(frozen=True, slots=True)
class Change:
    """One event of one cell, in order."""

    event_id: UUID
    record_id: UUID
    status: ConsentStatus
    occurred_at: datetime
    valid_until: datetime | None
    scope_digest: str


@dataclass(frozen=True, slots=True)
class Span:
    """A time during which a cell was consented to, and the event that made it so."""

    start: datetime
    end: datetime
    event_id: UUID
    scope_digest: str


@dataclass(frozen=True, slots=True)
class PauseChange:
    """A pause begun or ended on one stream (one device, or all of them)."""

    device_id: UUID | None
    is_paused: bool
    occurred_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class PauseInterval:
    """A time during which nothing may be captured; `end` is None while it has no known end."""

    start: datetime
    end: datetime | None
    device_id: UUID | None

    def covers(self, at: datetime) -> bool:
        """Return whether the pause held at that moment."""
        return self.start <= at and (self.end is None or at < self.end)


def spans(changes: Iterable[Change]) -> Iterator[Span]:
    """Yield the spans of one cell from its events in order.

    A yes holds until its `valid_until` or the next event, whichever comes first. Invalidation is
    retroactive: none of the record's spans remain, because consent that was never free never was.
    """
    ordered = list(changes)
    void = {c.record_id for c in ordered if c.status is ConsentStatus.INVALIDATED}
    for change, follower in zip_longest(ordered, ordered[1:]):
        if change.status not in VALID or change.valid_until is None or change.record_id in void:
            continue
        end = change.valid_until
        if follower is not None:
            end = min(end, follower.occurred_at)
        if change.occurred_at < end:
            yield Span(change.occurred_at, end, change.event_id, change.scope_digest)


def pause_intervals(changes: Iterable[PauseChange]) -> Iterator[PauseInterval]:
    """Yield the pauses of one stream from its changes in order."""
    ordered = list(changes)
    for change, follower in zip_longest(ordered, ordered[1:]):
        if not change.is_paused:
            continue
        ends = [change.until, follower.occurred_at if follower else None]
        end = min((e for e in ends if e is not None), default=None)
        if end is None or change.occurred_at < end:
            yield PauseInterval(change.occurred_at, end, change.device_id)


def effective(status: ConsentStatus, valid_until: datetime | None, at: datetime) -> ConsentStatus:
    """Return the status at a moment: a yes whose time ran out has expired, noted or not."""
    if status in VALID and (valid_until is None or valid_until <= at):
        return ConsentStatus.EXPIRED
    return status


def adds_a_day(valid_until: datetime | None, at: datetime) -> bool:
    """Return whether a yes said again now would hold for at least a day longer.

    Else it is the same yes sent twice, and no renewal.
    """
    return valid_until is None or six_months_after(at) - valid_until >= timedelta(days=1)


def six_months_after(moment: datetime) -> datetime:
    """Return the same day and time six calendar months on (P6M), or that month's last day."""
    month = moment.month + 6
    year, month = moment.year + (month - 1) // 12, (month - 1) % 12 + 1
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    return moment.replace(year=year, month=month)
