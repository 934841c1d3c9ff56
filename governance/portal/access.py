"""Who accessed my data, with proofs that the browser or any other computer can check."""

from collections import Counter
from datetime import timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from audit import selectors as log
from audit.errors import NotYetSequencedError, UnknownEntryError
from governance.portal.accesses import Line, by_day, first_page, lines_of
from governance.portal.frame import show
from governance.portal.history import erased_at
from governance.portal.light import application_names
from governance.rights import accesses
from governance.web import failures
from governance.web.doors import Visitor, page
from governance.web.templatetags.words import Bar

PAGE_OF: Final = 25
MOST_LINES: Final = 100
SUMMARY_DAYS: Final = 30
MOST_READ: Final = 500
LONGEST_CURSOR: Final = 18
WHO: Final = ("others", "person", "program", "refused", "you")


@page("access.read")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List every access to this person's data, newest first."""
    who = request.GET.get("who", "")
    found = accesses.lines(
        subject=visitor.subject, before=_cursor(request.GET.get("before", "")), limit=MOST_READ
    )
    everything = lines_of(found)
    matching = [line for line in everything if _matches(line, who)]
    shown = first_page(matching, items=PAGE_OF, lines=MOST_LINES)
    more = len(matching) > len(shown) or len(found) == MOST_READ
    context = {
        "days": by_day(shown),
        "who": who if who in WHO else "",
        "older": shown[-1].access.seq if shown and more else None,
        "is_first_page": "before" not in request.GET,
        "applications": application_names(),
        "erased_at": erased_at(subject=visitor.subject),
        "log": log.log_state(),
        "origin": settings.REMIT_EXTERNAL_ORIGIN,
        **_summary(everything),
    }
    return show(request, visitor, "portal/access.html", context, section="access")


def _cursor(sent: str) -> int | None:
    usable = sent.isascii() and sent.isdecimal() and len(sent) <= LONGEST_CURSOR
    return int(sent) if usable else None


def _matches(line: Line, who: str) -> bool:
    if who not in WHO:
        return True
    return line.kind != "you" if who == "others" else line.kind == who


def _summary(lines: list[Line]) -> dict[str, object]:
    zone = ZoneInfo(settings.REMIT_DISPLAY_TIME_ZONE)
    today = timezone.now().astimezone(zone).date()
    first = today - timedelta(days=SUMMARY_DAYS - 1)
    recent = [line for line in lines if line.day >= first and line.kind != "you"]
    days = Counter(line.day for line in recent)
    refused = Counter(line.day for line in recent if line.kind == "refused")
    people = [line for line in recent if line.kind == "person"]
    return {
        "chart": [
            Bar(day, days[day], refused[day])
            for day in (first + timedelta(days=number) for number in range(SUMMARY_DAYS))
        ],
        "jobs": sum(1 for line in recent if line.kind == "program"),
        "people": len(people),
        "persons": len({line.access.accessor for line in people}),
        "refused": sum(refused.values()),
    }


@page("access.read")
@require_GET
def proof(request: HttpRequest, visitor: Visitor, entry: UUID) -> HttpResponse:
    """Hand out the proof file of one entry about this person, their own disclosures inside."""
    try:
        content = log.proof(uuid=entry, owner=visitor.subject)
    except UnknownEntryError as error:
        raise Http404 from error
    except NotYetSequencedError:
        return failures.explain(request, failures.NOT_READY)
    response = HttpResponse(content, content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="proof-{entry}.tlog"'
    return response
