"""My consent: the matrix, the check before it counts, withdrawing everything.

Three requests to allow and three to refuse: choose, review, save. Withdrawing everything is one
page and one button. A choice is saved only under the form it was made on, and only
as the review showed it: when something moved meanwhile, the page says so and keeps the ticks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consent.services import DecisionAct
from consent.status import VALID
from governance.policies.categories import offered_categories
from governance.policies.purposes import PROHIBITED
from governance.portal import draft as drafts
from governance.portal import grouping, reviewed, sheet
from governance.portal.draft import Draft
from governance.portal.frame import GPC, may_solicit, show
from governance.portal.history import decisions_of, erased_at
from governance.portal.light import application_names
from governance.portal.offer import Offer, offer_to
from governance.rights import services as rights
from governance.rights.choosing import needs_proof
from governance.rights.errors import DecidedMeanwhileError
from governance.web import freshness
from governance.web.doors import Visitor, page

CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
HERE: Final = "/consent/"
REVIEW: Final = "/consent/review/"


@dataclass(frozen=True, slots=True)
class Remarks:
    """What the page says above the form: what is missing, what is different, with which status.

    `is_spent`: there was nothing left to save, mostly because it was saved a moment ago.
    """

    errors: Mapping[str, str] = field(default_factory=dict)
    differences: Sequence[str] = ()
    is_spent: bool = False
    status: int = 200


def _offer(visitor: Visitor) -> Offer:
    return offer_to(subject=visitor.subject, language=get_language() or visitor.language)


@page("consent.read")
@require_GET
def matrix(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show what may be decided, what was, and what is chosen but not saved."""
    offer = _offer(visitor)
    held = drafts.held(request.session)
    if held is not None and held.language == offer.language and drafts.is_stale(held, offer):
        return _changed(request, visitor, offer, held)
    return _matrix(request, visitor, offer, held or drafts.saved(offer))


def _matrix(
    request: HttpRequest,
    visitor: Visitor,
    offer: Offer,
    draft: Draft,
    remarks: Remarks = Remarks(),
) -> HttpResponse:
    names = application_names()
    search = request.GET.get("find", "") if request.method == "GET" else ""
    now = drafts.of(offer)
    decisions = decisions_of(subject=visitor.subject)
    context = {
        "offer": offer,
        "sheet": sheet.lay_out(offer, draft, search=search),
        "digest": now.digest,
        "policies": " ".join(sorted(now.policies.values())),
        "categories": offered_categories(),
        "errors": remarks.errors,
        "differences": remarks.differences,
        "is_spent": remarks.is_spent,
        "used_applications": len({cell.application for cell in offer.covered}),
        "all_applications": len(names),
        "applications": names,
        "used_purposes": len({cell.purpose for cell in offer.covered}),
        "answers": draft.answers,
        "again": draft.again,
        "ending": _first_ends(offer),
        "pending": len(drafts.changes(draft, offer)) if draft != drafts.saved(offer) else 0,
        "decisions": decisions,
        "changed": next((act for act in decisions if not act.is_put_off), None),
        "erased_at": erased_at(subject=visitor.subject),
        "prohibited": PROHIBITED,
    }
    return show(
        request,
        visitor,
        "portal/consent.html",
        context,
        section="consent",
        status=remarks.status,
    )


def _first_ends(offer: Offer) -> dict[str, datetime]:
    """Return, by purpose, when the first of its consents ends by itself, where that is soon."""
    return {
        cell.purpose: end
        for cell, end in sorted(offer.ending.items(), key=lambda one: one[1], reverse=True)
    }


def _changed(request: HttpRequest, visitor: Visitor, offer: Offer, draft: Draft) -> HttpResponse:
    """Show the form of now, what is different from the one filled in, and keep its ticks."""
    drafts.keep(request.session, replace(draft, language=offer.language, shown=drafts.of(offer)))
    return _different(request, visitor, offer, draft)


def _different(request: HttpRequest, visitor: Visitor, offer: Offer, draft: Draft) -> HttpResponse:
    """Show the form of now with the draft's ticks, and in words what moved; keep nothing."""
    if drafts.is_stale(draft, offer):
        different = drafts.differences(draft, offer, names=application_names())
    else:
        different = [
            _(
                "What would be saved is not what you were shown: your answers changed meanwhile, "
                "or the form was filled in once more in another window."
            )
        ]
    remarks = Remarks(differences=different, status=CONFLICT)
    return _matrix(request, visitor, offer, draft, remarks)


