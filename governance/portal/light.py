"""The capture light: what is captured from this person right now, in one value.

It is computed from the same facts that the agent's signed policy is made of: consent that holds,
for a scope that is offered, in an application with an active policy, on a computer that is
enrolled, outside every pause. If the light says off, an agent gets nothing either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

import consent.selectors
from consent.intervals import PauseInterval
from consent.selectors import Cell, CellState
from consent.status import OPEN
from governance.accounts import selectors as accounts
from governance.policies import selectors as policies


@dataclass(frozen=True, slots=True)
class Computer:
    """One of the person's computers, and the pause that holds there now."""

    id: UUID
    label: str
    paused: PauseInterval | None


@dataclass(frozen=True, slots=True)
class Light:
    """What the band says."""

    applications: tuple[str, ...]
    machines: tuple[Computer, ...]
    # The pause of all computers; one of a single computer stands with the computer.
    paused: PauseInterval | None
    undecided: bool

    @property
    def computers(self) -> tuple[str, ...]:
        """The computers that are enrolled."""
        return tuple(machine.label for machine in self.machines)

    @property
    def running(self) -> tuple[str, ...]:
        """The computers on which nothing is paused."""
        return tuple(machine.label for machine in self.machines if machine.paused is None)

    @property
    def resting(self) -> tuple[str, ...]:
        """The computers that are paused one by one."""
        return tuple(machine.label for machine in self.machines if machine.paused is not None)

    @property
    def is_on(self) -> bool:
        """Whether anything may be captured at this moment."""
        return bool(self.applications and self.running and self.paused is None)


def light_of(
    *,
    subject: str,
    now: datetime | None = None,
    states: Mapping[Cell, CellState] | None = None,
) -> Light:
    """Return the person's capture light; `states` when the page has read the answers already."""
    moment = now or timezone.now()
    offered = {
        (cell.purpose, cell.application, cell.category): cell.scope_digest
        for cell in policies.offered_cells()
    }
    if states is None:
        states = consent.selectors.states(subject=subject, at=moment)
    names = application_names()
    captured = {
        cell.application
        for cell, state in states.items()
        if state.is_valid
        and offered.get((cell.purpose, cell.application, cell.category)) == state.scope_digest
    }
    pauses = running_pauses(subject=subject, now=moment)
    return Light(
        applications=tuple(sorted(names.get(key, key) for key in captured)),
        machines=tuple(
            Computer(device.id, device.label, pauses.get(device.id))
            for device in accounts.devices_of(subject)
            if device.revoked_at is None
        ),
        paused=pauses.get(None),
        undecided=bool(offered) and all(state.status in OPEN for state in states.values()),
    )


def running_pauses(*, subject: str, now: datetime) -> dict[UUID | None, PauseInterval]:
    """Return the pauses that hold at this moment, by computer; None stands for all of them."""
    return {
        pause.device_id: pause
        for pause in consent.selectors.pauses(subject=subject)
        if pause.covers(now)
    }


def application_names() -> dict[str, str]:
    """Return the names of all registered applications by key."""
    return {application.key: application.name for application in policies.applications()}
