"""All that the works council may see, on one page: what is in force, what waits for it, documents.

It reads texts and totals; no page that it is led to names an employee or tells of a choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from governance.compliance import selectors as compliance
from governance.compliance.states import AssessmentState
from governance.console import differing, previewing
from governance.policies import history, propagation, selectors
from governance.policies.states import PolicyState


@dataclass(frozen=True, slots=True)
class Held:
    """One application: the version in force, and what the newest one would change of it."""

    application: str
    name: str
    active: history.Version | None
    coming: history.Version | None
    wider: Sequence[differing.Change]
    narrower: int


@dataclass(frozen=True, slots=True)
class View:
    """What the page holds."""

    applications: Sequence[Held]
    to_confirm: int
    standing: int
    ending: Sequence[tuple[str, date]]
    assessments: int
    assessments_due: int
    purposes: int
    stop: propagation.Gauge | None


# So many days before an agreement ends the council reads here that it does.
TOLD_DAYS = 90


def view() -> View:
    """Return what the council sees first."""
    now = timezone.now()
    today = now.date()
    agreed = compliance.agreements()
    standing = [each for each in agreed if each.stands(today)]
    assessments = compliance.assessments()
    return View(
        applications=[_held(each.key, each.name) for each in selectors.applications()],
        to_confirm=len([a for a in agreed if a.confirmed_at is None and a.ended_at is None]),
        standing=len(standing),
        ending=[
            (each.reference, each.valid_until)
            for each in standing
            if each.valid_until and (each.valid_until - today).days <= TOLD_DAYS
        ],
        assessments=len([each for each in assessments if each.stands(today)]),
        assessments_due=len(
            [each for each in assessments if each.state is AssessmentState.REVIEW_REQUIRED]
        ),
        purposes=len(selectors.purposes()),
        stop=propagation.gauge(now=now),
    )


def _held(key: str, name: str) -> Held:
    versions = history.versions(key)
    active = next((one for one in versions if one.state is PolicyState.ACTIVE), None)
    newest = next(iter(versions), None)
    is_coming = newest is not None and newest.state in {PolicyState.IN_REVIEW, PolicyState.APPROVED}
    coming = newest if is_coming else None
    before = previewing.last_in_force(key)
    changes = differing.changes(before.content, coming.content) if coming and before else []
    wider = [change for change in changes if change.is_wider]
    return Held(
        application=key,
        name=name,
        active=active,
        coming=coming,
        wider=wider,
        narrower=len(changes) - len(wider),
    )
