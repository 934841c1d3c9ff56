"""The front page: for a signed-in employee what happens to them, for anybody else the way in."""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_GET

import consent.selectors
from audit import selectors as log
from governance.accounts.roles import Role
from governance.portal import monitoring
from governance.portal.accesses import lines_of
from governance.portal.frame import show
from governance.portal.history import decisions_of, erased_at, to_tell
from governance.portal.light import application_names
from governance.portal.offer import TOLD_BEFORE
from governance.portal.receipts import SEEN
from governance.rights import accesses, campaigns
from governance.rights import selectors as rights
from governance.web.doors import public, speak, visitor_of
from governance.web.sessions import home_of, sign_in

LATEST = 3
MOST_READ = 500
PERIOD = timedelta(days=30)
# What others ended stands at the top this long, unless it was looked at or answered anew.
TOLD_FOR = timedelta(days=90)


@public
@require_GET
def front(request: HttpRequest) -> HttpResponse:
    """Send everyone where they belong."""
    visitor = visitor_of(request)
    if visitor is None:
        return sign_in(request)
    speak(visitor)
    if visitor.role is not Role.EMPLOYEE:
        return HttpResponseRedirect(home_of(visitor.role))
    since = timezone.now() - PERIOD
    found = accesses.lines(subject=visitor.subject, limit=MOST_READ)
    lines = [line for line in lines_of(found) if line.access.occurred_at >= since]
    by_others = [line for line in lines if line.kind != "you"]
    decisions = decisions_of(subject=visitor.subject)
    own = [act for act in decisions if act.ending is None and not act.is_put_off]
    standing = consent.selectors.states(subject=visitor.subject).values()
    context = {
        "ended": to_tell(
            decisions,
            standing={state.event_id for state in standing},
            seen=request.session.get(SEEN, ()),
            since=timezone.now() - TOLD_FOR,
        ),
        "people": len([line for line in by_others if line.kind == "person"]),
        "refused": len([line for line in by_others if line.kind == "refused"]),
        "jobs": len([line for line in by_others if line.kind == "program"]),
        "applications": application_names(),
        "asked": campaigns.open_request(subject=visitor.subject),
        "ends_at": _next_end(subject=visitor.subject),
        "notice_waits": monitoring.waits(subject=visitor.subject, now=timezone.now()),
        "latest": by_others[:LATEST],
        "erased_at": erased_at(subject=visitor.subject),
        "last_decision": own[0] if own else None,
        "requests": rights.own_requests(subject=visitor.subject)[:LATEST],
        "log": log.log_state(),
    }
    return show(request, visitor, "portal/overview.html", context, section="overview")


def _next_end(*, subject: str) -> datetime | None:
    """Return when the person's next consent ends by itself, if that is soon.

    They read it here and nowhere else; nothing is sent (R9).
    """
    held = consent.selectors.valid_cells(subject=subject).values()
    ends = [state.valid_until for state in held if state.valid_until is not None]
    return min((end for end in ends if end <= timezone.now() + TOLD_BEFORE), default=None)
