"""My requests: a copy of everything, deleting everything, and how far each has come."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from governance.portal.frame import show
from governance.rights import selectors, services
from governance.web.doors import Visitor, page

UNPROCESSABLE = 422


@page("rights.read")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List the person's requests and offer new ones."""
    return _listing(request, visitor)


def _listing(
    request: HttpRequest, visitor: Visitor, *, error: str = "", status: int = 200
) -> HttpResponse:
    context = {"requests": selectors.requests_of(subject=visitor.subject), "error": error}
    return show(
        request, visitor, "portal/requests.html", context, section="requests", status=status
    )


@page("rights.read")
@require_GET
def one(request: HttpRequest, visitor: Visitor, request_id: UUID) -> HttpResponse:
    """Follow one request step by step."""
    found = selectors.request_of(subject=visitor.subject, request_id=request_id)
    if found is None:
        raise Http404
    return show(request, visitor, "portal/request.html", {"asked": found}, section="requests")


@page("rights.erase")
@require_POST
def erase(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Erase everything that was captured; the tick is the one confirmation."""
    if request.POST.get("sure") != "yes":
        return _listing(
            request,
            visitor,
            error=_("Tick the box first: this cannot be undone."),
            status=UNPROCESSABLE,
        )
    order = services.erase_everything(subject=visitor.subject, actor=visitor.actor)
    messages.info(request, _("The keys are destroyed. Nobody can read your records any more."))
    return HttpResponseRedirect(f"/requests/{order.id}/")


@page("rights.request")
@require_POST
def export(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Ask for a copy of everything that is held."""
    asked = services.export(subject=visitor.subject, actor=visitor.actor)
    messages.info(request, _("Your copy is being made. This page shows when it is ready."))
    return HttpResponseRedirect(f"/requests/{asked.id}/")


@page("rights.read")
@require_GET
def certificate(request: HttpRequest, visitor: Visitor, request_id: UUID) -> HttpResponse:
    """Hand out the signed certificate of an erasure."""
    del request
    found = selectors.request_of(subject=visitor.subject, request_id=request_id)
    if found is None or found.certificate is None:
        raise Http404
    response = JsonResponse(found.certificate, json_dumps_params={"indent": 1, "sort_keys": True})
    response.headers["Content-Disposition"] = (
        f'attachment; filename="certificate-{request_id}.json"'
    )
    return response
