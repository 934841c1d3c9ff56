"""Asking for data, and the two people who must say yes before any is put together.

Promises: a prohibited purpose is refused when asked for and again at each approval, by whomever,
and every refusal is an entry; requester, privacy officer and policy approver are three people, the
officer first; the second yes orders the release in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from audit.ids import uuid7
from governance.accounts import selectors as accounts
from governance.accounts.roles import Role
from governance.capture import gate
from governance.decisions import Reason
from governance.jobs import services as jobs
from governance.policies import purposes
from governance.policies import selectors as policies
from governance.policies.categories import offered_categories
from governance.policies.errors import UnknownPurposeError
from governance.releases.errors import (
    FourEyesError,
    RequestContentError,
    RequestNotFoundError,
    RequestStateError,
)
from governance.releases.models import AccessApproval, AccessRequest, DatasetRelease, RequestStep
from governance.releases.states import ReleaseState, RequestState
from governance.releases.steps import release_step

if TYPE_CHECKING:
    from audit.models import Entry

BUILD_JOB: Final = "release:build"
PERMITTED_FOR: Final = timedelta(days=90)
_SALT_BYTES: Final = 32
# Who decides at which state, and what the request becomes.
_APPROVALS: Final = {
    RequestState.REQUESTED: (Role.PRIVACY_OFFICER, RequestState.REVIEWED),
    RequestState.REVIEWED: (Role.POLICY_APPROVER, RequestState.APPROVED),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for: data of these cells, for this purpose, for this reason."""

    purpose: str
    applications: Sequence[str]
    categories: Sequence[str]
    reason: str


def request_access(*, wish: Wish, actor: Actor, now: datetime | None = None) -> AccessRequest:
    """Ask for data. PurposeProhibitedError, UnknownPurposeError, RequestContentError."""
    refuse_prohibited(purpose=wish.purpose, actor=actor, act="request")
    if policies.purpose(wish.purpose) is None:
        raise UnknownPurposeError("No such purpose is registered.")
    _check(wish)
    at = now or timezone.now()
    with transaction.atomic():
        entry = journal.append(
            Action.ACCESS_REQUESTED,
            actor=actor,
            purpose=wish.purpose,
            act="request",
            private={
                "applications": sorted(wish.applications),
                "categories": sorted(wish.categories),
            },
        )
        asked = AccessRequest.objects.create(
            id=uuid7(at),
            requester=actor.key,
            purpose=wish.purpose,
            applications=sorted(wish.applications),
            categories=sorted(wish.categories),
            reason=wish.reason.strip(),
            requested_at=at,
            expires_at=at + PERMITTED_FOR,
            entry=entry,
        )
        _step(asked, RequestState.REQUESTED, actor=actor, at=at, entry=entry)
    return asked


def approve(*, request_id: UUID, actor: Actor, now: datetime | None = None) -> AccessRequest:
    """Say yes, as the one whose turn it is; the second yes orders the release.

    PurposeProhibitedError, FourEyesError, RequestStateError, RequestNotFoundError.
    """
    asked = find(request_id)
    refuse_prohibited(purpose=asked.purpose, actor=actor, act="approve")
    at = now or timezone.now()
    with transaction.atomic():
        asked = _locked(request_id)
        following = _following(asked, actor)
        entry = journal.append(
            Action.ACCESS_APPROVED,
            actor=actor,
            verdict=Verdict.ALLOW,
            purpose=asked.purpose,
            act="approve",
            private={"access_request": str(asked.id)},
        )
        AccessApproval.objects.create(
            request=asked,
            requester=asked.requester,
            approver=actor.key,
            role=actor.role,
            at=at,
            entry=entry,
        )
        _step(asked, following, actor=actor, at=at, entry=entry)
        if following is RequestState.APPROVED:
            _order(asked, at=at, entry=entry)
    return asked


