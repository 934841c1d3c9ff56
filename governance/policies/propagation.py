"""How far a stop has come: which agents said that they obey it, and when the last one must.

Promise: the certificate says only what is certain: an agent that did not answer stops by itself
when its policy ends: REMIT_POLICY_TTL_SECONDS after the stop, or as many hours as a policy lets an
agent go on that cannot reach this service. Nothing here tells whose
computer answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from audit import signing
from audit.leaf import Json, canonical, time_text
from governance.accounts import selectors as accounts
from governance.policies import content
from governance.policies.errors import StopUnfinishedError, UnknownStopError
from governance.policies.models import CapturePolicyVersion, PolicyTransition, Stop
from governance.policies.states import PolicyState
from governance.policies.suspending import standing_stop

# No policy lets an agent go on alone for longer (governance.policies.budgets).
_LONGEST: Final = timedelta(hours=24)
SCHEMA: Final = "stop-certificate/1"
PAYLOAD_TYPE: Final = "application/vnd.remit.stop-certificate.v1+json"


@dataclass(frozen=True, slots=True)
class Gauge:
    """One stop and how far it has come; `ends_at` is when the last agent must have stopped."""

    number: int
    reason: str
    at: datetime
    ends_at: datetime
    agents: int
    confirmed: int
    wanted_back_by: int
    is_standing: bool
    is_complete: bool


def longest_alone(*, at: datetime) -> timedelta:
    """Return how long after a moment an agent that hears nothing from here may still go on."""
    hours = [
        content.from_bytes(bytes(version.content)).budgets.offline_hours
        for version in _lately_in_force(at)
    ]
    least = timedelta(seconds=settings.REMIT_POLICY_TTL_SECONDS)
    return max(least, timedelta(hours=max(hours, default=0)))


def _lately_in_force(at: datetime) -> list[CapturePolicyVersion]:
    """Return the versions under which an agent may hold a policy that still allows it something."""
    found: dict[int, CapturePolicyVersion] = {}
    rows = PolicyTransition.objects.filter(at__lte=at).select_related("version").order_by("id")
    for row in rows:
        if row.state == PolicyState.ACTIVE:
            found[row.version.pk] = row.version
        elif row.at <= at - _LONGEST:
            found.pop(row.version.pk, None)
    return list(found.values())


def gauge(*, now: datetime, number: int | None = None) -> Gauge | None:
    """Return how far a stop has come, the newest unless one is named; None without any."""
    stops = Stop.objects.order_by("-number")
    found = (stops if number is None else stops.filter(number=number)).first()
    if found is None:
        return None
    agents, confirmed = accounts.fleet(policy_epoch=found.epoch)
    ends_at = found.at + longest_alone(at=found.at)
    standing = standing_stop()
    return Gauge(
        number=found.number,
        reason=found.reason,
        at=found.at,
        ends_at=ends_at,
        agents=agents,
        confirmed=confirmed,
        wanted_back_by=found.lifts.count(),
        is_standing=standing is not None and standing.pk == found.pk,
        is_complete=confirmed >= agents or now >= ends_at,
    )


def gauges(*, now: datetime) -> list[Gauge]:
    """Return how far each stop came, the newest first."""
    numbers = Stop.objects.order_by("-number").values_list("number", flat=True)
    found = (gauge(now=now, number=number) for number in numbers)
    return [each for each in found if each is not None]


def certificate(*, number: int, now: datetime) -> Mapping[str, object]:
    """Return the signed statement that a stop has reached every agent, as a DSSE envelope.

    UnknownStopError, StopUnfinishedError.
    """
    found = gauge(now=now, number=number)
    if found is None:
        raise UnknownStopError("There was no stop of this number.")
    if not found.is_complete:
        raise StopUnfinishedError("Some agents have neither answered nor run out of time yet.")
    said: dict[str, Json] = {
        "schema": SCHEMA,
        "organisation": settings.REMIT_ORGANISATION,
        "number": found.number,
        "stopped_at": time_text(found.at),
        "ended_everywhere_by": time_text(found.ends_at),
        "agents": found.agents,
        "agents_that_confirmed": found.confirmed,
        "certified_at": time_text(now),
    }
    return dict(
        signing.dsse_sign(key="certificate", payload_type=PAYLOAD_TYPE, body=canonical(said))
    )
