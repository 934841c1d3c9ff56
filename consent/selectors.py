"""Questions about consent. Each answer holds for a stated moment; the default is now.

Whoever relies on an answer while something happens (intake, the gate, a release) first takes
`lock`, shared, in the same transaction; a decision takes it alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import sql
from audit.actors import office_of
from consent.errors import UnlockedError
from consent.intervals import (
    Change,
    PauseChange,
    PauseInterval,
    effective,
    pause_intervals,
    spans,
)
from consent.models import (
    ConsentEvent,
    ConsentReceipt,
    ConsentState,
    NoticeVersion,
    SubjectEpoch,
)
from consent.status import VALID, ConsentStatus

# Asked with every batch that comes in, hence plain statements.
_EVENTS: Final = """
    SELECT r.purpose, r.application, r.category,
           e.id, e.record_id, e.status, e.occurred_at, e.valid_until, e.scope_digest
    FROM consent_event e JOIN consent_record r ON r.id = e.record_id
    WHERE e.subject = %s
    ORDER BY r.purpose, r.application, r.category, r.number, e.number
"""
_EPOCH: Final = "SELECT epoch FROM consent_epoch WHERE subject = %s"
_PAUSES: Final = """
    SELECT device_id, is_paused, occurred_at, until FROM consent_pause
    WHERE subject = %s ORDER BY number
"""


class Cell(NamedTuple):
    """What one answer is about."""

    purpose: str
    application: str
    category: str


@dataclass(frozen=True, slots=True)
class CellState:
    """Where a cell stands at the moment asked about."""

    status: ConsentStatus
    valid_from: datetime | None
    valid_until: datetime | None
    scope_digest: str
    event_id: UUID
    decided_at: datetime
    notice_version: str

    @property
    def is_valid(self) -> bool:
        """Whether anything may happen under it."""
        return self.status in VALID


@dataclass(frozen=True, slots=True)
class ConsentInterval:
    """A half-open time [valid_from, valid_to) in which one cell was consented to."""

    purpose: str
    application: str
    category: str
    valid_from: datetime
    valid_to: datetime | None
    event_id: UUID
    scope_digest: str


@dataclass(frozen=True, slots=True)
class PastEvent:
    """One line of a person's own history."""

    event_id: UUID
    cell: Cell
    status: ConsentStatus
    occurred_at: datetime
    valid_until: datetime | None
    notice_version: str
    decision_id: UUID
    entry: UUID
    # "subject", "office", or the part of the service that acted; never an officer's own key.
    by: str


def lock(*, subject: str, exclusive: bool) -> int:
    """Hold the person's consent still until the transaction ends; return its epoch.

    Shared: nobody decides meanwhile. Exclusive: nobody relies on it either. SQLite has no row
    locks; there the IMMEDIATE transaction already keeps every other writer out.
    """
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        raise UnlockedError("A consent lock needs a transaction.")
    statement = _EPOCH
    if connection.vendor == "postgresql":
        statement += " FOR UPDATE" if exclusive else " FOR SHARE"
    found = sql.row(statement, [subject])
    if found is None:
        # Two first-comers may meet here; the second one waits and finds the first one's row.
        SubjectEpoch.objects.bulk_create([SubjectEpoch(subject=subject)], ignore_conflicts=True)
        found = sql.row(statement, [subject])
    return int(found[0])


def epoch(*, subject: str) -> int:
    """Return how many times the person's choices or pauses changed."""
    found = sql.row(_EPOCH, [subject])
    return int(found[0]) if found else 0


def epochs() -> Iterator[tuple[str, int]]:
    """Yield every person who ever decided anything, with their epoch."""
    yield from SubjectEpoch.objects.order_by("subject").values_list("subject", "epoch").iterator()


def states(*, subject: str, at: datetime | None = None) -> dict[Cell, CellState]:
    """Return the person's latest answer for every cell ever answered, as it counts at `at`.

    A cell that is absent was never asked about: ConsentUnknown, which means no.
    """
    moment = at or timezone.now()
    rows = ConsentState.objects.filter(subject=subject)
    return {
        Cell(purpose, application, category): _cell_state(row, moment)
        for purpose, application, category, *row in rows.values_list(
            "purpose", "application", "category", *_STATE
        )
    }


