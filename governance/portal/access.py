"""Who accessed my data, with proofs that the browser or any other computer can check."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from audit import own
from audit import selectors as log
from audit.errors import NotYetSequencedError, UnknownEntryError
from governance.portal.access_filter import AccessFilter, purposes
from governance.portal.accesses import Line, by_day, first_page, lines_of
from governance.portal.frame import show
from governance.portal.history import erased_at
from governance.portal.light import application_names
from governance.rights import accesses, takeaway
from governance.rights.accesses import AccessLine
from governance.web import checking, failures
from governance.web.doors import Visitor, page
from governance.web.templatetags.words import Bar

PAGE_OF: Final = 25
MOST_LINES: Final = 100
SUMMARY_DAYS: Final = 30
MOST_READ: Final = 500
PROOFS_OF: Final = 250
UNPROCESSABLE: Final = 422


@page("access.read")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List every access to this person's data, newest first."""
    asked = AccessFilter.of(request.GET)
    found = accesses.lines(subject=visitor.subject, before=asked.before, limit=MOST_READ)
    everything = lines_of(found)
    matching = [line for line in everything if asked.matches(line)]
    shown = first_page(matching, items=PAGE_OF, lines=MOST_LINES)
    state = log.log_state()
    context = {
        "days": by_day(shown),
        "asked": asked,
        "purposes": purposes(everything),
        "older": _older(asked, found, matching, shown),
        "applications": application_names(),
        "erased_at": erased_at(subject=visitor.subject),
        "log": state,
        "witnessed_at": max(filter(None, (at for _name, at in state.witnesses)), default=None),
        "origin": settings.REMIT_EXTERNAL_ORIGIN,
        "texts": checking.texts(),
        **_summary(everything),
    }
    return show(request, visitor, "portal/access.html", context, section="access")


def _older(
    asked: AccessFilter, found: Sequence[AccessLine], matching: list[Line], shown: list[Line]
) -> str:
    """Return the query of the next page; nothing when the list ends here."""
    if len(matching) > len(shown):
        last = shown[-1].access.seq
    else:
        last = found[-1].seq if len(found) == MOST_READ else None
    return asked.address(before=last) if last else ""


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


@page("access.read")
@require_GET
def proofs(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Hand out proofs of all entries about this person, newest first, page by page.

    All, not only accesses: by the numbers inside them the browser sees whether one is missing.
    """
    found = own.proofs_of(
        subject=visitor.subject, before=AccessFilter.of(request.GET).before, limit=PROOFS_OF
    )
    return JsonResponse(found.document())


@page("access.export")
@require_http_methods(["GET", "POST"])
def key(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Explain the log key, then hand it over; handing it over is an entry."""
    erased = erased_at(subject=visitor.subject)
    if request.method == "POST" and request.POST.get("sure") == "yes":
        taken = takeaway.take(
            subject=visitor.subject, actor=visitor.actor, request_id=visitor.request_id
        )
        content = takeaway.archive(taken, subject=visitor.subject)
        response = HttpResponse(content, content_type="application/zip")
        response.headers["Content-Disposition"] = 'attachment; filename="my-log-key.zip"'
        response.headers["Audit-Entry"] = taken.entry.header
        return response
    wrong = request.method == "POST"
    context = {
        "origin": settings.REMIT_EXTERNAL_ORIGIN,
        "erased_at": erased,
        "error": _("Tick the box first: whoever has the file can find your entries.")
        if wrong
        else "",
    }
    status = UNPROCESSABLE if wrong else 200
    return show(request, visitor, "portal/log-key.html", context, section="access", status=status)
