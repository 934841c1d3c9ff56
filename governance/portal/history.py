"""A person's decisions and what others ended, one line an act, with its place in the log."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

import consent.selectors
from audit import selectors as log
from audit.actions import Action
from consent.selectors import PastEvent
from consent.status import VALID, ConsentStatus
from governance.portal.endings import Ending, ending_of
from governance.rights import endings
from governance.rights import selectors as rights
from governance.rights.states import EndingReason, ErasureState

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
    # Why two officers ended it, where they did.
    reason: EndingReason | None = None

    @property
    def allowed(self) -> tuple[PastEvent, ...]:
        """The cells that were allowed by it."""
        return tuple(event for event in self.events if event.status in VALID)

    @property
    def ending(self) -> Ending | None:
        """How it ended what the person had allowed; None for what the person did."""
        return ending_of(self.events[0], self.reason)

    @property
    def is_put_off(self) -> bool:
        """Whether it was "not now" to a request, which decides nothing."""
        return all(event.status is ConsentStatus.DEFERRED for event in self.events)

    @property
    def only(self) -> PastEvent | None:
        """The one cell of a decision about one cell alone."""
        return self.events[0] if len(self.events) == 1 else None

    @property
    def others(self) -> tuple[PastEvent, ...]:
        """The cells that were refused, withdrawn or ended by it."""
        return tuple(event for event in self.events if event.status not in VALID)


def decisions_of(*, subject: str) -> list[Decision]:
    """Return all of a person's decisions and what others ended, newest first."""
    receipts = consent.selectors.receipt_ids(subject=subject)
    reasons = endings.reasons(subject=subject)
    # A request is told with what the person said to it.
    past = [
        event
        for event in consent.selectors.history(subject=subject)
        if event.status is not ConsentStatus.REQUESTED
    ]
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
            reason=reasons.get(events[0].entry),
        )
        for decision_id, events in acts
    ]


def to_tell(
    acts: Iterable[Decision], *, standing: Collection[UUID], seen: Collection[str], since: datetime
) -> list[Decision]:
    """Return what others ended and the person should hear of, newest first.

    Not what was answered anew (its events no longer stand), nor what was looked at already.
    """
    return [
        act
        for act in acts
        if act.ending is not None
        and act.at >= since
        and str(act.receipt_id) not in seen
        and any(event.event_id in standing for event in act.events)
    ]


def erased_at(*, subject: str) -> datetime | None:
    """Return when the person's keys were destroyed; no entry before it can be linked to them."""
    erasure = rights.whole_erasure(subject=subject)
    return dict(erasure.reached).get(ErasureState.KEY_DESTROYED) if erasure else None