@page("consent.decide")
@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Take the choice, then show was and will be before anything is written."""
    if request.method == "POST":
        return _take(request, visitor)
    draft = drafts.held(request.session)
    if draft is None:
        return HttpResponseRedirect(HERE)
    offer = _offer(visitor)
    if draft.language != offer.language:  # To be read in the other language first.
        return HttpResponseRedirect(HERE)
    if drafts.is_stale(draft, offer):
        return _changed(request, visitor, offer, draft)
    changes = drafts.changes(draft, offer)
    context = {
        "changes": changes,
        "reviewed": reviewed.name(visitor.subject, changes, offer),
        "groups": grouping.of_changes(changes),
        "applications": application_names(),
        "titles": {section.purpose: section.title for section in offer.sections},
        "given": [change for change in changes if change.will in VALID],
        "never_allowed": offer.was_never_allowed,
        "ended": [change for change in changes if change.was in VALID and change.will not in VALID],
    }
    return show(request, visitor, "portal/review.html", context, section="consent")


def _take(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Read the form and do what its button says; nothing here writes a decision."""
    act, __, what = request.POST.get("do", "review").partition(" ")
    if act == "restart":
        drafts.drop(request.session)
        return HttpResponseRedirect(HERE)
    offer = _offer(visitor)
    before = drafts.held(request.session) or drafts.saved(offer)
    draft = drafts.merged(before, request.POST, offer)
    if drafts.is_stale(draft, offer):
        return _changed(request, visitor, offer, draft)
    search = " ".join(request.POST.get("find", "").split())
    if act == "copy":
        draft, place = _copied(request, draft, offer, what)
        drafts.keep(request.session, draft)
        return HttpResponseRedirect(_back(search, place))
    if act == "find" or (act == "enter" and search != request.POST.get("found", "")):
        drafts.keep(request.session, draft)
        return HttpResponseRedirect(_back("" if what == "all" else search, "find-applications"))
    return _to_review(request, visitor, draft, offer)


def _copied(request: HttpRequest, draft: Draft, offer: Offer, what: str) -> tuple[Draft, str]:
    """Return the draft after one copy of ticks, and the purpose it was made in."""
    target, __, source = what.partition(" ")
    if source:
        return drafts.copied(draft, offer, source=source, target=target), target
    return (
        drafts.copied_row(
            draft,
            offer,
            purpose=target,
            source=request.POST.get(f"like.{target}", ""),
            target=request.POST.get(f"row.{target}", ""),
        ),
        target,
    )


def _back(search: str, place: str) -> str:
    query = f"?{urlencode({'find': search})}" if search else ""
    return f"{HERE}{query}#{place}"


def _to_review(request: HttpRequest, visitor: Visitor, draft: Draft, offer: Offer) -> HttpResponse:
    errors = drafts.mistakes(draft, offer)
    if errors:
        remarks = Remarks(errors=errors, status=UNPROCESSABLE)
        return _matrix(request, visitor, offer, draft, remarks)
    drafts.keep(request.session, draft)
    return HttpResponseRedirect(REVIEW)


@page("consent.decide")
@require_POST
def save(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Write the decision; one entry, one receipt, and then the receipt's own page."""
    if request.POST.get("do") == "back":
        return HttpResponseRedirect(HERE)
    draft = drafts.held(request.session)
    offer = _offer(visitor)
    claimed = request.POST.get("reviewed", "")
    if draft is None or not reviewed.is_still(
        claimed, subject=visitor.subject, draft=draft, offer=offer
    ):
        return _unsaved(request, visitor, draft, offer)
    answers = reviewed.answers(draft, offer, signal="" if may_solicit(request) else GPC)
    if needs_proof(answer.status for answer in answers) and not freshness.is_fresh(request):
        return freshness.ask(REVIEW)
    act = _decide(visitor, draft, answers)
    if act is None:
        return _unsaved(request, visitor, draft, _offer(visitor))
    drafts.drop(request.session)
    return HttpResponseRedirect(f"/consent/done/{act.receipt_id}/")


def _unsaved(
    request: HttpRequest, visitor: Visitor, draft: Draft | None, offer: Offer
) -> HttpResponse:
    """Say why nothing was saved. The draft stays as it is: the same request is refused again."""
    if draft is None or not (drafts.is_stale(draft, offer) or drafts.changes(draft, offer)):
        return _spent(request, visitor, offer)
    if draft.language != offer.language:  # To be read in the other language first.
        return HttpResponseRedirect(HERE)
    return _different(request, visitor, offer, draft)


def _decide(visitor: Visitor, draft: Draft, answers: Sequence[rights.Answer]) -> DecisionAct | None:
    """Write what changes; None when something of it was answered while this was on its way."""
    try:
        act = rights.choose(
            person_subject=visitor.subject,
            choices=answers,
            actor=visitor.actor,
            language=draft.language,
            form_digest=draft.shown.digest,
        )
    except DecidedMeanwhileError:
        return None
    return act if act.events else None


def _spent(request: HttpRequest, visitor: Visitor, offer: Offer) -> HttpResponse:
    """Say that nothing was left to save: the same answers sent twice are one decision."""
    drafts.drop(request.session)
    remarks = Remarks(is_spent=True, status=CONFLICT)
    return _matrix(request, visitor, offer, drafts.saved(offer), remarks)


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
            form_digest=offer.digest,
        )
        drafts.drop(request.session)
        if act is not None:
            return HttpResponseRedirect(f"/consent/done/{act.receipt_id}/")
    context = {
        "valid": valid,
        "applications": application_names(),
        "titles": {section.purpose: section.title for section in offer.sections},
    }
    return show(request, visitor, "portal/withdraw.html", context, section="consent")
