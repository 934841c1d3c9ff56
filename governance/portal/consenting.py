"""My consent: the matrix, the notice, the check before it counts, the receipt after it.

Three requests to allow and three to refuse: choose, review, save. Withdrawing everything is one
page and one button. What is chosen waits in the session between the pages, never in an address.
"""

from typing import Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import consent.selectors
from consent import receipt
from consent.selectors import Cell
from consent.status import VALID
from governance.policies import selectors as policies
from governance.policies.categories import offered_categories
from governance.policies.purposes import PROHIBITED
from governance.portal import form, grouping
from governance.portal.frame import show
from governance.portal.history import decisions_of, erased_at
from governance.portal.light import application_names
from governance.portal.offer import Offer, offer_to
from governance.rights import services as rights
from governance.web.doors import Visitor, page

DRAFT: Final = "consent-draft"
UNPROCESSABLE: Final = 422


def _offer(visitor: Visitor) -> Offer:
    return offer_to(subject=visitor.subject, language=get_language() or visitor.language)


@page("consent.read")
@require_GET
def matrix(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show what may be decided, and what was."""
    return _matrix(request, visitor, _offer(visitor))


def _matrix(
    request: HttpRequest,
    visitor: Visitor,
    offer: Offer,
    *,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    used = {cell.application for cell in offer.covered}
    names = application_names()
    sent = request.POST if request.method == "POST" else None
    context = {
        "offer": offer,
        "categories": offered_categories(),
        "errors": errors or {},
        "used_applications": len(used),
        "all_applications": len(names),
        "applications": names,
        "used_purposes": len({cell.purpose for cell in offer.covered}),
        "ticked": _ticked_names(offer) if sent is None else frozenset(sent.keys()),
        "answers": {
            section.purpose: section.answer
            if sent is None
            else sent.get(f"answer.{section.purpose}", "")
            for section in offer.sections
        },
        "decisions": decisions_of(subject=visitor.subject),
        "erased_at": erased_at(subject=visitor.subject),
        "prohibited": PROHIBITED,
    }
    return show(request, visitor, "portal/consent.html", context, section="consent", status=status)


def _ticked_names(offer: Offer) -> frozenset[str]:
    return frozenset(form.field_name(cell) for cell in offer.covered)


@page("consent.decide")
@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Take the choice, then show was and will be before anything is written."""
    if request.method == "POST":
        return _take(request, visitor)
    draft = request.session.get(DRAFT)
    if draft is None:
        return HttpResponseRedirect("/consent/")
    offer = _offer(visitor)
    wishes = {
        Cell(*cell): bool(yes) for *cell, yes in draft["wishes"] if Cell(*cell) in offer.cells
    }
    changes = form.changes(wishes, offer.states, covered=offer.covered)
    context = {
        "changes": changes,
        "groups": grouping.of_changes(changes),
        "applications": application_names(),
        "titles": {section.purpose: section.title for section in offer.sections},
        "given": [change for change in changes if change.will in VALID],
        "ended": [change for change in changes if change.was in VALID and change.will not in VALID],
    }
    return show(request, visitor, "portal/review.html", context, section="consent")


def _take(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    offer = _offer(visitor)
    errors: dict[str, str] = {}
    wishes: dict[Cell, bool] = {}
    for section in offer.sections:
        answer = _answer(request, section.purpose)
        ticked = frozenset(cell for cell in section.cells if form.field_name(cell) in request.POST)
        if answer is None and ticked:
            errors[section.purpose] = _("Choose “No” or “Yes” for this purpose.")
        elif answer is form.Answer.YES and not ticked:
            errors[section.purpose] = _("Tick what may be captured, or choose “No”.")
        wishes |= form.wanted(section, answer=answer, ticked=ticked)
    if errors:
        return _matrix(request, visitor, offer, errors=errors, status=UNPROCESSABLE)
    request.session[DRAFT] = {
        "wishes": [[*cell, yes] for cell, yes in wishes.items()],
        "notices": {
            section.purpose: request.POST.get(f"notice.{section.purpose}", "")
            for section in offer.sections
        },
        "digest": form.digest(offer.sections, language=offer.language),
        "language": offer.language,
    }
    return HttpResponseRedirect("/consent/review/")


def _answer(request: HttpRequest, purpose: str) -> form.Answer | None:
    sent = request.POST.get(f"answer.{purpose}", "")
    return form.Answer(sent) if sent in set(form.Answer) else None


@page("consent.decide")
@require_POST
def save(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Write the decision; one entry, one receipt, and then the receipt's own page."""
    draft = request.session.get(DRAFT)
    if draft is None:
        return HttpResponseRedirect("/consent/")
    if request.POST.get("do") == "back":
        return HttpResponseRedirect("/consent/")
    offer = _offer(visitor)
    wishes = {
        Cell(*cell): bool(yes) for *cell, yes in draft["wishes"] if Cell(*cell) in offer.cells
    }
    changes = form.changes(wishes, offer.states, covered=offer.covered)
    if not changes:
        return HttpResponseRedirect("/consent/review/")
    act = rights.choose(
        person_subject=visitor.subject,
        choices=[
            rights.Answer(
                *change.cell, change.will, draft["notices"].get(change.cell.purpose) or None
            )
            for change in changes
        ],
        actor=visitor.actor,
        language=draft["language"],
        form_digest=draft["digest"],
    )
    del request.session[DRAFT]
    return HttpResponseRedirect(f"/consent/done/{act.receipt_id}/")


@page("consent.receipt")
@require_GET
def done(request: HttpRequest, visitor: Visitor, receipt_id: UUID) -> HttpResponse:
    """Show a receipt: what was decided, what happens when, where it stands in the log."""
    found = next(
        (d for d in decisions_of(subject=visitor.subject) if d.receipt_id == receipt_id), None
    )
    if found is None:
        raise Http404
    context = {
        "decision": found,
        "groups": grouping.of_events(found.events),
        "titles": {purpose.key: purpose.name for purpose in policies.purposes()},
        "erased_at": erased_at(subject=visitor.subject),
        "applications": application_names(),
        "fresh": DRAFT not in request.session,
    }
    return show(request, visitor, "portal/receipt.html", context, section="consent")


@page("consent.receipt")
@require_GET
def download(request: HttpRequest, visitor: Visitor, receipt_id: UUID) -> HttpResponse:
    """Hand out the signed receipt as a file, with its log proof once there is one."""
    del request
    document = receipt.receipt_document(subject=visitor.subject, receipt_id=receipt_id)
    response = JsonResponse(document, json_dumps_params={"indent": 1, "sort_keys": True})
    response.headers["Content-Disposition"] = f'attachment; filename="receipt-{receipt_id}.json"'
    return response


@page("notice.read")
@require_GET
def notice(request: HttpRequest, visitor: Visitor, purpose: str) -> HttpResponse:
    """Show the whole notice of a purpose for reading; `?version=` shows an archived one."""
    language = get_language() or visitor.language
    reference = request.GET.get("version", "")
    text = (
        consent.selectors.notice_version(reference=reference, language=language)
        if reference
        else consent.selectors.current_notice(purpose=purpose, language=language)
    ) or consent.selectors.current_notice(purpose=purpose, language="en")
    if text is None or text.notice_id != purpose:
        raise Http404
    context = {"notice": text, "content": text.content, "applications": application_names()}
    return show(request, visitor, "portal/notice.html", context, section="consent")


@page("consent.decide")
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Withdraw everything: one page that says what happens, one button."""
    offer = _offer(visitor)
    valid = [cell for cell, state in offer.states.items() if state.is_valid]
    if request.method == "POST":
        act = rights.withdraw_all(
            person_subject=visitor.subject,
            actor=visitor.actor,
            language=offer.language,
            form_digest=form.digest(offer.sections, language=offer.language),
        )
        if act is not None:
            return HttpResponseRedirect(f"/consent/done/{act.receipt_id}/")
    context = {
        "valid": valid,
        "applications": application_names(),
        "titles": {section.purpose: section.title for section in offer.sections},
    }
    return show(request, visitor, "portal/withdraw.html", context, section="consent")
