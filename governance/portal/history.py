"""A person's decisions as they read them: one line an act, with its place in the log."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

import consent.selectors
from audit import selectors as log
from audit.actions import Action
from consent.selectors import PastEvent
from consent.status import VALID
from governance.rights import selectors as rights
from governance.rights.states import ErasureState

MOST_DECISIONS = 500


@dataclass(frozen=True, slots=True)
class Decision:
    """One act of deciding: its events, its receipt and its number in the log, once it has one."""

    decision_id: UUID
    at: datetime
    events: tuple[PastEvent, ...]
    receipt_id: UUID | None
    entry: UUID
    index: int | None

    @property
    def allowed(self) -> tuple[PastEvent, ...]:
        """The cells that were allowed by it."""
        return tuple(event for event in self.events if event.status in VALID)

    @property
    def only(self) -> PastEvent | None:
        """The one cell of a decision about one cell alone."""
        return self.events[0] if len(self.events) == 1 else None

    @property
    def others(self) -> tuple[PastEvent, ...]:
        """The cells that were refused, withdrawn or ended by it."""
        return tuple(event for event in self.events if event.status not in VALID)


def decisions_of(*, subject: str) -> list[Decision]:
    """Return all of a person's decisions, newest first."""
    receipts = consent.selectors.receipt_ids(subject=subject)
    past = consent.selectors.history(subject=subject)
    acts = [
        (decision_id, tuple(events))
        for decision_id, events in groupby(past, key=lambda event: event.decision_id)
    ]
    opened = log.entries_about(
        subject=subject, events={Action.CONSENT_DECIDED}, limit=MOST_DECISIONS
    )
    indexes = {entry.uuid: entry.index for entry in opened}
    return [
        Decision(
            decision_id=decision_id,
            at=events[0].occurred_at,
            events=events,
            receipt_id=receipts.get(decision_id),
            entry=events[0].entry,
            index=indexes.get(events[0].entry),
        )
        for decision_id, events in acts
    ]


def erased_at(*, subject: str) -> datetime | None:
    """Return when the person's keys were destroyed; no entry before it can be linked to them."""
    erasure = rights.whole_erasure(subject=subject)
    return dict(erasure.reached).get(ErasureState.KEY_DESTROYED) if erasure else None
