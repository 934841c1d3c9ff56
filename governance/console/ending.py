"""Ending consents: proposed by one officer, ordered or returned by another.

The page says nothing of who had agreed, before it or after it.
"""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from governance.accounts import selectors as accounts
from governance.console import ending_words
from governance.console.frame import show
from governance.policies import selectors as policies
from governance.policies.categories import Category
from governance.rights import endings
from governance.rights.errors import RequestNotFoundError, RightsError
from governance.rights.states import EndingReason
from governance.web.doors import Visitor, page, refuse

SECTION: Final = "endings"
UNPROCESSABLE: Final = 422


@page("ending.read")
@require_http_methods(["GET", "POST"])
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show what waits for a second officer and what came of the rest; propose."""
    if request.method == "GET":
        return _page(request, visitor)
    if not visitor.may("ending.propose"):
        return refuse(request, visitor, "ending.propose")
    try:
        endings.propose(proposal=_proposal(request), actor=visitor.actor)
    except (RightsError, ValueError) as error:
        return _page(request, visitor, error=ending_words.refusal(error))
    messages.info(request, _("It waits for a second officer. Nothing has ended yet."))
    return HttpResponseRedirect("/office/endings/")


def _proposal(request: HttpRequest) -> endings.Proposal:
    """Return what the form holds; ValueError for a reason that is none."""
    sent = request.POST
    return endings.Proposal(
        reason=EndingReason(sent.get("reason", "")),
        words=sent.get("words", ""),
        purpose=sent.get("purpose", ""),
        application=sent.get("application", ""),
        category=sent.get("category", ""),
        username=sent.get("username", "").strip(),
    )


def _page(request: HttpRequest, visitor: Visitor, *, error: str = "") -> HttpResponse:
    rows = endings.endings()
    context = {
        "open": [row for row in rows if not hasattr(row, "decision")],
        "decided": [row for row in rows if hasattr(row, "decision")],
        "reasons": ending_words.REASONS,
        "revoking": _reasons(is_void=False),
        "voiding": _reasons(is_void=True),
        "purposes": {each.key: each.name for each in policies.purposes()},
        "applications": {each.key: each.name for each in policies.applications()},
        "categories": list(Category),
        "people": accounts.names_of({row.subject for row in rows} - {""}),
        "own": visitor.actor.key,
        "may_propose": visitor.may("ending.propose"),
        "may_decide": visitor.may("ending.decide"),
        "sent": request.POST,
        "error": error,
    }
    status = UNPROCESSABLE if error else 200
    return show(request, visitor, "console/endings.html", context, section=SECTION, status=status)


def _reasons(*, is_void: bool) -> list[tuple[str, object]]:
    return [
        (reason.value, ending_words.REASONS[reason.value])
        for reason in EndingReason
        if reason.is_void is is_void
    ]


@page("ending.decide")
@require_POST
def decide(request: HttpRequest, visitor: Visitor, ending_id: UUID) -> HttpResponse:
    """Order it, or return it."""
    said = request.POST.get("do", "")
    if said not in {"order", "return"}:
        return _page(request, visitor, error=_("Say whether it is ordered or returned."))
    try:
        endings.decide(ending_id=ending_id, is_approved=said == "order", actor=visitor.actor)
    except RequestNotFoundError as error:
        raise Http404 from error
    except RightsError as error:
        return _page(request, visitor, error=ending_words.refusal(error))
    messages.info(request, _("It is written down, and what follows from it has begun."))
    return HttpResponseRedirect("/office/endings/")
