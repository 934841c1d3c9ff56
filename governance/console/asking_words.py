"""The words of the pages about asking: kinds of windows, classes of reasons, bands, refusals."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from governance.rights import errors
from governance.rights.states import ExemptionReason, Limit

KINDS: Final[Mapping[str, Promise]] = {
    Limit.REVIEW_CYCLE.value: _("review cycle"),
    Limit.REDUNDANCIES.value: _("announced redundancies"),
    Limit.PROBATION.value: _("probation"),
    Limit.EMPLOYMENT_BEGAN.value: _("day somebody began to work here"),
    Limit.EXEMPTION.value: _("exemption"),
}
REASONS: Final[Mapping[str, Promise]] = {
    ExemptionReason.ON_LEAVE.value: _("on leave"),
    ExemptionReason.NO_SCREEN_WORK.value: _("does not work at a screen"),
    ExemptionReason.REPRESENTATIVE.value: _("represents employees"),
    ExemptionReason.OWN_WISH.value: _("own wish"),
}
PEOPLE: Final[Mapping[str, Promise]] = {
    "<5": _("fewer than 5"),
    "5-19": _("5 to 19"),
    "20-49": _("20 to 49"),
    ">=50": _("50 or more"),
}
# The outer bands, in the numbers of the inner ones.
_OUTER: Final[Mapping[str, str]] = {"<20%": "0-19%", ">=80%": "80-100%"}
REFUSALS: Final[Mapping[type[errors.RightsError], Promise]] = {
    errors.IncentiveError: _("Declare that the request carries no incentive."),
    errors.AskingWindowError: _("A window is open in which nobody is asked."),
    errors.CellNotOfferedError: _("No policy in force asks for this purpose."),
    errors.CampaignOverError: _("This request is over already."),
    errors.AskingLimitError: _(
        "A window ends after it starts and within two years; one about a person names somebody "
        "who works here, and an exemption its class of reason."
    ),
    errors.PressureReportError: _("A confirmed report names a purpose and who pressed."),
}


def share(band: str) -> str:
    """Return a band of participation in words; without one there is no figure."""
    if not band:
        return str(_("no figure"))
    low, _dash, high = _OUTER.get(band, band).rstrip("%").partition("-")
    return str(_("%(low)s to %(high)s %%")) % {"low": low, "high": high}


def refusal(error: errors.RightsError) -> str:
    """Return why nothing was changed, in the reader's language."""
    return str(REFUSALS.get(type(error), error))
