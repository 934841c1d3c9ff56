"""A person's choices, with everything that follows from them.

A yes is bound to the scope that a policy in force asks for now. When a cell ends, the same
transaction makes it invalid, orders its erasure and recalls it from releases; the key goes right
after the commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

import consent.selectors
import consent.services
from audit.actors import Actor
from consent.selectors import Cell, CellState
from consent.services import Choice, DecisionAct
from consent.status import ENDED, VALID, ConsentStatus
from governance.policies import selectors as policies
from governance.rights import campaigns, erasure
from governance.rights.errors import (
    CellNotOfferedError,
    DecidedMeanwhileError,
    SubjectErasedError,
)
from governance.vault import shredding, standing

# A person may answer what is asked; the other states are set by others or by the clock.
ANSWERS = VALID | {ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN, ConsentStatus.DEFERRED}


# A yes asks for a fresh proof of who says it. So does a first no, or the log would tell from the
# proof alone what was answered; no way out of a consent ever does (R4).
_PROVEN = VALID | {ConsentStatus.REFUSED}


def needs_proof(statuses: Iterable[ConsentStatus]) -> bool:
    """Say whether these answers are taken only from who has just shown that it is they."""
    return not _PROVEN.isdisjoint(statuses)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a page showed beside an answer: the event that stood, and how far a yes would reach."""

    event_id: UUID | None
    scope_digest: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as the person gave it; the scope is added from the policy in force."""

    purpose: str
    application: str
    category: str
    status: ConsentStatus
    notice_version: str | None = None
    signal: str = ""
    # Without one, an answer is held against what stood when the request came.
    basis: Basis | None = None

    @property
    def cell(self) -> Cell:
        """The cell it is about."""
        return Cell(self.purpose, self.application, self.category)


def choose(
    *,
    person_subject: str,
    choices: Sequence[Answer],
    actor: Actor,
    language: str,
    form_digest: str,
    now: datetime | None = None,
) -> DecisionAct:
    """Record one act of deciding and do what follows from it.

    A yes that crosses another answer to its cell is refused: sent twice at once, it is one
    decision. So is one that was shown another reach. A no never is, whatever happened meanwhile.
    Raises CellNotOfferedError, DecidedMeanwhileError, SubjectErasedError, and what
    `consent.services.decide` raises.
    """
    moment = now or timezone.now()
    seen = consent.selectors.states(subject=person_subject, at=moment)
    if any(answer.status in VALID for answer in choices):
        _prepare_for_yes(person_subject, choices)
    offered = {
        Cell(cell.purpose, cell.application, cell.category): cell.scope_digest
        for cell in policies.offered_cells(moment)
    }
    with transaction.atomic():
        consent.selectors.lock(subject=person_subject, exclusive=True)
        known = consent.selectors.states(subject=person_subject, at=moment)
        for answer in choices:
            _check_offered(answer, is_offered=answer.cell in offered, is_known=answer.cell in known)
            if answer.status in VALID:
                _check_unmoved(answer, seen=seen, known=known, scope=offered[answer.cell])
        act = consent.services.decide(
            subject=person_subject,
            choices=[
                _choice(answer, subject=person_subject, scope=offered.get(answer.cell), now=moment)
                for answer in choices
            ],
            actor=actor,
            language=language,
            form_digest=form_digest,
            now=moment,
        )
        follow(subject=person_subject, act=act, reason="consent-withdrawn", now=moment)
    return act


def _prepare_for_yes(subject: str, choices: Sequence[Answer]) -> None:
    if shredding.is_destroyed(subject=subject):
        raise SubjectErasedError
    # Outside the transaction: purging ends with its own commits.
    cells = {(a.application, a.category) for a in choices if a.status in VALID}
    erasure.settle(subject=subject, cells=cells)


def _choice(answer: Answer, *, subject: str, scope: str | None, now: datetime) -> Choice:
    """Return an answer with all that was beside it: its scope, and the request it puts off."""
    requested_at = None
    if answer.status is ConsentStatus.DEFERRED:
        requested_at = campaigns.requested_at(subject=subject, purpose=answer.purpose, now=now)
    return Choice(
        *answer.cell,
        answer.status,
        notice_version=answer.notice_version,
        scope_digest=scope,
        signal=answer.signal,
        requested_at=requested_at,
    )


def _check_offered(answer: Answer, *, is_offered: bool, is_known: bool) -> None:
    """Refuse answers to what nobody asks. A way out stays open for all that was ever answered."""
    if answer.status not in ANSWERS:
        raise CellNotOfferedError
    if not is_offered and (answer.status in VALID or not is_known):
        raise CellNotOfferedError


def _check_unmoved(
    answer: Answer, *, seen: Mapping[Cell, CellState], known: Mapping[Cell, CellState], scope: str
) -> None:
    """Refuse a yes whose cell was answered, or asked for more, since the person saw it."""
    basis = answer.basis or Basis(_event(seen, answer.cell), scope)
    if basis != Basis(_event(known, answer.cell), scope):
        raise DecidedMeanwhileError("This was answered a moment ago, in another window or request.")


def _event(states: Mapping[Cell, CellState], cell: Cell) -> UUID | None:
    return states[cell].event_id if cell in states else None


def follow(*, subject: str, act: DecisionAct, reason: str, now: datetime) -> None:
    """Order what the end of a consent demands, in the transaction of the decision."""
    ended = [
        Cell(event.record.purpose, event.record.application, event.record.category)
        for event in act.events
        if ConsentStatus(event.status) in ENDED
    ]
    if ended:
        epoch = consent.selectors.epoch(subject=subject)
        # robust: the decision stands; the nightly rotation does what fails here.
        mark = partial(standing.end_consent, subject=subject, consent_epoch=epoch)
        transaction.on_commit(mark, robust=True)
    erasure.order_cells(
        subject=subject,
        ended=ended,
        reason=reason,
        entry=act.entry,
        now=now,
    )


def withdraw_all(
    *,
    person_subject: str,
    actor: Actor,
    language: str,
    form_digest: str,
    now: datetime | None = None,
) -> DecisionAct | None:
    """End every consent in one act; None when there was none to end."""
    moment = now or timezone.now()
    with transaction.atomic():
        act = end_all(
            person_subject=person_subject,
            actor=actor,
            language=language,
            form_digest=form_digest,
            now=moment,
        )
        if act is not None:
            follow(subject=person_subject, act=act, reason="consent-withdrawn", now=moment)
    return act


@transaction.atomic
def end_all(
    *, person_subject: str, actor: Actor, language: str, form_digest: str, now: datetime
) -> DecisionAct | None:
    """End every consent and order nothing: for an erasure, whose own order covers it all.

    Only the person withdraws; what somebody else has to end is revoked.
    """
    status = ConsentStatus.WITHDRAWN if actor.key == person_subject else ConsentStatus.REVOKED
    consent.selectors.lock(subject=person_subject, exclusive=True)
    held = consent.selectors.valid_cells(subject=person_subject, at=now)
    if not held:
        return None
    return consent.services.decide(
        subject=person_subject,
        choices=[Choice(*cell, status) for cell in sorted(held)],
        actor=actor,
        language=language,
        form_digest=form_digest,
        now=now,
    )


def expire_consents(*, now: datetime | None = None) -> int:
    """Write down the consents that ran out and order the end of their data; return whose many."""
    moment = now or timezone.now()
    expired = consent.selectors.subjects_to_expire(at=moment)
    for subject in expired:
        with transaction.atomic():
            act = consent.services.expire(subject=subject, now=moment)
            if act is not None:
                follow(subject=subject, act=act, reason="consent-expired", now=moment)
    return len(expired)
