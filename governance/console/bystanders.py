"""Requests of people who stood on a recorded screen: the office decides, and sees no address."""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from governance.console.frame import show
from governance.rights import bystander_answers
from governance.rights.errors import (
    BystanderRequestError,
    RequestChangeError,
    RequestNotFoundError,
)
from governance.web.doors import Visitor, page

HOME: Final = "/office/others/"
UNPROCESSABLE: Final = 422
_MOST: Final = 200


@page("bystander.read")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List requests by when they are owed, the open ones first."""
    return _page(request, visitor)


@page("bystander.answer")
@require_POST
def answer(request: HttpRequest, visitor: Visitor, request_id: UUID) -> HttpResponse:
    """Carry a request out, or refuse it with reasons."""
    try:
        bystander_answers.answer(
            request_id=request_id,
            is_granted=request.POST.get("decision") == "carry-out",
            words=request.POST.get("reasons", ""),
            actor=visitor.actor,
        )
    except RequestNotFoundError as error:
        raise Http404 from error
    except BystanderRequestError:
        words = _("A refusal gives its reasons, in up to 2,000 characters.")
        return _page(request, visitor, error=words, status=UNPROCESSABLE)
    except RequestChangeError:
        messages.info(request, _("This request was decided before."))
        return HttpResponseRedirect(HOME)
    messages.info(request, _("It is decided. The answer is mailed, and the address forgotten."))
    return HttpResponseRedirect(HOME)


def _page(
    request: HttpRequest, visitor: Visitor, *, error: str = "", status: int = 200
) -> HttpResponse:
    now = timezone.now()
    rows = [
        {
            "id": standing.id,
            "standing": standing,
            "is_open": not standing.is_decided,
            "is_late": now > standing.due_at and not standing.is_decided,
        }
        for standing in bystander_answers.listed(limit=_MOST)
    ]
    context = {"rows": rows, "error": error, "longest": bystander_answers.LONGEST_REASON}
    return show(
        request, visitor, "console/bystanders.html", context, section="others", status=status
    )
