"""Access requests: asking for data for a purpose, and the two people who decide on it.

A form may name a prohibited purpose: the service refuses it, writes the refusal down and shows it.
"""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.accounts import selectors as accounts
from governance.accounts.roles import Role
from governance.console.frame import show
from governance.policies import selectors as policies
from governance.policies.categories import offered_categories
from governance.policies.errors import PoliciesError, PurposeProhibitedError
from governance.policies.purposes import PROHIBITED
from governance.releases import requests, selectors
from governance.releases.errors import ReleasesError, RequestNotFoundError
from governance.releases.selectors import RequestView
from governance.releases.states import RequestState
from governance.web.doors import Visitor, page

SECTION: Final = "requests"
FORBIDDEN: Final = 403
UNPROCESSABLE: Final = 422
# Whose decision a request waits for.
TURN: Final = {
    RequestState.REQUESTED: Role.PRIVACY_OFFICER,
    RequestState.REVIEWED: Role.POLICY_APPROVER,
}


def waits_for(visitor: Visitor, asked: RequestView) -> bool:
    """Tell whether this visitor is the one to decide now."""
    return TURN.get(asked.state) is visitor.role and asked.requester != visitor.subject


def waiting_for(visitor: Visitor) -> list[RequestView]:
    """Return the requests that wait for this visitor."""
    return [one for one in selectors.requests(reader=visitor.actor) if waits_for(visitor, one)]


@page("request.read")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List the requests this role may see."""
    found = selectors.requests(reader=visitor.actor)
    context = {
        "requests": [(one, waits_for(visitor, one)) for one in found],
        "may_ask": visitor.may("request.create"),
        **_words(visitor, found),
    }
    return show(request, visitor, "console/requests.html", context, section=SECTION)


def _words(visitor: Visitor, found: list[RequestView]) -> dict[str, object]:
    # An auditor reads what was asked for and decided, not by whom.
    named = visitor.role is not Role.AUDITOR
    return {
        "names": accounts.names_of(one.requester for one in found) if named else {},
        "purposes": {purpose.key: purpose.name for purpose in policies.purposes()},
        "applications": {one.key: one.name for one in policies.applications()},
    }


@page("request.read")
@require_GET
def detail(request: HttpRequest, visitor: Visitor, request_id: UUID) -> HttpResponse:
    """Show one request and, to whom it concerns, the decision."""
    return _detail(request, visitor, request_id)


def _detail(
    request: HttpRequest,
    visitor: Visitor,
    request_id: UUID,
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    try:
        asked = selectors.request(request_id=request_id, reader=visitor.actor)
    except RequestNotFoundError as missing:
        raise Http404 from missing
    context = {
        "asked": asked,
        "is_own": asked.requester == visitor.subject,
        "decides": waits_for(visitor, asked),
        "turn": TURN.get(asked.state),
        "error": error,
        **_words(visitor, [asked]),
    }
    return show(request, visitor, "console/request.html", context, section=SECTION, status=status)


@page("request.create")
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Ask for data; what is prohibited stands in the form, and is refused when chosen."""
    if request.method == "GET":
        return _form(request, visitor)
    wish = requests.Wish(
        purpose=request.POST.get("purpose", ""),
        applications=request.POST.getlist("applications"),
        categories=request.POST.getlist("categories"),
        reason=request.POST.get("reason", ""),
    )
    try:
        asked = requests.request_access(wish=wish, actor=visitor.actor)
    except PurposeProhibitedError as error:
        text = _("%(why)s The attempt is an entry in the audit log.") % {"why": error}
        return _form(request, visitor, error=text, title=_("Refused"), status=FORBIDDEN)
    except (PoliciesError, ReleasesError) as error:
        return _form(request, visitor, error=str(error), status=UNPROCESSABLE)
    messages.info(request, _("Your request is stored. Two other people decide on it."))
    return HttpResponseRedirect(f"/office/requests/{asked.id}/")


def _form(
    request: HttpRequest, visitor: Visitor, *, error: str = "", title: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "error_title": title,
        "purposes": policies.purposes(),
        "prohibited": PROHIBITED,
        "applications": policies.applications(),
        "categories": offered_categories(),
        "chosen": request.POST.get("purpose", ""),
        "chosen_applications": request.POST.getlist("applications"),
        "chosen_categories": request.POST.getlist("categories"),
        "reason": request.POST.get("reason", ""),
        "error": error,
    }
    return show(request, visitor, "console/ask.html", context, section=SECTION, status=status)


@page("request.approve")
@require_POST
def approve(request: HttpRequest, visitor: Visitor, request_id: UUID) -> HttpResponse:
    """Agree; the second yes orders the release."""
    try:
        requests.approve(request_id=request_id, actor=visitor.actor)
    except RequestNotFoundError as missing:
        raise Http404 from missing
    except (PoliciesError, ReleasesError) as error:
        return _detail(request, visitor, request_id, error=str(error), status=UNPROCESSABLE)
    return HttpResponseRedirect(f"/office/requests/{request_id}/")


@page("request.reject")
@require_POST
def reject(request: HttpRequest, visitor: Visitor, request_id: UUID) -> HttpResponse:
    """Refuse, with a reason that the requester reads."""
    reason = request.POST.get("reason", "").strip()
    if not reason:
        text = _("Say why you reject it.")
        return _detail(request, visitor, request_id, error=text, status=UNPROCESSABLE)
    try:
        requests.reject(request_id=request_id, actor=visitor.actor, reason=reason)
    except RequestNotFoundError as missing:
        raise Http404 from missing
    except ReleasesError as error:
        return _detail(request, visitor, request_id, error=str(error), status=UNPROCESSABLE)
    return HttpResponseRedirect(f"/office/requests/{request_id}/")
