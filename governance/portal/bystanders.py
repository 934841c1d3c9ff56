"""You, on somebody else's screen: a public notice (GDPR Art. 14) and a form without an account.

Promise: whatever address is given, the answer is the same page; only who reads its mail goes on.
"""

from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from consent import selectors as consents
from governance.accounts.errors import TooManyAttemptsError
from governance.policies import selectors as policies
from governance.rights import bystanders
from governance.rights.errors import BystanderLinkError, BystanderRequestError, MailAwayError
from governance.web import source, ways_in
from governance.web.doors import public

UNPROCESSABLE: Final = 422
AWAY: Final = 503
OVER: Final = 404


@public
@require_http_methods(["GET", "POST"])
def channel(request: HttpRequest) -> HttpResponse:
    """Tell people what of them may have been recorded, and take their requests in."""
    if request.method == "GET":
        return _page(request)
    address = request.POST.get("address", "")
    try:
        bystanders.ask(
            address=address,
            kind=request.POST.get("kind", ""),
            language=_language(),
            source=source.source_of(request, username=""),
            now=timezone.now(),
        )
    except BystanderRequestError:
        words = _("Give your mail address, and choose what you ask for.")
        return _page(request, error=words, status=UNPROCESSABLE)
    except TooManyAttemptsError as error:
        busy = _page(request, error=ways_in.waiting(error), status=ways_in.TOO_MANY)
        return ways_in.later(busy, error)
    except MailAwayError:
        words = _(
            "No mail can be sent at the moment. Try again later, or write to the office below."
        )
        return _page(request, error=words, status=AWAY)
    return _page(request, is_sent=True)


@public
@require_http_methods(["GET", "POST"])
def link(request: HttpRequest, link: str) -> HttpResponse:
    """Let whoever got the mail confirm the request, and later see where it stands."""
    now = timezone.now()
    try:
        asked = bystanders.follow(link, now=now)
        if request.method == "POST":
            bystanders.confirm(link, now=now)
            return HttpResponseRedirect(request.path)
    except BystanderLinkError:
        return _page(request, error=_("This link is over. Ask again below."), status=OVER)
    standing = bystanders.standing(link)
    if standing is None and now >= asked.at + bystanders.LINK_LASTS:
        return _page(request, error=_("This link is over. Ask again below."), status=OVER)
    context = {"asked": asked, "standing": standing}
    answer = render(request, "portal/bystander-link.html", context)
    # The address bar holds what only its reader may use.
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _language() -> str:
    return (get_language() or "en").partition("-")[0]


def _page(
    request: HttpRequest, *, error: str = "", is_sent: bool = False, status: int = 200
) -> HttpResponse:
    active = policies.active_policies().values()
    purposes = sorted({purpose for policy in active for purpose, _category in policy.cells})
    notices = [
        notice.content
        for purpose in purposes
        if (notice := consents.current_notice(purpose=purpose, language=_language()))
    ]
    named = {row.key: row.name for row in policies.applications()}
    days = [days for row in policies.schedules() for days in row.days.values()]
    context = {
        "applications": sorted(named[policy.application] for policy in active),
        "purposes": [notice["purpose"] for notice in notices],
        "notice": notices[0] if notices else None,
        "longest_days": max(days, default=0),
        "kinds": [kind.value for kind in bystanders.KINDS],
        "longest": bystanders.LONGEST,
        "sent": request.POST,
        "error": error,
        "is_sent": is_sent,
    }
    return render(request, "portal/bystanders.html", context, status=status)
