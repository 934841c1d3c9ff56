"""Works agreements and lawful bases: recorded by an officer, confirmed by the works council."""

from collections.abc import Callable
from datetime import date
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from governance.compliance import agreements, selectors
from governance.compliance.bases import BASES
from governance.compliance.errors import ComplianceError
from governance.console.frame import show
from governance.policies import groundwork, history
from governance.policies import selectors as policies
from governance.policies.errors import PoliciesError
from governance.web.doors import Visitor, page, refuse

SECTION: Final = "agreements"
UNPROCESSABLE: Final = 422
_DIGEST_LENGTH: Final = 64


@page("agreement.read")
@require_http_methods(["GET", "POST"])
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List works agreements; an officer may write one down."""
    if request.method == "GET":
        return _page(request, visitor)
    if not visitor.may("agreement.record"):
        return refuse(request, visitor, "agreement.record")
    try:
        signed = _signed(request)
        groundwork.record_agreement(signed=signed, actor=visitor.actor)
    except (KeyError, ValueError):
        words = _("Fill in every field; a digest has 64 of the characters 0-9 and a-f.")
        return _page(request, visitor, error=words, status=UNPROCESSABLE)
    except (ComplianceError, PoliciesError) as error:
        return _page(request, visitor, error=str(error), status=UNPROCESSABLE)
    messages.info(request, _("It is written down. It counts once the works council confirmed it."))
    return HttpResponseRedirect("/office/agreements/")


def _signed(request: HttpRequest) -> agreements.Signed:
    """Return what the form holds; ValueError for a field that is empty or has no form."""
    sent = {name: value.strip() for name, value in request.POST.items() if isinstance(value, str)}
    application, _separator, scope = sent["version"].partition("=")
    document = sent["document_digest"].lower()
    is_digest = len(document) == _DIGEST_LENGTH and not set(document) - set("0123456789abcdef")
    places = sent["places"].replace(",", " ").upper().split()
    if not (is_digest and places and sent["reference"] and scope):
        raise ValueError
    return agreements.Signed(
        application=application,
        kind="consultation" if sent.get("kind") == "consultation" else "agreement",
        reference=sent["reference"][:200],
        parties=[
            {"name": sent["employer"][:200], "role": "employer"},
            {"name": sent["council"][:200], "role": "works council"},
        ],
        places=places,
        valid_from=date.fromisoformat(sent["valid_from"]),
        valid_until=date.fromisoformat(sent["valid_until"]) if sent.get("valid_until") else None,
        scope_digest=scope,
        document_digest=document,
    )


def _page(
    request: HttpRequest, visitor: Visitor, *, error: str = "", status: int = 200
) -> HttpResponse:
    today = timezone.now().date()
    versions = history.versions()
    context = {
        "rows": [
            {
                "agreement": found,
                "stands": found.stands(today),
                "versions": [
                    each.reference for each in versions if each.scope_digest == found.scope_digest
                ],
                "may_confirm": visitor.may("agreement.confirm")
                and found.confirmed_at is None
                and found.ended_at is None
                and found.recorder != visitor.subject,
                "may_end": visitor.may("agreement.end") and found.ended_at is None,
            }
            for found in selectors.agreements()
        ],
        "names": {each.key: each.name for each in policies.applications()},
        "versions": versions,
        "may_record": visitor.may("agreement.record"),
        "sent": request.POST,
        "error": error,
    }
    return show(
        request, visitor, "console/agreements.html", context, section=SECTION, status=status
    )


def _act(request: HttpRequest, visitor: Visitor, act: Callable[[], object]) -> HttpResponse:
    try:
        act()
    except ComplianceError as error:
        return _page(request, visitor, error=str(error), status=UNPROCESSABLE)
    return HttpResponseRedirect("/office/agreements/")


@page("agreement.confirm")
@require_POST
def confirm(request: HttpRequest, visitor: Visitor, agreement_id: UUID) -> HttpResponse:
    """Confirm that this is what was signed."""
    return _act(
        request,
        visitor,
        lambda: agreements.confirm(agreement_id=agreement_id, actor=visitor.actor),
    )


@page("agreement.end")
@require_POST
def end(request: HttpRequest, visitor: Visitor, agreement_id: UUID) -> HttpResponse:
    """End an agreement; capture that stood on it stops."""
    reason = request.POST.get("reason", "").strip()[:500]
    if not reason:
        return _page(request, visitor, error=_("Say why it ends."), status=UNPROCESSABLE)
    return _act(
        request,
        visitor,
        lambda: groundwork.end_agreement(
            agreement_id=agreement_id, reason=reason, actor=visitor.actor
        ),
    )


@page("basis.read")
@require_http_methods(["GET", "POST"])
def bases(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show the lawful basis of each purpose; an officer may write one down."""
    error = ""
    if request.method == "POST":
        if not visitor.may("basis.record"):
            return refuse(request, visitor, "basis.record")
        try:
            groundwork.record_basis(
                purpose=request.POST.get("purpose", ""),
                basis=request.POST.get("basis", ""),
                evidence=request.POST.get("evidence", "").strip()[:500],
                actor=visitor.actor,
            )
        except (ComplianceError, PoliciesError) as refused:
            error = str(refused)
        else:
            return HttpResponseRedirect("/office/bases/")
    held = selectors.bases()
    context = {
        "rows": [(purpose, held.get(purpose.key)) for purpose in policies.purposes()],
        "bases": BASES,
        "may_record": visitor.may("basis.record"),
        "error": error,
    }
    status = UNPROCESSABLE if error else 200
    return show(request, visitor, "console/bases.html", context, section="bases", status=status)
