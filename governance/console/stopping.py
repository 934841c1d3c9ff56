"""The stop switch: one person stops all capture, two bring it back; and how far it has come."""

import json
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.console.frame import show
from governance.policies import propagation, suspending
from governance.policies.errors import PoliciesError
from governance.web.doors import Visitor, page, refuse

SECTION: Final = "stop"
UNPROCESSABLE: Final = 422


@page("stop.read")
@require_http_methods(["GET", "POST"])
def switch(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show whether all is stopped and how far that has come; stop."""
    if request.method == "GET":
        return _page(request, visitor)
    if not visitor.may("stop.order"):
        return refuse(request, visitor, "stop.order")
    reason = request.POST.get("reason", "").strip()[:500]
    if not reason:
        return _page(request, visitor, error=_("Say why it stops."))
    suspending.stop(reason=reason, actor=visitor.actor)
    return HttpResponseRedirect("/office/stop/")


@page("stop.lift")
@require_POST
def lift(request: HttpRequest, visitor: Visitor, number: int) -> HttpResponse:
    """Want capture back."""
    try:
        suspending.lift(number=number, actor=visitor.actor)
    except PoliciesError as error:
        return _page(request, visitor, error=str(error))
    return HttpResponseRedirect("/office/stop/")


@page("stop.read")
@require_GET
def certificate(request: HttpRequest, visitor: Visitor, number: int) -> HttpResponse:
    """Hand out the signed statement that a stop reached every agent."""
    del request, visitor
    envelope = propagation.certificate(number=number, now=timezone.now())
    return HttpResponse(
        json.dumps(envelope),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="stop-{number}.json"'},
    )


def _page(request: HttpRequest, visitor: Visitor, *, error: str = "") -> HttpResponse:
    now = timezone.now()
    newest = propagation.gauge(now=now)
    context = {
        "gauge": newest,
        "past": [each for each in propagation.gauges(now=now) if not each.is_standing],
        "asked_at": now,
        "may_stop": visitor.may("stop.order"),
        "may_lift": visitor.may("stop.lift"),
        "error": error,
    }
    status = UNPROCESSABLE if error else 200
    return show(request, visitor, "console/stop.html", context, section=SECTION, status=status)
