"""The frame round every page of the office: the side with what this role may open."""

from collections.abc import Mapping
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from governance.web.doors import Visitor

# Section, address, icon, words, and the permission without which it is not shown.
NAVIGATION: Final[tuple[tuple[str, str, str, str | Promise, str], ...]] = (
    ("overview", "/office/", "monitor", _("Overview"), "overview.office"),
    ("policies", "/office/policies/", "sliders-horizontal", _("Capture policies"), "policy.read"),
    ("applications", "/office/applications/", "app-window", _("Applications"), "application.read"),
    ("assessments", "/office/assessments/", "shield-check", _("Assessments"), "assessment.read"),
    ("agreements", "/office/agreements/", "handshake", _("Works agreements"), "agreement.read"),
    ("bases", "/office/bases/", "book-open", _("Lawful bases"), "basis.read"),
    ("purposes", "/office/purposes/", "scale", _("Purposes"), "purpose.read"),
    ("retention", "/office/retention/", "clock", _("Keep limits"), "retention.read"),
    (
        "asking",
        "/office/asking/",
        "message-circle-question-mark",
        _("Asking for consent"),
        "campaign.read",
    ),
    ("endings", "/office/endings/", "ban", _("Ending consents"), "ending.read"),
    ("pressure", "/office/pressure/", "megaphone", _("Reports of pressure"), "pressure.read"),
    ("requests", "/office/requests/", "inbox", _("Access requests"), "request.read"),
    ("releases", "/office/releases/", "package", _("Data releases"), "release.read"),
    ("others", "/office/others/", "eye-off", _("Other people's requests"), "bystander.read"),
    ("places", "/office/places/", "map-pin", _("Law of places"), "jurisdiction.read"),
    ("records", "/office/records/", "clipboard-list", _("Records"), "record.read"),
    ("computers", "/office/computers/", "monitor-check", _("People and computers"), "fleet.read"),
    ("stop", "/office/stop/", "octagon-x", _("Stop switch"), "stop.read"),
    ("log", "/office/log/", "list-tree", _("Audit log"), "log.search"),
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
    """Render a page of the office inside its frame."""
    framed = {
        "visitor": visitor,
        "navigation": [row for row in NAVIGATION if visitor.may(row[-1])],
        "section": section,
    }
    return render(request, template, framed | dict(context or {}), status=status)
