"""Ending one person's consents from an office: the same trace whether there was one or not.

Nobody learns from it who had agreed: whoever had not leaves an entry of the same shape.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.db import transaction

import consent.selectors
import consent.services
from audit import journal
from audit.actions import Action
from audit.actors import Actor
from consent.selectors import Cell
from consent.services import Choice
from consent.status import ConsentStatus
from governance.rights.choosing import follow

if TYPE_CHECKING:
    from audit.models import Entry

_FORM: Final = "0" * 64
_WHY: Final = {
    ConsentStatus.REVOKED: "consent-revoked",
    ConsentStatus.INVALIDATED: "consent-invalidated",
}


@dataclass(frozen=True, slots=True)
class Which:
    """The cells to end: of a purpose, and where named of one application or kind of data."""

    purpose: str
    application: str = ""
    category: str = ""

    def __contains__(self, cell: Cell) -> bool:
        """Say whether a cell is one of them."""
        return (
            cell.purpose == self.purpose
            and self.application in {"", cell.application}
            and self.category in {"", cell.category}
        )


@transaction.atomic
def end(
    *, subject: str, which: Which, status: ConsentStatus, actor: Actor, now: datetime
) -> "Entry":
    """End what a person had agreed to of these cells; return the one entry that it leaves."""
    consent.selectors.lock(subject=subject, exclusive=True)
    valid = consent.selectors.valid_cells(subject=subject, at=now)
    cells = sorted(cell for cell in valid if cell in which)
    if not cells:
        return journal.append(
            Action.CONSENT_DECIDED, actor=actor, subject=subject, private={"decision": _FORM}
        )
    act = consent.services.decide(
        subject=subject,
        choices=[Choice(*cell, status) for cell in cells],
        actor=actor,
        language="en",
        form_digest=_FORM,
        now=now,
    )
    follow(subject=subject, act=act, reason=_WHY[status], now=now)
    return act.entry
