"""True facts about one person's cells: consent, policy and pauses, as spans in time.

One place gathers them for intake, for the worker and for the release builder, so that the three
can never disagree on what consent means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import consent.selectors
from audit import sql
from consent.selectors import ConsentInterval
from governance.compliance import monitoring
from governance.decisions import CellFacts, Interval
from governance.policies import selectors as policies
from governance.policies.selectors import ActivePolicy

_FORGOTTEN: Final = 'SELECT start, "end" FROM capture_forgottenspan WHERE subject = %s'


@dataclass(frozen=True, slots=True)
class PersonCells:
    """Everything a decision about one person's events needs, read at one moment.

    `consent` maps (application, category) to the spans of each purpose; `events` to the consent
    event of each purpose that holds now; `policies` maps an application to its active policy.
    """

    subject: str
    epoch: int
    consent: Mapping[tuple[str, str], Mapping[str, Sequence[Interval]]]
    events: Mapping[tuple[str, str], Mapping[str, UUID]]
    policies: Mapping[str, policies.ActivePolicy]
    pauses: Sequence[Interval]
    standing: monitoring.Standing

    def facts(self, application: str, category: str) -> CellFacts:
        """Return the spans that decide_cell() wants for one cell."""
        active = self.policies.get(application)
        purposes = (
            {purpose for purpose, allowed in active.cells if allowed == category}
            if active
            else set()
        )
        spans = self.consent.get((application, category), {})
        return CellFacts(
            consent=[span for purpose in purposes for span in spans.get(purpose, ())],
            policy=[Interval(active.activated_at, None)] if active and purposes else [],
            pauses=self.pauses,
            place=self._place(active),
            told=[Interval(*self.standing.told)] if self.standing.told else [],
        )

    def _place(self, active: ActivePolicy | None) -> list[Interval]:
        # A policy that names no place acts nowhere, and whose place nobody knows is nowhere.
        if active is not None and self.standing.place not in active.content.places:
            return []
        return [Interval(self.standing.since, None)]


@dataclass(frozen=True, slots=True)
class _Told:
    """What is written down of a person; each change of it raises their consent epoch."""

    consent: Sequence[ConsentInterval]
    pauses: Sequence[Interval]
    place: monitoring.Place | None


# By person and device: what was read at which epoch.
_told: dict[tuple[str, UUID], tuple[int, _Told]] = {}
_MOST_TOLD: Final = 1000


def cells_of(*, subject: str, epoch: int, device_id: UUID | None, now: datetime) -> PersonCells:
    """Gather the facts; `epoch` is what consent.selectors.lock answered: hold that lock.

    Consent counts only under the scope it was given for: a wider policy has another scope digest
    and finds no consent (R8).
    """
    return _gathered(_read(subject, device_id), subject=subject, epoch=epoch, now=now)


def locked_cells_of(*, subject: str, epoch: int, device_id: UUID, now: datetime) -> PersonCells:
    """Gather the same, reading nothing again that this process read at this very epoch.

    For whoever holds the lock and changed nothing of the person in this transaction.
    """
    known = _told.get((subject, device_id))
    if known is None or known[0] != epoch:
        if len(_told) >= _MOST_TOLD:
            _told.clear()
        known = _told[subject, device_id] = epoch, _read(subject, device_id)
    return _gathered(known[1], subject=subject, epoch=epoch, now=now)


def _read(subject: str, device_id: UUID | None) -> _Told:
    return _Told(
        consent.selectors.intervals(subject=subject),
        _pauses(subject=subject, device_id=device_id),
        monitoring.recorded_place(subject),
    )


def _gathered(told: _Told, *, subject: str, epoch: int, now: datetime) -> PersonCells:
    active = policies.active_policies(at=now)
    consented: dict[tuple[str, str], dict[str, list[Interval]]] = {}
    events: dict[tuple[str, str], dict[str, UUID]] = {}
    for given in told.consent:
        policy = active.get(given.application)
        if policy is None or policy.scope_digest_of(given.category, given.purpose) != (
            given.scope_digest
        ):
            continue
        cell = (given.application, given.category)
        span = Interval(given.valid_from, given.valid_to)
        consented.setdefault(cell, {}).setdefault(given.purpose, []).append(span)
        if span.covers(now):
            events.setdefault(cell, {})[given.purpose] = given.event_id
    return PersonCells(
        subject=subject,
        epoch=epoch,
        consent=consented,
        events=events,
        policies=active,
        pauses=told.pauses,
        standing=monitoring.standing_at(told.place, subject=subject, now=now),
    )


def _pauses(*, subject: str, device_id: UUID | None) -> list[Interval]:
    pauses = [
        Interval(pause.start, pause.end)
        for pause in consent.selectors.pauses(subject=subject, device_id=device_id)
    ]
    forgotten = sql.rows(_FORGOTTEN, [subject])
    return pauses + [Interval(sql.moment(start), sql.moment(end)) for start, end in forgotten]
