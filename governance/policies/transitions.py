"""The steps a policy version takes. Each is a row; the latest row is the state."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from audit.leaf import PolicyRef
from governance.policies.errors import InvalidStateError, UnknownPolicyVersionError
from governance.policies.models import CapturePolicy, CapturePolicyVersion, PolicyTransition
from governance.policies.states import PolicyState, may_follow

if TYPE_CHECKING:
    from audit.models import Entry


def lock(*, application: str, number: int) -> CapturePolicyVersion:
    """Return the version with its policy's row locked, so that steps come one by one."""
    list(CapturePolicy.objects.select_for_update().filter(pk=application))
    version = CapturePolicyVersion.objects.filter(policy_id=application, number=number).first()
    if version is None:
        raise UnknownPolicyVersionError("There is no such version of the policy.")
    return version


def state_of(version: CapturePolicyVersion) -> PolicyState:
    """Return where a version stands."""
    return PolicyState(
        version.transitions.order_by("-number").values_list("state", flat=True)[:1].get()
    )


def require(version: CapturePolicyVersion, following: PolicyState) -> None:
    """Refuse a step that does not lead from the version's state; InvalidStateError."""
    current = state_of(version)
    if not may_follow(current=current, following=following):
        raise InvalidStateError(current=current.value, wanted=following.value)


def step(
    version: CapturePolicyVersion,
    state: PolicyState,
    *,
    actor: str,
    at: datetime,
    entry: "Entry",
) -> PolicyTransition:
    """Take one step; the unique number refuses a second one taken at the same moment."""
    return PolicyTransition.objects.create(
        version=version,
        number=version.transitions.count() + 1,
        state=state.value,
        actor=actor,
        at=at,
        entry=entry,
    )


def in_force(transitions: Iterable[PolicyTransition]) -> PolicyTransition | None:
    """Return the activation that holds after these steps of one policy, oldest first, or None."""
    holding: PolicyTransition | None = None
    for transition in transitions:
        if transition.state == PolicyState.ACTIVE:
            holding = transition
        elif holding is not None and transition.version_id == holding.version_id:
            holding = None
    return holding


def reference(version: CapturePolicyVersion) -> PolicyRef:
    """Return how the log names a version."""
    return PolicyRef(id=version.policy_id, version=version.number, sha256=version.content_digest)
