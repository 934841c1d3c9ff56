"""Purposes, applications and keep limits: the registers that policies are made of."""

from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from governance.compliance.errors import GuardError
from governance.console.frame import show
from governance.policies import selectors, services
from governance.policies.categories import LONGEST_DAYS, Category, offered_categories
from governance.policies.errors import PoliciesError
from governance.policies.purposes import PERMITTED_BROADER, PROHIBITED
from governance.web.doors import Visitor, page, refuse

UNPROCESSABLE: Final = 422


@page("purpose.read")
@require_http_methods(["GET", "POST"])
def purposes(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List what captured work is for, and what it never may be; an officer may register more."""
    context: dict[str, object] = {
        "purposes": selectors.purposes(),
        "prohibited": PROHIBITED,
        "broader": PERMITTED_BROADER,
        "may_register": visitor.may("purpose.register"),
        "sent": request.POST,
    }
    if request.method == "GET":
        return show(request, visitor, "console/purposes.html", context, section="purposes")
    if not visitor.may("purpose.register"):
        return refuse(request, visitor, "purpose.register")
    try:
        services.register_purpose(
            key=request.POST.get("key", ""),
            name=request.POST.get("name", ""),
            description=request.POST.get("description", ""),
            broader=request.POST.get("broader", ""),
            actor=visitor.actor,
        )
    except PoliciesError as error:
        context["error"] = str(error)
        return show(
            request,
            visitor,
            "console/purposes.html",
            context,
            section="purposes",
            status=UNPROCESSABLE,
        )
    messages.info(request, _("The purpose is registered. It captures nothing by itself."))
    return HttpResponseRedirect("/office/purposes/")


@page("retention.read")
@require_http_methods(["GET", "POST"])
def retention(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show how long each kind of data is kept; an officer may set a new schedule."""
    if request.method == "POST":
        return _set_retention(request, visitor)
    return _retention(request, visitor)


def _retention(
    request: HttpRequest, visitor: Visitor, *, error: str = "", status: int = 200
) -> HttpResponse:
    rows = [
        {
            "application": application,
            "schedules": (schedules := selectors.schedules(application.key)),
            "days": {c.value: n for c, n in schedules[0].days.items()} if schedules else {},
        }
        for application in selectors.applications()
    ]
    context = {
        "rows": rows,
        "categories": offered_categories(),
        "longest": {category.value: LONGEST_DAYS[category] for category in offered_categories()},
        "may_set": visitor.may("retention.set"),
        "error": error,
    }
    return show(
        request, visitor, "console/retention.html", context, section="retention", status=status
    )


def _set_retention(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    if not visitor.may("retention.set"):
        return refuse(request, visitor, "retention.set")
    application = selectors.application(request.POST.get("application", ""))
    if application is None:
        raise Http404
    days: dict[Category, int] = {}
    for category in offered_categories():
        sent = request.POST.get(f"days.{category.value}", "").strip()
        if sent.isascii() and sent.isdecimal():
            days[category] = int(sent)
        elif sent:
            error = _("%(kind)s: write a whole number of days.") % {"kind": category.label}
            return _retention(request, visitor, error=error, status=UNPROCESSABLE)
    try:
        services.set_retention(application=application.key, days=days, actor=visitor.actor)
    except (PoliciesError, GuardError) as error:
        return _retention(request, visitor, error=str(error), status=UNPROCESSABLE)
    messages.info(
        request, _("The new keep limits hold from now on. What is stored keeps its date.")
    )
    return HttpResponseRedirect("/office/retention/")
