"""Reports of pressure: the representatives read them and say what they found.

The page says nothing of who had agreed, before a finding or after it.
"""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from governance.accounts import selectors as accounts
from governance.console import asking_words
from governance.console.frame import show
from governance.policies import selectors as policies
from governance.rights import pressure
from governance.rights.errors import PressureReportError, RequestNotFoundError
from governance.web.doors import Visitor, page

SECTION: Final = "pressure"
UNPROCESSABLE: Final = 422


@page("pressure.read")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show every report, the open ones first."""
    return _page(request, visitor)


def _page(
    request: HttpRequest, visitor: Visitor, *, error: str = "", status: int = 200
) -> HttpResponse:
    rows = pressure.reports()
    names = {each.key: each.name for each in policies.purposes()}
    pressed = {row.finding.below for row in rows if hasattr(row, "finding")} - {""}
    context = {
        "open": [row for row in rows if not hasattr(row, "finding")],
        "settled": [row for row in rows if hasattr(row, "finding")],
        "purposes": names,
        "people": accounts.names_of(pressed),
        "full_days": pressure.full_days(),
        "may_settle": visitor.may("pressure.settle"),
        "error": error,
    }
    return show(request, visitor, "console/pressure.html", context, section=SECTION, status=status)


@page("pressure.settle")
@require_POST
def settle(request: HttpRequest, visitor: Visitor, report_id: UUID) -> HttpResponse:
    """Write down what was found; confirmed, consents below whoever pressed never were."""
    found = request.POST.get("found", "")
    if found not in {"confirmed", "not-confirmed"}:
        words = _("Say whether it is confirmed.")
        return _page(request, visitor, error=words, status=UNPROCESSABLE)
    is_confirmed = found == "confirmed"
    try:
        pressure.settle(
            report_id=report_id,
            is_confirmed=is_confirmed,
            purpose=request.POST.get("purpose", "") if is_confirmed else "",
            below=request.POST.get("below", "").strip() if is_confirmed else "",
            actor=visitor.actor,
        )
    except RequestNotFoundError as error:
        raise Http404 from error
    except PressureReportError as error:
        words = asking_words.refusal(error)
        return _page(request, visitor, error=words, status=UNPROCESSABLE)
    messages.info(request, _("It is written down, and what follows from it has begun."))
    return HttpResponseRedirect("/office/pressure/")
