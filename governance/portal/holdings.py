"""My data: what is stored, one record as it is stored, deleting one or the last minutes.

Every listing and every opening goes through the gate like anybody else's, and is an entry.
"""

from datetime import date
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.capture import gate, selectors
from governance.policies.categories import offered_categories
from governance.portal import records
from governance.portal.frame import show
from governance.portal.light import application_names
from governance.portal.offer import purpose_titles
from governance.rights import services as rights
from governance.web.doors import Visitor, page

OWN_ACCESS: Final = "own-access"
PAGE_OF: Final = 50
MOST_LINES: Final = 200
MINUTES: Final = (10, 15, 30, 60)


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


@page("capture.list")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List what is stored, newest first, filtered by application, category and day."""
    names = application_names()
    asked = request.GET
    application = asked.get("application", "")
    category = asked.get("category", "")
    filters = gate.FrameFilter(
        subject=visitor.subject,
        application=application if application in names else None,
        category=category if category in set(offered_categories()) else None,
        day=_day(asked.get("day", "")),
        before=_uuid(asked.get("before", "")),
        limit=PAGE_OF + 1,
    )
    found = gate.list_frames(
        actor=visitor.actor, purpose=OWN_ACCESS, filters=filters, request_id=visitor.request_id
    )
    zone = ZoneInfo(settings.REMIT_DISPLAY_TIME_ZONE)
    shown = [
        {"frame": frame, "day": frame.hour.astimezone(zone).date()} for frame in found[:PAGE_OF]
    ]
    kept = asked.copy()
    kept.pop("before", None)
    context = {
        "records": shown,
        "older": found[PAGE_OF - 1].id if len(found) > PAGE_OF else None,
        "kept_query": kept.urlencode(),
        "applications": names,
        "categories": offered_categories(),
        "filters": filters,
        "minutes": MINUTES,
        "queued": selectors.queued(subject=visitor.subject),
    }
    return show(request, visitor, "portal/data.html", context, section="data")


# The pictures of a record stand in its page itself: each address of its own would be one more
# reading of the record, with its own entry.
@csp_update({"img-src": ["data:"]})
@page("capture.view")
@require_GET
def record(request: HttpRequest, visitor: Visitor, frame_id: UUID) -> HttpResponse:
    """Show one record as it is stored, after the personal details were removed."""
    with gate.open_own(
        actor=visitor.actor, frame=frame_id, request_id=visitor.request_id
    ) as opened:
        frame = opened.frame
        reading = records.read(opened.events, most=MOST_LINES)
    removed = selectors.removed_counts(subject=visitor.subject, batches=[frame.batch_id])
    context = {
        "frame": frame,
        "reading": reading,
        "removed": sorted(removed.get(frame.batch_id, {}).items()),
        "applications": application_names(),
        "purposes": purpose_titles(),
    }
    return show(request, visitor, "portal/record.html", context, section="data")


@page("capture.delete")
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, visitor: Visitor, frame_id: UUID) -> HttpResponse:
    """Ask once, then delete one record for good."""
    if request.method == "GET":
        return show(request, visitor, "portal/delete.html", {"frame_id": frame_id}, section="data")
    rights.delete_capture(subject=visitor.subject, frames=[frame_id], actor=visitor.actor)
    messages.info(request, _("The record is deleted. Its key is destroyed; nobody can read it."))
    return HttpResponseRedirect("/data/")


@page("capture.view")
@require_POST
def miss(request: HttpRequest, visitor: Visitor, frame_id: UUID) -> HttpResponse:
    """Take a report of what redaction missed, and have it redacted again wherever it stands."""
    rights.report_miss(
        subject=visitor.subject,
        frame=frame_id,
        text=request.POST.get("text", ""),
        actor=visitor.actor,
    )
    messages.info(
        request,
        _(
            "The report is taken. Every record that holds it is redacted again;"
            " this takes some minutes."
        ),
    )
    return HttpResponseRedirect("/data/")


@page("capture.forget")
@require_POST
def forget(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Delete what was captured in the last minutes."""
    sent = request.POST.get("minutes", "")
    minutes = int(sent) if sent in {str(known) for known in MINUTES} else MINUTES[0]
    done = rights.forget(subject=visitor.subject, last_minutes=minutes, actor=visitor.actor)
    messages.info(
        request,
        ngettext(
            "The last minutes are forgotten: %(count)d record deleted.",
            "The last minutes are forgotten: %(count)d records deleted.",
            done.frames,
        )
        % {"count": done.frames},
    )
    return HttpResponseRedirect("/data/")
