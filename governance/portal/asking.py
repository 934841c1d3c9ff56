"""My requests: a copy of everything, deleting everything, and how far each has come."""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.portal.frame import show
from governance.portal.offer import offer_to
from governance.rights import certificate as certificates
from governance.rights import exports, selectors, services
from governance.rights.states import ERASURE_ORDER, ErasureState, Kind
from governance.web.doors import Visitor, page

UNPROCESSABLE: Final = 422
MOST_WORDS: Final = 2000
# The other kinds the service does by itself.
ANSWERED_BY_PEOPLE: Final = (
    Kind.ACCESS.value,
    Kind.RECTIFICATION.value,
    Kind.RESTRICTION.value,
    Kind.OBJECTION.value,
)


@page("rights.read")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List the person's requests and offer new ones."""
    return _listing(request, visitor)


def _listing(
    request: HttpRequest, visitor: Visitor, *, error: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "requests": selectors.own_requests(subject=visitor.subject),
        "whole_erasure": selectors.whole_erasure(subject=visitor.subject),
        "error": error,
    }
    return show(
        request, visitor, "portal/requests.html", context, section="requests", status=status
    )


@page("rights.read")
@require_GET
def one(request: HttpRequest, visitor: Visitor, request_id: UUID) -> HttpResponse:
    """Follow one request step by step."""
    asked = selectors.own_request(subject=visitor.subject, request_id=request_id)
    erasure = selectors.whole_erasure(subject=visitor.subject) if asked.erasure else None
    reached = dict(erasure.reached) if erasure else {}
    context = {
        "asked": asked,
        "erasure": erasure,
        "stations": [(state, reached.get(state)) for state in ERASURE_ORDER],
        "is_complete": ErasureState.COMPLETED in reached,
        "export": exports.latest(subject=visitor.subject)
        if asked.kind == Kind.PORTABILITY
        else None,
    }
    return show(request, visitor, "portal/request.html", context, section="requests")


@page("rights.request")
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Ask something that people of the organisation answer, about an entry or about anything."""
    kind, words = request.POST.get("kind", Kind.ACCESS.value), request.POST.get("words", "")
    error = ""
    if request.method == "POST":
        if kind not in ANSWERED_BY_PEOPLE or not words.strip() or len(words) > MOST_WORDS:
            error = _("Write what you ask for, in up to 2,000 characters.")
        else:
            asked = services.request(
                subject=visitor.subject, kind=Kind(kind), actor=visitor.actor, words=words.strip()
            )
            messages.info(request, _("Your request was received and is answered by a person."))
            return HttpResponseRedirect(f"/requests/{asked.id}/")
    context = {
        "kinds": ANSWERED_BY_PEOPLE,
        "kind": kind,
        "words": words or _about(request.GET.get("entry", "")),
        "error": error,
    }
    status = UNPROCESSABLE if error else 200
    return show(request, visitor, "portal/ask.html", context, section="requests", status=status)


def _about(entry: str) -> str:
    """Return the first words of a question about an entry; nothing for what is no entry's id."""
    try:
        named = UUID(entry)
    except ValueError:
        return ""
    return _("About the log entry %(entry)s: ") % {"entry": named}


@page("rights.erase")
@require_POST
def erase(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Erase everything that was captured; the tick is the one confirmation."""
    if request.POST.get("sure") != "yes":
        error = _("Tick the box first: this cannot be undone.")
        return _listing(request, visitor, error=error, status=UNPROCESSABLE)
    offer = offer_to(subject=visitor.subject, language=get_language() or visitor.language)
    order = services.erase_everything(
        subject=visitor.subject,
        actor=visitor.actor,
        language=offer.language,
        form_digest=offer.digest,
    )
    return HttpResponseRedirect(f"/requests/{order.request_id}/")


@page("rights.request")
@require_POST
def export(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Ask for a copy of everything that is held."""
    asked = services.export(subject=visitor.subject, actor=visitor.actor)
    messages.info(request, _("This page shows when your copy is ready."))
    return HttpResponseRedirect(f"/requests/{asked.request_id}/")


@page("access.export")
@require_POST
def download(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Hand the finished copy over; opening it is an access like any other, and an entry."""
    del request
    with exports.open_archive(subject=visitor.subject, actor=visitor.actor) as archive:
        response = HttpResponse(archive, content_type="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    return response


@page("rights.read")
@require_GET
def certificate(request: HttpRequest, visitor: Visitor, order_id: UUID) -> HttpResponse:
    """Hand out the signed certificate of an erasure."""
    del request
    found = certificates.envelope(subject=visitor.subject, order_id=order_id)
    response = JsonResponse(found, json_dumps_params={"indent": 1, "sort_keys": True})
    response.headers["Content-Disposition"] = f'attachment; filename="certificate-{order_id}.json"'
    return response
