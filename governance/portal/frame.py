"""The frame round every page of the employee: navigation, capture band, one way to render."""

from collections.abc import Mapping
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from governance.portal.light import light_of
from governance.portal.offer import Offer
from governance.web.doors import Visitor

NAVIGATION: Final[tuple[tuple[str, str, str | Promise], ...]] = (
    ("overview", "/", _("Overview")),
    ("consent", "/consent/", _("My consent")),
    ("data", "/data/", _("My data")),
    ("access", "/access/", _("Who accessed my data")),
    ("uses", "/uses/", _("Where it went")),
    ("requests", "/requests/", _("My requests")),
    ("devices", "/devices/", _("My computers")),
)


# In the session: this person's browser sent Global Privacy Control.
GPC: Final = "gpc"


def may_solicit(request: HttpRequest) -> bool:
    """Tell whether a page may ask for something unasked; not in a session that sent the signal.

    The signal (`Sec-GPC: 1`) says "do not sell or share". It is kept with the session and ends
    every prompt in it; it changes no answer that the person gave (R16).
    """
    if request.headers.get("Sec-GPC") == "1" and not request.session.get(GPC):
        request.session[GPC] = True
    return not request.session.get(GPC)


def show(
    request: HttpRequest,
    visitor: Visitor,
    template: str,
    context: Mapping[str, object] | None = None,
    *,
    section: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render a page of the portal inside its frame."""
    # Whoever shows the form has read the answers already.
    offer = (context or {}).get("offer")
    states = offer.states if isinstance(offer, Offer) else None
    framed = {
        "visitor": visitor,
        "navigation": NAVIGATION,
        "section": section,
        "light": light_of(subject=visitor.subject, states=states),
        "may_solicit": may_solicit(request),
    }
    return render(request, template, framed | dict(context or {}), status=status)
