"""What a policy needs before it may act: each guard is one function and raises its own error.

Promises: every guard is evaluated on its own, none stands in for another (R39); what is missing,
unknown or overdue counts as not there. Leaves to others: approvals, notices and retention, which
`governance.policies.activation` holds, in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings

from governance.compliance import commitments, jurisdictions, monitoring, selectors
from governance.compliance.errors import (
    AgreementMissingError,
    AssessmentMissingError,
    CommitmentBrokenError,
    ConsultationMissingError,
    JurisdictionUnknownError,
    JurisdictionUnmetError,
    LawfulBasisMissingError,
    Unmet,
)
from governance.compliance.jurisdictions import Profile


@dataclass(frozen=True, slots=True)
class Plan:
    """A policy version that wants to act; `content` is its JSON, `days` its retention."""

    application: str
    scope_digest: str
    purposes: Sequence[str]
    places: Sequence[str]
    content: Mapping[str, object]
    days: Mapping[str, int]


def check_places(plan: Plan, on: date) -> None:
    """Refuse an unknown place, one without its notice, and what is kept longer than allowed."""
    _profiles(plan, on)
    duties = jurisdictions.combine(_profiles(plan, on))
    unmet = [
        Unmet("kept-too-long", category, most)
        for category, most in sorted(duties.category_max.items())
        if plan.days.get(category, 0) > most
    ]
    for profile in _profiles(plan, on):
        if profile.monitoring_notice != "none":
            unmet += monitoring.unmet(profile.code, posting=profile.posting)
    if unmet:
        raise JurisdictionUnmetError(unmet=unmet)


def check_bases(plan: Plan, on: date) -> None:
    """Refuse a purpose without a basis that every place of the policy allows (R37, R47)."""
    known = selectors.bases()
    if missing := [purpose for purpose in plan.purposes if purpose not in known]:
        detail = "No lawful basis is recorded for " + ", ".join(missing) + "."
        raise LawfulBasisMissingError(detail, purposes=missing)
    allowed = jurisdictions.combine(_profiles(plan, on)).lawful_bases_allowed
    if foreign := [p for p in plan.purposes if known[p].basis not in allowed]:
        detail = "A place of the policy does not know the basis of " + ", ".join(foreign) + "."
        raise LawfulBasisMissingError(detail, purposes=foreign)


def check_assessment(plan: Plan, on: date) -> None:
    """Refuse without an approved assessment of this scope, or with a high risk nobody was told."""
    for found in _covering(plan, on):
        if found.content.residual_risk == "high" and not found.consultations:
            raise ConsultationMissingError(
                f"{found.reference} leaves a high risk, and no authority was consulted."
            )


def check_commitments(plan: Plan, on: date) -> None:
    """Refuse what breaks a promise of any assessment of this scope."""
    facts = facts_of(plan)
    names = [
        name
        for found in _covering(plan, on)
        for name in commitments.broken(found.content.commitments, facts)
    ]
    if names:
        raise CommitmentBrokenError(commitments=names)


def check_agreement(plan: Plan, on: date) -> None:
    """Refuse where a place wants an agreement and none over exactly this scope holds (R38)."""
    wanted = {
        place: found.codetermination
        for place, found in zip(plan.places, _profiles(plan, on), strict=True)
        if found.codetermination != "none"
    }
    standing = [
        agreed
        for agreed in selectors.agreements(plan.application)
        if agreed.scope_digest == plan.scope_digest and agreed.stands(on)
    ]
    open_places = [
        place
        for place, duty in wanted.items()
        if not any(
            place in agreed.places and (duty == "consultation" or agreed.kind == "agreement")
            for agreed in standing
        )
    ]
    if open_places:
        raise AgreementMissingError(places=open_places)


def facts_of(plan: Plan) -> commitments.Facts:
    """Return the facts that commitments are checked against."""
    return commitments.Facts(
        content=plan.content,
        days=plan.days,
        minimum_contributors=settings.REMIT_MIN_CONTRIBUTORS,
        minimum_recall_percent=settings.REMIT_MIN_RECALL_PERCENT,
    )


def _covering(plan: Plan, on: date) -> list[selectors.Version]:
    found = selectors.covering(application=plan.application, scope_digest=plan.scope_digest, on=on)
    if not found:
        raise AssessmentMissingError(
            "No approved impact assessment, its review not overdue, covers exactly this scope."
        )
    return found


def _profiles(plan: Plan, on: date) -> list[Profile]:
    found = [(place, jurisdictions.profile_of(place, on)) for place in plan.places]
    if unknown := [place for place, profile in found if profile is None]:
        raise JurisdictionUnknownError(places=unknown)
    if not found:
        raise JurisdictionUnknownError(places=[])
    return [profile for _, profile in found if profile is not None]
