"""What must hold before a policy may act, and which scope each of its cells has from then on.

Everything here runs inside the activating transaction (standards.md R37), behind the lock that
`services.bump_policy_epoch` takes, so that two changes never judge each other's past.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings

import consent.notice
import consent.selectors
from governance.compliance import guards, jurisdictions
from governance.compliance.errors import GuardError, LawfulBasisMissingError
from governance.compliance.selectors import bases
from governance.policies import content as policy_content
from governance.policies import scopes, surfaces
from governance.policies.categories import Category
from governance.policies.content import Content
from governance.policies.errors import (
    ApprovalMissingError,
    NoticeMissingError,
    PoliciesError,
    RetentionMissingError,
)
from governance.policies.models import (
    Approval,
    CapturePolicyVersion,
    CellScope,
    PolicyTransition,
    RetentionRule,
    RetentionSchedule,
)
from governance.policies.purposes import prohibition
from governance.policies.states import APPROVAL_DAYS
from governance.policies.transitions import in_force

if TYPE_CHECKING:
    from audit.models import Entry
    from governance.policies.selectors import ActivePolicy


# What refuses an activation: this floor's errors and those of the floor below.
Refusal = PoliciesError | GuardError
Guard = Callable[[CapturePolicyVersion, Content, datetime], None]


def check(version: CapturePolicyVersion, *, now: datetime) -> None:
    """Evaluate every guard; the first that does not hold is raised as its own error."""
    for _, error in findings(version, now=now):
        if error is not None:
            raise error


def check_standing(version: CapturePolicyVersion, *, now: datetime) -> None:
    """Evaluate what must hold for as long as a policy acts.

    The approval was for this version, and each cell's scope follows notices and retention.
    """
    for name, error in findings(version, now=now):
        if error is not None and name not in _ONCE:
            raise error


def check_again(version: CapturePolicyVersion, *, now: datetime) -> None:
    """Evaluate every guard but the approval, which the version had when it first acted."""
    for name, error in findings(version, now=now):
        if error is not None and name != "approval":
            raise error


def check_keeping(version: CapturePolicyVersion, *, now: datetime) -> None:
    """Evaluate the guards that look at how long something is kept: it just became longer."""
    for name, error in findings(version, now=now):
        if error is not None and name in _KEEPING:
            raise error


def findings(
    version: CapturePolicyVersion, *, now: datetime
) -> Iterator[tuple[str, Refusal | None]]:
    """Yield each guard by its name with what it refuses, or None where it holds."""
    content = policy_content.from_bytes(bytes(version.content))
    for name, guard in _GUARDS:
        try:
            guard(version, content, now)
        except (PoliciesError, GuardError) as error:
            yield name, error
        else:
            yield name, None


def findings_of(
    *, application: str, number: int, now: datetime
) -> Iterator[tuple[str, Refusal | None]]:
    """Yield the same for a version by its name, for pages that show what is missing."""
    version = CapturePolicyVersion.objects.filter(policy_id=application, number=number).first()
    return findings(version, now=now) if version else iter(())


def plan_of(version: CapturePolicyVersion, content: Content) -> guards.Plan:
    """Return a version as the guards of `governance.compliance` look at it."""
    return guards.Plan(
        application=content.application,
        scope_digest=version.scope_digest,
        purposes=content.purposes,
        places=content.places,
        content=content.as_json(),
        days={c.value: days for c, days in retention_days(content.application).items()},
    )


def plan_of_active(policy: "ActivePolicy") -> guards.Plan:
    """Return the policy in force of an application as the same guards look at it."""
    version = CapturePolicyVersion.objects.get(policy_id=policy.application, number=policy.number)
    return plan_of(version, policy.content)


def _by_plan(check: Callable[[guards.Plan, date], None]) -> Guard:
    def guard(version: CapturePolicyVersion, content: Content, now: datetime) -> None:
        check(plan_of(version, content), now.date())

    return guard


def _check_approval(version: CapturePolicyVersion, _content: Content, now: datetime) -> None:
    fresh = Approval.objects.filter(
        version=version,
        content_digest=version.content_digest,
        is_approved=True,
        at__gt=now - timedelta(days=APPROVAL_DAYS),
    )
    if not fresh.exclude(approver=version.author).exists():
        raise ApprovalMissingError("No fresh approval by a second person stands.")


def _check_reach(_version: CapturePolicyVersion, content: Content, _now: datetime) -> None:
    # Written long ago, protected or prohibited since: the lists of today decide.
    surfaces.check(*policy_content.reach(content))
    for purpose in content.purposes:
        if found := prohibition(key=purpose, broader=""):
            raise found.refusal()


def _check_retention(_version: CapturePolicyVersion, content: Content, _now: datetime) -> None:
    days = retention_days(content.application)
    if missing := [c.value for c in content.categories if c not in days]:
        raise RetentionMissingError(categories=missing)


def _check_notices(_version: CapturePolicyVersion, content: Content, now: datetime) -> None:
    languages = needed_languages(content, now)
    missing = [purpose for purpose in content.purposes if not _is_told(content, purpose, languages)]
    if missing:
        raise NoticeMissingError(purposes=missing)


def needed_languages(content: Content, now: datetime) -> list[str]:
    """Return in which languages people must be told: those they are asked in, and their places'."""
    profiles = [jurisdictions.profile_of(place, now.date()) for place in content.places]
    theirs = {language for found in profiles if found for language in found.languages}
    return sorted(theirs | set(dict(settings.LANGUAGES)))


