"""The one lawful basis of each purpose, with what it stands on (GDPR 6(1), standards.md R47).

Whether it may still change is for `governance.policies` to say, which knows what was active.
"""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from governance.compliance import selectors
from governance.compliance.errors import BasisError
from governance.compliance.jurisdictions import CONSENT_BASIS, INTERESTS_BASIS
from governance.compliance.models import LawfulBasis

BASES: Final = (CONSENT_BASIS, INTERESTS_BASIS)


@transaction.atomic
def record(
    *, purpose: str, basis: str, evidence: str, actor: Actor, now: datetime | None = None
) -> LawfulBasis:
    """Write a purpose's basis down; the newest holds. BasisError.

    Legitimate interests stand on an approved assessment of all three steps; `evidence` names it as
    `key@number`. People are asked all the same: opt-in is a gate under every basis.
    """
    if basis not in BASES:
        raise BasisError("A lawful basis is one of " + ", ".join(BASES) + ".")
    if basis == INTERESTS_BASIS and not selectors.weighs_interests(evidence, purpose=purpose):
        raise BasisError("No approved assessment of the interests in this purpose has that name.")
    entry = journal.append(
        Action.BASIS_RECORDED,
        actor=actor,
        purpose=purpose,
        private={"basis": basis, "evidence": evidence},
    )
    return LawfulBasis.objects.create(
        purpose=purpose,
        number=LawfulBasis.objects.filter(purpose=purpose).count() + 1,
        basis=basis,
        evidence=evidence,
        at=now or timezone.now(),
        entry=entry,
    )
