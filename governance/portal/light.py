"""The capture light: what is captured from this person right now, in one value.

It is computed from the same facts that the agent's signed policy is made of: consent that holds,
for a scope that is offered, in an application with an active policy, on a computer that is
enrolled, outside every pause. If the light says off, an agent gets nothing either.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

import consent.selectors
from consent.intervals import PauseInterval
from governance.accounts import selectors as accounts
from governance.policies import selectors as policies


@dataclass(frozen=True, slots=True)
class Light:
    """What the band says."""

    applications: tuple[str, ...]
    computers: tuple[str, ...]
    paused: PauseInterval | None
    undecided: bool

    @property
    def is_on(self) -> bool:
        """Whether anything may be captured at this moment."""
        return bool(self.applications and self.computers and self.paused is None)


def light_of(*, subject: str, now: datetime | None = None) -> Light:
    """Return the person's capture light."""
    moment = now or timezone.now()
    offered = {
        (cell.purpose, cell.application, cell.category): cell.scope_digest
        for cell in policies.offered_cells()
    }
    states = consent.selectors.states(subject=subject, at=moment)
    names = application_names()
    captured = {
        cell.application
        for cell, state in states.items()
        if state.is_valid
        and offered.get((cell.purpose, cell.application, cell.category)) == state.scope_digest
    }
    return Light(
        applications=tuple(sorted(names.get(key, key) for key in captured)),
        computers=tuple(
            device.label for device in accounts.devices_of(subject) if device.revoked_at is None
        ),
        paused=running_pause(subject=subject, now=moment),
        undecided=bool(offered) and not states,
    )


def running_pause(*, subject: str, now: datetime) -> PauseInterval | None:
    """Return the pause that covers this moment, or None."""
    running = [
        pause
        for pause in consent.selectors.pauses(subject=subject)
        if pause.start <= now and (pause.end is None or now < pause.end)
    ]
    return running[-1] if running else None


def application_names() -> dict[str, str]:
    """Return the names of all registered applications by key."""
    return {application.key: application.name for application in policies.applications()}