def _is_told(content: Content, purpose: str, languages: list[str]) -> bool:
    """Return whether the notice in force names every cell, and promises no shorter keeping (R7)."""
    days = retention_days(content.application)
    found = [
        consent.selectors.current_notice(purpose=purpose, language=language)
        for language in languages
    ]
    return all(
        notice is not None
        and consent.notice.periods(notice.content).get((content.application, category), 0)
        >= days.get(category, 0)
        for notice in found
        for category in content.categories
    )


def _check_bases(version: CapturePolicyVersion, content: Content, now: datetime) -> None:
    guards.check_bases(plan_of(version, content), now.date())
    held = bases()
    for purpose in content.purposes:
        told = consent.selectors.current_notice(purpose=purpose, language=settings.LANGUAGE_CODE)
        said = str(told.content["lawful_basis"]) if told else ""
        # A notice that names its basis by its term names the one that is recorded.
        if said.startswith(_BASIS_TERM) and said != f"{_BASIS_TERM}{held[purpose].basis}":
            raise LawfulBasisMissingError(
                f"The notice of {purpose} names another lawful basis.", purposes=[purpose]
            )


_BASIS_TERM: Final = "eu-gdpr:"
_GUARDS: Final[tuple[tuple[str, Guard], ...]] = (
    ("approval", _check_approval),
    ("reach", _check_reach),
    ("retention", _check_retention),
    ("places", _by_plan(guards.check_places)),
    ("notices", _check_notices),
    ("bases", _check_bases),
    ("assessment", _by_plan(guards.check_assessment)),
    ("commitments", _by_plan(guards.check_commitments)),
    ("agreement", _by_plan(guards.check_agreement)),
)
_ONCE: Final = frozenset({"approval", "retention", "notices"})
_KEEPING: Final = frozenset({"places", "notices", "commitments"})


def retention_days(application: str) -> dict[Category, int]:
    """Return the days of each category under the newest schedule of an application."""
    newest = RetentionSchedule.objects.filter(application_id=application).order_by("-number")[:1]
    rules = RetentionRule.objects.filter(schedule__in=list(newest))
    return {Category(category): days for category, days in rules.values_list("category", "days")}


def all_retention_days() -> dict[str, dict[Category, int]]:
    """Return the same for every application at once."""
    newest = dict(RetentionSchedule.objects.order_by("number").values_list("application_id", "id"))
    found: dict[str, dict[Category, int]] = {}
    rules = RetentionRule.objects.filter(schedule_id__in=newest.values())
    for application, category, days in rules.values_list(
        "schedule__application_id", "category", "days"
    ):
        found.setdefault(application, {})[Category(category)] = days
    return found


def version_in_force(application: str) -> CapturePolicyVersion | None:
    """Return the active version of an application, or None."""
    steps = (
        PolicyTransition.objects.filter(version__policy_id=application)
        .select_related("version")
        .order_by("id")
    )
    holding = in_force(steps)
    return holding.version if holding else None


def told_of(purpose: str) -> scopes.Told:
    """Return what the notice in force says of recipients, places and transfers."""
    found = consent.selectors.current_notice(purpose=purpose, language=settings.LANGUAGE_CODE)
    if found is None:
        return scopes.Told()
    said = found.content
    return scopes.Told(
        recipients=tuple(sorted(str(party["name"]) for party in said["recipients"])),
        locations=tuple(sorted(map(str, said["locations"]))),
        transfers=str(said["transfers"]),
    )


def write_scopes(application: str, *, content: Content, now: datetime, entry: "Entry") -> None:
    """Give every cell of the application its scope from now on; what is not in `content` closes.

    A cell whose reach does not grow keeps its digest and so its consents.
    """
    days = retention_days(application)
    told = {purpose: told_of(purpose) for purpose in content.purposes}
    wanted = {
        (purpose, category.value): scopes.scope_of(
            content, purpose=purpose, category=category, days=days[category], told=told[purpose]
        )
        for purpose in content.purposes
        for category in content.categories
    }
    latest = latest_scopes(application)
    for cell in sorted(wanted.keys() | latest.keys()):
        _write_scope(
            application,
            cell=cell,
            scope=wanted.get(cell, scopes.closed()),
            before=latest.get(cell),
            stamp=(now, entry),
        )


def latest_scopes(application: str) -> dict[tuple[str, str], CellScope]:
    """Return the newest scope row of each (purpose, category) of an application."""
    rows = CellScope.objects.filter(application_id=application).order_by("number")
    return {(row.purpose, row.category): row for row in rows}


def _write_scope(
    application: str,
    *,
    cell: tuple[str, str],
    scope: bytes,
    before: CellScope | None,
    stamp: "tuple[datetime, Entry]",
) -> None:
    if before is not None and bytes(before.scope) == scope:
        return
    number = before.number + 1 if before else 1
    keeps = before is not None and scopes.is_within(new=scope, old=bytes(before.scope))
    CellScope.objects.create(
        application_id=application,
        purpose=cell[0],
        category=cell[1],
        number=number,
        digest=before.digest
        if before is not None and keeps
        else scopes.digest(scope=scope, number=number),
        scope=scope,
        at=stamp[0],
        entry=stamp[1],
    )