# The notice's text stays where it is: it is long, and hundreds of rows share one.
_STATE: Final = (
    "status",
    "valid_from",
    "valid_until",
    "scope_digest",
    "event_id",
    "event__occurred_at",
    "event__notice_version__notice_id",
    "event__notice_version__number",
)


def _cell_state(row: Sequence[Any], moment: datetime) -> CellState:
    status, valid_from, valid_until, scope_digest, event_id, decided_at, notice, number = row
    return CellState(
        status=effective(ConsentStatus(status), valid_until, moment),
        valid_from=valid_from,
        valid_until=valid_until,
        scope_digest=scope_digest,
        event_id=event_id,
        decided_at=decided_at,
        notice_version=f"{notice}@{number}",
    )


def valid_cells(*, subject: str, at: datetime | None = None) -> dict[Cell, CellState]:
    """Return only the cells under which something may happen now."""
    return {cell: state for cell, state in states(subject=subject, at=at).items() if state.is_valid}


def intervals(*, subject: str) -> list[ConsentInterval]:
    """Return every time in which a cell of the person was consented to, computed from events."""
    changes = [
        (
            Cell(purpose, application, category),
            Change(
                event_id=sql.identifier(event),
                record_id=sql.identifier(record),
                status=ConsentStatus(status),
                occurred_at=sql.moment(occurred_at),
                valid_until=sql.optional_moment(valid_until),
                scope_digest=scope_digest,
            ),
        )
        for (
            purpose,
            application,
            category,
            event,
            record,
            status,
            occurred_at,
            valid_until,
            scope_digest,
        ) in sql.rows(_EVENTS, [subject])
    ]
    return [
        ConsentInterval(
            cell.purpose,
            cell.application,
            cell.category,
            span.start,
            span.end,
            span.event_id,
            span.scope_digest,
        )
        for cell, of_cell in groupby(changes, key=lambda pair: pair[0])
        for span in spans(change for _, change in of_cell)
    ]


def _cell_of(event: ConsentEvent) -> Cell:
    return Cell(event.record.purpose, event.record.application, event.record.category)


def _change(event: ConsentEvent) -> Change:
    return Change(
        event_id=event.id,
        record_id=event.record_id,
        status=ConsentStatus(event.status),
        occurred_at=event.occurred_at,
        valid_until=event.valid_until,
        scope_digest=event.scope_digest,
    )


def valid_at(
    *, subject: str, purpose: str, application: str, category: str, at: datetime | None = None
) -> bool:
    """Return whether the cell was consented to at that moment."""
    moment = at or timezone.now()
    rows = (
        ConsentEvent.objects.filter(
            subject=subject,
            record__purpose=purpose,
            record__application=application,
            record__category=category,
        )
        .select_related("record")
        .order_by("record__number", "number")
    )
    return any(span.start <= moment < span.end for span in spans(map(_change, rows)))


def consenting(
    *, purpose: str, application: str, category: str, at: datetime | None = None
) -> dict[str, CellState]:
    """Return, by subject, everybody whose consent for the cell holds. For enforcement only.

    The answer may shape what is released; it is never shown, counted or compared.
    """
    moment = at or timezone.now()
    rows = ConsentState.objects.filter(
        purpose=purpose,
        application=application,
        category=category,
        status__in=[status.value for status in VALID],
        valid_until__gt=moment,
    )
    return {
        subject: _cell_state(row, moment) for subject, *row in rows.values_list("subject", *_STATE)
    }


