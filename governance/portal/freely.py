"""What keeps a consent free, on pages: "not now" to a request, and reports of pressure."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from governance.accounts.errors import TooManyAttemptsError
from governance.rights import pressure
from governance.rights import services as rights
from governance.rights.errors import PressureReportError
from governance.web import source
from governance.web.doors import Visitor, page, public

UNPROCESSABLE = 422
TOO_MANY = 429


@page("campaign.defer")
@require_POST
def later(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Put a request away; it counts as one, and none follows for twelve months."""
    del request
    language = get_language() or visitor.language
    rights.defer(subject=visitor.subject, actor=visitor.actor, language=language)
    return HttpResponseRedirect("/")


@public
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Take a report of pressure from anybody, signed in or not; nothing about them is kept."""
    context: dict[str, object] = {"longest": pressure.LONGEST, "words": "", "error": ""}
    status = 200
    if request.method == "POST":
        try:
            pressure.report(words=request.POST.get("words", ""), address=source.address_of(request))
        except PressureReportError:
            context["words"] = request.POST.get("words", "")[: pressure.LONGEST]
            context["error"] = _("Say what happened, in up to 4,000 characters.")
            status = UNPROCESSABLE
        except TooManyAttemptsError:
            context["words"] = request.POST.get("words", "")[: pressure.LONGEST]
            context["error"] = _(
                "No more reports are taken from here today. Come back tomorrow, or speak to the "
                "works council."
            )
            status = TOO_MANY
        else:
            context["is_received"] = True
    return render(request, "portal/pressure.html", context, status=status)
