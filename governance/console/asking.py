"""Requests for consent: drafted, asked and ended by the privacy office, read by every office.

No page says whom a request reached, who was left out, or how many.
"""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import consent.selectors
from governance.accounts import selectors as accounts
from governance.console import asking_words
from governance.console.frame import show
from governance.policies import selectors as policies
from governance.rights import campaigns, exemptions, participation
from governance.rights.errors import AskingLimitError, RequestNotFoundError, RightsError
from governance.rights.states import ExemptionReason, Limit
from governance.web.doors import Visitor, page, refuse

if TYPE_CHECKING:
    from governance.rights.models import Campaign

SECTION: Final = "asking"
UNPROCESSABLE: Final = 422
_WHOLE_HOUSE: Final = (Limit.REVIEW_CYCLE, Limit.REDUNDANCIES)
_ONE_PERSON: Final = (Limit.EXEMPTION, Limit.PROBATION, Limit.EMPLOYMENT_BEGAN)


@page("campaign.read")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show requests, windows, and what is published about them: bands alone."""
    return _listing(request, visitor)


def _listing(
    request: HttpRequest, visitor: Visitor, *, error: str = "", status: int = 200
) -> HttpResponse:
    day, exempt = exemptions.published()
    context = {
        "rows": [(each, _state(each)) for each in campaigns.campaigns()],
        "windows": campaigns.windows(),
        "today": timezone.now().date(),
        "names": _purpose_names(),
        "kinds": asking_words.KINDS,
        "whole_house": [(kind.value, asking_words.KINDS[kind.value]) for kind in _WHOLE_HOUSE],
        "one_person": [(kind.value, asking_words.KINDS[kind.value]) for kind in _ONE_PERSON],
        "reasons": asking_words.REASONS,
        "exempt": [
            (asking_words.REASONS[each.reason.value], asking_words.PEOPLE[each.band])
            for each in exempt
        ],
        "exempt_on": day,
        "months": [(each, asking_words.share(each.band)) for each in participation.months()],
        "may_send": visitor.may("campaign.send"),
        "may_limit": visitor.may("campaign.limit"),
        "sent": request.POST,
        "error": error,
    }
    return show(request, visitor, "console/asking.html", context, section=SECTION, status=status)


def _purpose_names() -> Mapping[str, str]:
    return {each.key: each.name for each in policies.purposes()}


def _state(campaign: "Campaign") -> str:
    if hasattr(campaign, "end"):
        return "ended"
    return "open" if campaign.lapses_at > timezone.now() else "lapsed"


@page("campaign.send")
@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show a request before it goes out, as people will find it; ask."""
    if request.method == "GET":
        return _draft(request, visitor, purpose=request.GET.get("purpose", ""))
    purpose = request.POST.get("purpose", "")
    try:
        sent = campaigns.send(
            purpose=purpose, incentive=request.POST.get("incentive", ""), actor=visitor.actor
        )
    except RightsError as error:
        return _draft(request, visitor, purpose=purpose, error=asking_words.refusal(error))
    messages.info(request, _("Whoever may be asked finds the request on their first page now."))
    return HttpResponseRedirect(f"/office/asking/{sent.id}/")


def _draft(
    request: HttpRequest, visitor: Visitor, *, purpose: str, error: str = ""
) -> HttpResponse:
    cells = policies.offered_cells()
    chosen = purpose if purpose in {cell.purpose for cell in cells} else ""
    names = {each.key: each.name for each in policies.applications()}
    shown = _purpose_names()
    context = {
        "offered": [(key, shown.get(key, key)) for key in sorted({cell.purpose for cell in cells})],
        "purpose": chosen,
        "name": shown.get(chosen, chosen),
        "applications": sorted(
            {names.get(cell.application, cell.application) for cell in cells}
            if not chosen
            else {names[cell.application] for cell in cells if cell.purpose == chosen}
        ),
        "notices": _notices(chosen) if chosen else [],
        "lapses_at": timezone.now() + campaigns.LAPSES,
        "shut": [asking_words.KINDS[each.kind] for each in campaigns.shut_by()],
        "error": error,
    }
    status = UNPROCESSABLE if error else 200
    return show(
        request, visitor, "console/asking-draft.html", context, section=SECTION, status=status
    )


def _notices(purpose: str) -> list[object]:
    """Return the notice in force in each language people are asked in."""
    languages = consent.selectors.notice_languages(purpose=purpose)
    found = [
        consent.selectors.current_notice(purpose=purpose, language=language)
        for language in sorted(languages)
    ]
    return [each for each in found if each is not None]


@page("campaign.read")
@require_GET
def detail(request: HttpRequest, visitor: Visitor, campaign_id: UUID) -> HttpResponse:
    """Show what was asked, by whom and when; nothing about whom it reached."""
    return _detail(request, visitor, campaign_id)


def _detail(
    request: HttpRequest, visitor: Visitor, campaign_id: UUID, *, error: str = ""
) -> HttpResponse:
    campaign = campaigns.campaign_of(campaign_id)
    if campaign is None:
        raise Http404
    state = _state(campaign)
    figures = [
        (each, asking_words.share(each.band))
        for each in participation.months()
        if each.purpose == campaign.purpose
    ]
    context = {
        "campaign": campaign,
        "state": state,
        "name": _purpose_names().get(campaign.purpose, campaign.purpose),
        "months": figures,
        "may_end": visitor.may("campaign.end") and state == "open",
        "error": error,
    }
    status = UNPROCESSABLE if error else 200
    return show(request, visitor, "console/campaign.html", context, section=SECTION, status=status)


@page("campaign.end")
@require_POST
def end(request: HttpRequest, visitor: Visitor, campaign_id: UUID) -> HttpResponse:
    """Stop asking."""
    try:
        campaigns.end(campaign_id=campaign_id, actor=visitor.actor)
    except RequestNotFoundError as error:
        raise Http404 from error
    except RightsError as error:
        return _detail(request, visitor, campaign_id, error=asking_words.refusal(error))
    return HttpResponseRedirect(f"/office/asking/{campaign_id}/")


@page("campaign.read")
@require_POST
def limit(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Write down when nobody, or one person, is asked."""
    if not visitor.may("campaign.limit"):
        return refuse(request, visitor, "campaign.limit")
    try:
        campaigns.limit(window=_window(request), actor=visitor.actor)
    except (RightsError, ValueError) as refused:
        error = refused if isinstance(refused, RightsError) else AskingLimitError()
        words = asking_words.refusal(error)
        return _listing(request, visitor, error=words, status=UNPROCESSABLE)
    messages.info(request, _("It is written down."))
    return HttpResponseRedirect("/office/asking/")


def _window(request: HttpRequest) -> campaigns.Window:
    """Return what the form holds; ValueError for a kind or a day that is none."""
    sent = request.POST
    kind = Limit(sent.get("kind", ""))
    starts_on = date.fromisoformat(sent.get("starts_on", ""))
    subject = ""
    if username := sent.get("username", "").strip():
        person = accounts.person_by_username(username)
        if person is None:
            raise AskingLimitError
        subject = person.subject_key
    is_a_day = kind is Limit.EMPLOYMENT_BEGAN
    return campaigns.Window(
        kind,
        starts_on,
        starts_on if is_a_day else date.fromisoformat(sent.get("ends_on", "")),
        subject,
        ExemptionReason(sent.get("reason", "")).value if kind is Limit.EXEMPTION else "",
    )