def pauses(*, subject: str, device_id: UUID | None = None) -> list[PauseInterval]:
    """Return the times in which the person had paused, oldest first.

    With a device: its own pauses and those of all devices; without: every pause there was.
    """
    streams: dict[UUID | None, list[PauseChange]] = {}
    for device, is_paused, occurred_at, until in sql.rows(_PAUSES, [subject]):
        of = None if device is None else sql.identifier(device)
        streams.setdefault(of, []).append(
            PauseChange(of, bool(is_paused), sql.moment(occurred_at), sql.optional_moment(until))
        )
    wanted = list(streams) if device_id is None else [None, device_id]
    found = [pause for stream in wanted for pause in pause_intervals(streams.get(stream, []))]
    return sorted(found, key=lambda pause: pause.start)


def history(*, subject: str) -> list[PastEvent]:
    """Return all that the person ever decided or that ended by others, newest first."""
    rows = ConsentEvent.objects.filter(subject=subject).order_by("-occurred_at", "-number")
    return [_past_event(row) for row in rows.values_list(*_PAST)]


def _past_event(row: Sequence[Any]) -> PastEvent:
    event_id, status, occurred_at, valid_until, decision_id, notice, number, entry, *rest = row
    indicated_by, subject, *cell = rest
    return PastEvent(
        event_id=event_id,
        cell=Cell(*cell),
        status=ConsentStatus(status),
        occurred_at=occurred_at,
        valid_until=valid_until,
        notice_version=f"{notice}@{number}",
        decision_id=decision_id,
        entry=entry,
        by="subject" if indicated_by == subject else office_of(indicated_by),
    )


_PAST: Final = (
    "id",
    "status",
    "occurred_at",
    "valid_until",
    "decision_id",
    "notice_version__notice_id",
    "notice_version__number",
    "entry__uuid",
    "indicated_by",
    "subject",
    "record__purpose",
    "record__application",
    "record__category",
)


def current_notice(*, purpose: str, language: str) -> NoticeVersion | None:
    """Return the notice in force for a purpose in a language, or None when there is none.

    A language in which the newest number was not published has no notice: an older text may
    promise something else.
    """
    newest = NoticeVersion.objects.filter(notice_id=purpose).order_by("-number").first()
    if newest is None:
        return None
    return NoticeVersion.objects.filter(
        notice_id=purpose, number=newest.number, language=language
    ).first()


def notice_languages(*, purpose: str) -> list[str]:
    """Return the languages in which the notice in force can be read."""
    newest = NoticeVersion.objects.filter(notice_id=purpose).order_by("-number").first()
    if newest is None:
        return []
    same = NoticeVersion.objects.filter(notice_id=purpose, number=newest.number)
    return sorted(same.values_list("language", flat=True))


def notice_versions(*, purpose: str | None = None) -> list[NoticeVersion]:
    """Return published notices, newest first."""
    rows = NoticeVersion.objects.order_by("-published_at", "notice_id", "language")
    return list(rows if purpose is None else rows.filter(notice_id=purpose))


def notice_version(*, reference: str, language: str) -> NoticeVersion | None:
    """Return the archived text that a reference (`purpose@number`) names."""
    purpose, _, number = reference.rpartition("@")
    if not (purpose and number.isascii() and number.isdecimal() and len(number) < 9):  # noqa: PLR2004 - fits an integer column.
        return None
    return NoticeVersion.objects.filter(
        notice_id=purpose, number=int(number), language=language
    ).first()


def receipts(*, subject: str) -> list[ConsentReceipt]:
    """Return the person's receipts, newest first; they are kept for good (R11)."""
    return list(
        ConsentReceipt.objects.filter(subject=subject)
        .select_related("entry")
        .order_by("-created_at", "-id")
    )


def receipt_ids(*, subject: str) -> dict[UUID, UUID]:
    """Return the receipt of each of the person's decisions, without the receipts themselves."""
    rows = ConsentReceipt.objects.filter(subject=subject)
    return dict(rows.values_list("decision_id", "id"))


def subjects_to_expire(*, at: datetime | None = None) -> list[str]:
    """Return whose consent ran out without it having been written down yet."""
    rows = ConsentState.objects.filter(
        status__in=[status.value for status in VALID], valid_until__lte=at or timezone.now()
    )
    return sorted(rows.values_list("subject", flat=True).distinct())
