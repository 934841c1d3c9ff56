"""From a choice to the change it means, before anything is written.

Refuses what the table of transitions does not list, what somebody else decides, and a yes to a
notice that is not the one in force or never mentioned the cell.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from audit.actors import Actor
from audit.ids import uuid7
from consent import notice, selectors
from consent.errors import (
    InvalidTransitionError,
    NoticeMissingError,
    NoticeOutdatedError,
    NotTheSubjectError,
)
from consent.intervals import adds_a_day, effective, six_months_after
from consent.models import ConsentEvent, ConsentRecord, ConsentState, NoticeVersion
from consent.selectors import Cell
from consent.status import VALID, ConsentStatus, Party, is_allowed

_SUBJECT_ONLY = VALID | {
    ConsentStatus.REFUSED,
    ConsentStatus.WITHDRAWN,
    ConsentStatus.DEFERRED,
}
# A request comes from an office; that it reached a person is the service's own note.
_ASKING: Final = Actor.system("asking")


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: a cell, what it shall be, and for a yes the notice read and the scope shown."""

    purpose: str
    application: str
    category: str
    status: ConsentStatus
    notice_version: str | None = None
    scope_digest: str | None = None
    # A preference that the person's browser told beside the answer (TS 27560, annex F).
    signal: str = ""
    # For "not now": when the request was made that it answers.
    requested_at: datetime | None = None

    @property
    def cell(self) -> Cell:
        """The cell it is about."""
        return Cell(self.purpose, self.application, self.category)


@dataclass(frozen=True, slots=True)
class Step:
    """A change that is allowed and complete; only the entry is missing."""

    choice: Choice
    status: ConsentStatus
    event_id: UUID
    record: ConsentRecord
    number: int
    previous_id: UUID | None
    indicated_by: str
    occurred_at: datetime
    valid_until: datetime | None
    notice_version: NoticeVersion
    language: str
    scope_digest: str


def party_of(*, subject: str, actor: Actor) -> Party:
    """Return in which capacity somebody acts on a person's consent."""
    if actor.key == subject:
        return Party.SUBJECT
    return Party.CLOCK if actor.is_system else Party.OFFICER


def plan(
    choice: Choice,
    *,
    subject: str,
    state: ConsentState | None,
    actor: Actor,
    language: str,
    now: datetime,
) -> tuple[Step, ...]:
    """Return the changes a choice means: none when things stand so already, mostly one.

    "Not now" to a request is two: that it was made, and that it was put off. A request that nobody
    put off leaves no trace in the record, so that none is ever left to lapse.
    Raises NotTheSubjectError, InvalidTransitionError, NoticeMissingError, NoticeOutdatedError.
    """
    party = party_of(subject=subject, actor=actor)
    if choice.status in _SUBJECT_ONLY and party is not Party.SUBJECT:
        raise NotTheSubjectError("Only the person concerned answers for that person.")
    current = _current(state, party=party, now=now)
    target = _target(choice, state=state, current=current, now=now)
    if target is None:
        return ()
    if target is ConsentStatus.DEFERRED and current is ConsentStatus.UNKNOWN:
        return _put_off(choice, subject=subject, state=state, language=language, now=now)
    if not is_allowed(source=current, target=target, party=party):
        raise InvalidTransitionError(f"{current} does not become {target}.")
    shown = _notice(choice, target=target, state=state, language=language)
    previous = state.event if state and current is not ConsentStatus.INVALIDATED else None
    # Clocks may step back; the order of a record's events may not.
    occurred_at = max(now, previous.occurred_at) if previous else now
    step = Step(
        choice=choice,
        status=target,
        event_id=uuid7(occurred_at),
        record=_record(choice, subject=subject, state=state, previous=previous, now=now),
        number=previous.number + 1 if previous else 1,
        previous_id=previous.id if previous else None,
        indicated_by=actor.key,
        occurred_at=occurred_at,
        valid_until=six_months_after(occurred_at) if target in VALID else None,
        notice_version=shown,
        language=shown.language,
        scope_digest=_scope(choice, target=target, state=state),
    )
    return (step,)


def _put_off(
    choice: Choice, *, subject: str, state: ConsentState | None, language: str, now: datetime
) -> tuple[Step, ...]:
    """Return the request and its deferral, which refers to all that the request did."""
    if choice.requested_at is None:
        raise InvalidTransitionError("Nobody asks for this now, so there is nothing to put off.")
    (request,) = plan(
        replace(choice, status=ConsentStatus.REQUESTED),
        subject=subject,
        state=state,
        actor=_ASKING,
        language=language,
        now=min(choice.requested_at, now),
    )
    later = max(now, request.occurred_at)
    deferral = replace(
        request,
        choice=choice,
        status=choice.status,
        event_id=uuid7(later),
        number=request.number + 1,
        previous_id=request.event_id,
        indicated_by=subject,
        occurred_at=later,
    )
    return request, deferral


def _current(state: ConsentState | None, *, party: Party, now: datetime) -> ConsentStatus:
    if state is None:
        return ConsentStatus.UNKNOWN
    status = ConsentStatus(state.status)
    # The clock writes the expiry down; to everybody else it has long happened.
    return status if party is Party.CLOCK else effective(status, state.valid_until, now)


def _target(
    choice: Choice, *, state: ConsentState | None, current: ConsentStatus, now: datetime
) -> ConsentStatus | None:
    """Return what the choice means from here.

    A second yes renews what it changes; one that says so renews the term as well (§3.1, renew).
    """
    if choice.status in VALID and state is not None and current in VALID:
        same_notice = choice.notice_version == state.event.notice_version.reference
        same_scope = (choice.scope_digest or "") == state.scope_digest
        is_renewal = choice.status is ConsentStatus.RENEWED and adds_a_day(state.valid_until, now)
        return None if same_notice and same_scope and not is_renewal else ConsentStatus.RENEWED
    return None if choice.status is current else choice.status


def _notice(
    choice: Choice, *, target: ConsentStatus, state: ConsentState | None, language: str
) -> NoticeVersion:
    """Return the notice the event refers to. A way out never fails for an old one."""
    current = selectors.current_notice(purpose=choice.purpose, language=language)
    if target in VALID:
        if current is None:
            raise NoticeMissingError(f"There is no notice on {choice.purpose} in {language}.")
        if choice.notice_version != current.reference:
            raise NoticeOutdatedError(f"The notice in force is {current.reference}.")
        if not notice.covers(
            current.content, application=choice.application, category=choice.category
        ):
            raise NoticeOutdatedError(f"{current.reference} does not mention this cell.")
        return current
    shown = None
    if choice.notice_version is not None:
        shown = selectors.notice_version(reference=choice.notice_version, language=language)
    shown = shown or (state.event.notice_version if state else current)
    if shown is None or shown.notice_id != choice.purpose:
        raise NoticeMissingError(f"There is no notice on {choice.purpose} in {language}.")
    return shown


def _scope(choice: Choice, *, target: ConsentStatus, state: ConsentState | None) -> str:
    if target in VALID:
        if not choice.scope_digest:
            raise InvalidTransitionError("A yes names the scope it was given for.")
        return choice.scope_digest
    return choice.scope_digest or (state.scope_digest if state else "")


def _record(
    choice: Choice,
    *,
    subject: str,
    state: ConsentState | None,
    previous: ConsentEvent | None,
    now: datetime,
) -> ConsentRecord:
    if previous is not None:
        return previous.record
    return ConsentRecord(
        id=uuid7(now),
        subject=subject,
        purpose=choice.purpose,
        application=choice.application,
        category=choice.category,
        number=state.event.record.number + 1 if state else 1,
        created_at=now,
    )
