"""Writes what was planned: the entry, the events, the receipt, all in the decision's transaction.

Promises: one entry an act, whatever was decided; no event without it; a signed receipt for every
answer. "Not now" is none, and leaves the entry and its events alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import F

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.ids import uuid7
from consent import notice, receipt
from consent.errors import InvalidTransitionError
from consent.models import ConsentEvent, ConsentReceipt, ConsentState, SubjectEpoch
from consent.planning import Step
from consent.status import OPEN, VALID, ConsentStatus

if TYPE_CHECKING:
    from audit.models import Entry


@dataclass(frozen=True, slots=True)
class DecisionAct:
    """What came of a decision: its entry, the events it made, and the receipt to keep.

    `events` is empty when nothing changed; the rest then names the act that already said so.
    `receipt_id` is None where nothing was answered: "not now" alone.
    """

    decision_id: UUID
    entry: "Entry"
    events: tuple[ConsentEvent, ...]
    receipt_id: UUID | None


def act_that_said_so(states: Iterable[ConsentState]) -> DecisionAct:
    """Return the latest act that these cells stand on. InvalidTransitionError: there is none."""
    states = list(states)
    if not states:
        raise InvalidTransitionError("Nothing was answered yet, and this is no answer.")
    latest = max((state.event for state in states), key=lambda event: event.occurred_at)
    held = ConsentReceipt.objects.filter(decision_id=latest.decision_id).first()
    return DecisionAct(latest.decision_id, latest.entry, (), held.id if held else None)


def write(steps: Sequence[Step], *, subject: str, actor: Actor, form_digest: str) -> DecisionAct:
    """Write planned changes of one person as one act."""
    decision_id = uuid7()
    facts = receipt.decision_facts(decision_id, form_digest=form_digest, steps=steps)
    entry = journal.append(
        Action.CONSENT_DECIDED,
        actor=actor,
        subject=subject,
        private={
            "cells": _became(steps),
            "decision": notice.digest(facts),
        },
    )
    events = tuple(
        _append(step, form_digest=form_digest, decision_id=decision_id, entry=entry)
        for step in steps
    )
    answered = [event for event in events if ConsentStatus(event.status) not in OPEN]
    kept = (
        receipt.issue(subject=subject, facts=facts, events=answered, entry=entry)
        if answered
        else None
    )
    count(subject)
    return DecisionAct(decision_id, entry, events, kept.id if kept else None)


def _became(steps: Sequence[Step]) -> list[str]:
    # What each cell became, once: a request that was put off weighs no more than a no.
    became = {step.choice.cell: step.status.value for step in steps}
    return ["/".join((*cell, status)) for cell, status in became.items()]


def _append(step: Step, *, form_digest: str, decision_id: UUID, entry: "Entry") -> ConsentEvent:
    if step.previous_id is None:
        step.record.entry = entry
        step.record.save(force_insert=True)
    event = ConsentEvent.objects.create(
        id=step.event_id,
        subject=step.record.subject,
        record=step.record,
        number=step.number,
        status=step.status.value,
        occurred_at=step.occurred_at,
        valid_until=step.valid_until,
        notice_version=step.notice_version,
        language=step.language,
        form_digest=form_digest,
        scope_digest=step.scope_digest,
        indicated_by=step.indicated_by,
        decision_id=decision_id,
        previous_id=step.previous_id,
        entry=entry,
    )
    latest = {
        "status": event.status,
        "valid_from": event.occurred_at if step.status in VALID else None,
        "valid_until": event.valid_until,
        "scope_digest": event.scope_digest,
        "event": event,
    }
    ConsentState.objects.update_or_create(
        subject=event.subject,
        purpose=step.record.purpose,
        application=step.record.application,
        category=step.record.category,
        defaults=latest,
        create_defaults={"id": uuid7(), **latest},
    )
    return event


def count(subject: str) -> None:
    """Raise the person's count: their agents ask again."""
    SubjectEpoch.objects.filter(subject=subject).update(epoch=F("epoch") + 1)