def reject(
    *, request_id: UUID, actor: Actor, reason: str, now: datetime | None = None
) -> AccessRequest:
    """Say no; a request that was refused by one stays refused. RequestStateError, FourEyesError."""
    at = now or timezone.now()
    with transaction.atomic():
        asked = _locked(request_id)
        current = state_of(asked)
        if not current.is_open:
            raise RequestStateError(current=current.value, wanted=RequestState.REJECTED.value)
        if actor.key == asked.requester or actor.role not in {r for r, _ in _APPROVALS.values()}:
            raise FourEyesError("Who asked does not decide.")
        entry = journal.append(
            Action.ACCESS_REJECTED,
            actor=actor,
            verdict=Verdict.DENY,
            purpose=asked.purpose,
            act="reject",
            private={"access_request": str(asked.id)},
        )
        _step(asked, RequestState.REJECTED, actor=actor, at=at, entry=entry, note=reason)
    return asked


def refuse_prohibited(*, purpose: str, actor: Actor, act: str) -> None:
    """Write the refusal of a prohibited purpose and raise PurposeProhibitedError (R28)."""
    registered = policies.purpose(purpose)
    prohibition = purposes.prohibition(
        key=purpose, broader=registered.broader if registered else ""
    )
    if prohibition is None:
        return
    gate.refuse(actor=actor, purpose=prohibition.key, reason=Reason.PURPOSE_PROHIBITED, act=act)
    raise prohibition.refusal()


def find(request_id: UUID) -> AccessRequest:
    """Return a request. RequestNotFoundError."""
    asked = AccessRequest.objects.filter(id=request_id).first()
    if asked is None:
        raise RequestNotFoundError
    return asked


def state_of(asked: AccessRequest) -> RequestState:
    """Return where a request stands."""
    latest = asked.steps.order_by("-number").values_list("state", flat=True)[:1].get()
    return RequestState(latest)


def _check(wish: Wish) -> None:
    known = {application.key for application in policies.applications()}
    offered = {category.value for category in offered_categories()}
    if not wish.applications or not set(wish.applications) <= known:
        raise RequestContentError("Name at least one application, and only registered ones.")
    if not wish.categories or not set(wish.categories) <= offered:
        raise RequestContentError("Name at least one data category, and only offered ones.")
    if not wish.reason.strip():
        raise RequestContentError("Say what the data is needed for.")


def _locked(request_id: UUID) -> AccessRequest:
    """Return the request with its row locked, so that steps come one by one."""
    asked = AccessRequest.objects.select_for_update().filter(id=request_id).first()
    if asked is None:
        raise RequestNotFoundError
    return asked


def _following(asked: AccessRequest, actor: Actor) -> RequestState:
    """Return what this person's yes makes of the request."""
    current = state_of(asked)
    if current not in _APPROVALS:
        raise RequestStateError(current=current.value, wanted=RequestState.APPROVED.value)
    role, following = _APPROVALS[current]
    involved = {asked.requester, *asked.approvals.values_list("approver", flat=True)}
    if actor.role != role or actor.key in involved:
        raise FourEyesError("The privacy officer decides first, then the policy approver.")
    if not accounts.holds(subject=actor.key, role=role):
        raise FourEyesError("Only who holds the role decides in it.")
    return following


def _order(asked: AccessRequest, *, at: datetime, entry: "Entry") -> None:
    release = DatasetRelease.objects.create(
        id=uuid7(at),
        request=asked,
        requester=asked.requester,
        purpose=asked.purpose,
        salt=token_bytes(_SALT_BYTES),
        ordered_at=at,
        entry=entry,
    )
    release_step(release, ReleaseState.BUILDING, at=at, entry=entry)
    jobs.add(kind=BUILD_JOB, ref=str(release.id))


def _step(
    asked: AccessRequest,
    state: RequestState,
    *,
    actor: Actor,
    at: datetime,
    entry: "Entry",
    note: str = "",
) -> None:
    RequestStep.objects.create(
        request=asked,
        number=asked.steps.count() + 1,
        state=state.value,
        actor=actor.key,
        note=note.strip(),
        at=at,
        entry=entry,
    )
