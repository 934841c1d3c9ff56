"""The frame round every page of the employee: navigation, capture band, one way to render."""

from collections.abc import Mapping
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from governance.portal.light import light_of
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
    framed = {
        "visitor": visitor,
        "navigation": NAVIGATION,
        "section": section,
        "light": light_of(subject=visitor.subject),
    }
    return render(request, template, framed | dict(context or {}), status=status)
