"""Works agreements: recorded by an officer, confirmed by a second person, ended by either side.

An agreement is a necessary gate and never a substitute (CJEU C-65/23): the other guards of a policy
are evaluated all the same.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.ids import uuid7
from governance.compliance.errors import (
    AgreementError,
    SecondPersonError,
    UnknownAgreementError,
)
from governance.compliance.models import AgreementStep, WorksAgreement

if TYPE_CHECKING:
    from audit.models import Entry

CONFIRMED: Final = "confirmed"
ENDED: Final = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What stands in the signed paper; `kind` is agreement or consultation."""

    application: str
    kind: str
    reference: str
    parties: list[dict[str, str]]
    places: list[str]
    valid_from: date
    valid_until: date | None
    scope_digest: str
    document_digest: str


@transaction.atomic
def record(*, signed: Signed, actor: Actor, now: datetime | None = None) -> WorksAgreement:
    """Write an agreement down; it opens nothing until a second person confirms it.

    AgreementError for one that ends before it begins, or binds fewer than two parties.
    """
    if signed.valid_until is not None and signed.valid_until <= signed.valid_from:
        raise AgreementError("An agreement ends after it begins.")
    if len({party["name"] for party in signed.parties}) < 2:  # noqa: PLR2004 - both sides.
        raise AgreementError("An agreement has two parties at least.")
    entry = journal.append(
        Action.AGREEMENT_RECORDED,
        actor=actor,
        private={
            "application": signed.application,
            "reference": signed.reference,
            "scope": signed.scope_digest,
            "document": signed.document_digest,
        },
    )
    now = now or timezone.now()
    return WorksAgreement.objects.create(
        id=uuid7(now), recorder=actor.key, at=now, entry=entry, **asdict(signed)
    )


@transaction.atomic
def confirm(*, agreement_id: UUID, actor: Actor, now: datetime | None = None) -> AgreementStep:
    """Confirm, as somebody else than who recorded it, that this is what was signed.

    UnknownAgreementError, SecondPersonError, AgreementError.
    """
    found = _locked(agreement_id)
    if actor.key == found.recorder:
        raise SecondPersonError("Who recorded an agreement does not confirm it.")
    if found.steps.exists():
        raise AgreementError("The agreement was confirmed or ended already.")
    entry = journal.append(
        Action.AGREEMENT_CONFIRMED, actor=actor, private={"agreement": str(found.id)}
    )
    return _step(found, CONFIRMED, actor=actor, at=now or timezone.now(), entry=entry)


@transaction.atomic
def end(
    *, agreement_id: UUID, reason: str, actor: Actor, now: datetime | None = None
) -> AgreementStep:
    """End an agreement at once; either side may, for it only narrows.

    UnknownAgreementError, AgreementError when it has ended already.
    """
    found = _locked(agreement_id)
    entry = journal.append(
        Action.AGREEMENT_ENDED,
        actor=actor,
        private={"agreement": str(found.id), "reason": reason},
    )
    return _step(found, ENDED, actor=actor, at=now or timezone.now(), entry=entry, reason=reason)


def _locked(agreement_id: UUID) -> WorksAgreement:
    found = WorksAgreement.objects.select_for_update().filter(pk=agreement_id).first()
    if found is None:
        raise UnknownAgreementError("There is no such works agreement.")
    return found


def _step(
    agreement: WorksAgreement,
    state: str,
    *,
    actor: Actor,
    at: datetime,
    entry: "Entry",
    reason: str = "",
) -> AgreementStep:
    try:
        with transaction.atomic():
            return AgreementStep.objects.create(
                agreement=agreement,
                state=state,
                recorder=agreement.recorder,
                actor=actor.key,
                reason=reason,
                at=at,
                entry=entry,
            )
    except IntegrityError as error:
        raise AgreementError(f"The agreement is {state} already.") from error
