"""What each policy allows, what was refused and what arrived: counts that anybody may read (R41).

Promises: numbers of what arrived are told only where at least REMIT_MIN_CONTRIBUTORS people stand
behind them; a refusal for want of consent, for a pause or for a place is never counted, since each
would tell something about somebody's choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from governance.capture import tallies
from governance.compliance import commitments, guards
from governance.compliance import selectors as compliance
from governance.policies import activation
from governance.policies import selectors as policies
from governance.policies.selectors import ActivePolicy


@dataclass(frozen=True, slots=True)
class Promise:
    """One commitment of the impact assessment, and whether it holds now."""

    id: str
    kind: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Conformance:
    """One active version. `arrived` holds None where too few people stand behind a number."""

    application: str
    version: str
    allowed: tuple[str, ...]
    arrived: Mapping[str, int | None]
    refused: Mapping[str, int]
    assessment: str | None
    promises: tuple[Promise, ...]


def report(now: datetime) -> list[Conformance]:
    """Return the conformance of every policy in force, by application."""
    refused = tallies.refusals()
    return [
        _of(policy, refused, now) for _, policy in sorted(policies.active_policies(now).items())
    ]


def _of(
    policy: ActivePolicy, refused: Mapping[str, Mapping[str, int]], now: datetime
) -> Conformance:
    counted = tallies.arrivals(policy.version)
    least = settings.REMIT_MIN_CONTRIBUTORS
    found = compliance.covering(
        application=policy.application, scope_digest=policy.scope_digest, on=now.date()
    )
    facts = guards.facts_of(activation.plan_of_active(policy))
    promised = [each for one in found for each in one.content.commitments]
    return Conformance(
        application=policy.application,
        version=policy.version,
        allowed=tuple(category.value for category in policy.content.categories),
        arrived={
            category.value: events if people >= least else None
            for category in policy.content.categories
            for events, people in [counted.get(category.value, (0, 0))]
        },
        refused=dict(refused.get(policy.application, {})),
        assessment=", ".join(one.reference for one in found) or None,
        promises=tuple(
            Promise(each.id, commitments.kind_of(each), each.holds(facts)) for each in promised
        ),
    )
