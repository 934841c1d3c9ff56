"""What is written down before a policy may act, checked against the registers of this floor."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.actors import Actor
from governance.compliance import agreements, bases, monitoring
from governance.compliance.errors import BasisFixedError, GuardError
from governance.policies import activation
from governance.policies import content as policy_content
from governance.policies.errors import (
    PoliciesError,
    UnknownApplicationError,
    UnknownPurposeError,
)
from governance.policies.models import (
    Application,
    CapturePolicyVersion,
    PolicyTransition,
    Purpose,
)
from governance.policies.services import bump_policy_epoch, hold_generation
from governance.policies.states import PolicyState
from governance.policies.suspending import suspend

if TYPE_CHECKING:
    from governance.compliance.models import (
        AgreementStep,
        LawfulBasis,
        MonitoringNotice,
        WorksAgreement,
    )


@transaction.atomic
def record_basis(
    *, purpose: str, basis: str, evidence: str, actor: Actor, now: datetime | None = None
) -> "LawfulBasis":
    """Write down a purpose's lawful basis, as long as no policy for it was ever active.

    Later it would be swapped under people who were told another one, or who withdrew (R47). That
    anybody withdrew is a secret, so the rule does not ask. UnknownPurposeError, BasisFixedError,
    BasisError.
    """
    hold_generation()
    if not Purpose.objects.filter(pk=purpose).exists():
        raise UnknownPurposeError("No such purpose is registered.")
    if _was_active(purpose):
        raise BasisFixedError("A policy for this purpose was active; its basis stands.")
    return bases.record(purpose=purpose, basis=basis, evidence=evidence, actor=actor, now=now)


def _was_active(purpose: str) -> bool:
    active = PolicyTransition.objects.filter(state=PolicyState.ACTIVE.value)
    versions = CapturePolicyVersion.objects.filter(pk__in=active.values("version"))
    return any(
        purpose in policy_content.from_bytes(bytes(content)).purposes
        for content in versions.values_list("content", flat=True)
    )


def record_agreement(
    *, signed: agreements.Signed, actor: Actor, now: datetime | None = None
) -> "WorksAgreement":
    """Write down a works agreement. UnknownApplicationError, AgreementError."""
    if not Application.objects.filter(pk=signed.application).exists():
        raise UnknownApplicationError("No such application is registered.")
    return agreements.record(signed=signed, actor=actor, now=now)


@transaction.atomic
def end_agreement(
    *, agreement_id: UUID, reason: str, actor: Actor, now: datetime | None = None
) -> "AgreementStep":
    """End an agreement; capture that stood on it stops in the same moment.

    UnknownAgreementError, AgreementError.
    """
    hold_generation()
    ended = agreements.end(agreement_id=agreement_id, reason=reason, actor=actor, now=now)
    suspend_unguarded(actor=actor, now=now or timezone.now())
    return ended


@transaction.atomic
def publish_monitoring_notice(
    *, code: str, texts: Mapping[str, str], actor: Actor, now: datetime | None = None
) -> "MonitoringNotice":
    """Publish a place's monitoring notice; nobody there is captured before they have read it.

    MonitoringError.
    """
    bump_policy_epoch()
    return monitoring.publish_notice(code=code, texts=texts, actor=actor, now=now)


def suspend_unguarded(*, actor: Actor, now: datetime) -> list[str]:
    """Suspend every active policy whose guards no longer hold; return which.

    An agreement that ran out, a review that is overdue or a broken commitment ends capture by
    itself, not when somebody notices.
    """
    stopped = []
    for application in Application.objects.order_by("key").values_list("key", flat=True):
        with transaction.atomic():
            hold_generation()
            active = activation.version_in_force(application)
            if active is None:
                continue
            try:
                activation.check_standing(active, now=now)
            except (PoliciesError, GuardError) as error:
                suspend(
                    application=application,
                    number=active.number,
                    reason=str(error),
                    actor=actor,
                    now=now,
                )
                stopped.append(str(active))
    return stopped
