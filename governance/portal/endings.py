"""How a consent ended that its person did not end: who acted, by office, and what it means.

Offices act, and no page names the one who held it: the role is what the person needs to ask.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from consent.selectors import PastEvent
from consent.status import ENDED, ConsentStatus
from governance.web.wording import Words


@dataclass(frozen=True, slots=True)
class Ending:
    """One way of ending, in words: a heading, a sentence, who acted, and a line of the history."""

    title: Words
    told: Words
    by: Words
    line: Words


_INVALIDATED: Final = Ending(
    _("Your consent was declared invalid"),
    _(
        "Your consent was declared invalid, because pressure was confirmed. It counts as never "
        "given from now on."
    ),
    _("The works council"),
    _("Declared invalid by the works council, because pressure was confirmed"),
)
_REVOKED: Final = Ending(
    _("Your consent was ended"),
    _("Your consent was ended by the privacy office."),
    _("The privacy office"),
    _("Ended by the privacy office"),
)
_LEFT: Final = Ending(
    _("Your consent ended"),
    _("Your consent ended with the employment."),
    _("The service, when the employment ended"),
    _("Ended with the employment"),
)
_RAN_OUT: Final = Ending(
    _("Your consent ran out"),
    _("Your consent ran out: the time that it was given for is over."),
    _("The service, when the time was over"),
    _("Ran out"),
)


def ending_of(event: PastEvent) -> Ending | None:
    """Return how others or the clock ended a consent; None for what the person did."""
    if event.by == "subject" or event.status not in ENDED:
        return None
    if event.status is ConsentStatus.INVALIDATED:
        return _INVALIDATED
    if event.status is ConsentStatus.REVOKED:
        return _REVOKED
    return _LEFT if event.by == "employment-ended" else _RAN_OUT
