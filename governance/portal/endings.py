"""How a consent ended that its person did not end: who acted, by office, and what it means.

Offices act, and no page names the one who held it: the role is what the person needs to ask.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from consent.selectors import PastEvent
from consent.status import ENDED, ConsentStatus
from governance.rights.states import EndingReason
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
# What two officers ended, by the class of reasons they named.
_OFFICERS: Final = _("The privacy office, two people together")
_BY_OFFICE: Final = {
    EndingReason.PURPOSE_CLOSED: Ending(
        _("Your consent was ended"),
        _("Your consent was ended by the privacy office, because the purpose is closed."),
        _OFFICERS,
        _("Ended by the privacy office, because the purpose is closed"),
    ),
    EndingReason.APPLICATION_REMOVED: Ending(
        _("Your consent was ended"),
        _(
            "Your consent was ended by the privacy office, because this application is captured "
            "no more."
        ),
        _OFFICERS,
        _("Ended by the privacy office, because this application is captured no more"),
    ),
    EndingReason.SCOPE_CHANGED: Ending(
        _("Your consent was ended"),
        _(
            "Your consent was ended by the privacy office, because what you had agreed to has "
            "changed for the worse."
        ),
        _OFFICERS,
        _("Ended by the privacy office, because what you had agreed to changed for the worse"),
    ),
    EndingReason.DEFECT_FOUND: Ending(
        _("Your consent was declared invalid"),
        _(
            "Your consent was declared invalid, because a defect was found in how you were asked. "
            "It counts as never given from now on."
        ),
        _OFFICERS,
        _("Declared invalid by the privacy office, because of a defect in how you were asked"),
    ),
    EndingReason.AUTHORITY_ORDER: Ending(
        _("Your consent was declared invalid"),
        _(
            "Your consent was declared invalid, because an authority ordered it. It counts as "
            "never given from now on."
        ),
        _OFFICERS,
        _("Declared invalid by the privacy office, because an authority ordered it"),
    ),
    EndingReason.COURT_ORDER: Ending(
        _("Your consent was declared invalid"),
        _(
            "Your consent was declared invalid, because a court ordered it. It counts as never "
            "given from now on."
        ),
        _OFFICERS,
        _("Declared invalid by the privacy office, because a court ordered it"),
    ),
}
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


def ending_of(event: PastEvent, reason: EndingReason | None = None) -> Ending | None:
    """Return how others or the clock ended a consent; None for what the person did.

    `reason` is what two officers named; a report of pressure and an erasure name none.
    """
    if event.by == "subject" or event.status not in ENDED:
        return None
    if reason is not None:
        return _BY_OFFICE[reason]
    if event.status is ConsentStatus.INVALIDATED:
        return _INVALIDATED
    if event.status is ConsentStatus.REVOKED:
        return _REVOKED
    return _LEFT if event.by == "employment-ended" else _RAN_OUT
