"""The audit log for those who look after it: search by facets, entries, proofs, exports.

Looking is itself an entry: a search, an export and an opened entry are written down before they are
shown. No page here names the person an entry is about; the log does not tell officers.
"""

import base64
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from audit import export, journal, opening, selectors
from audit.actions import Action
from audit.errors import ExportTooLargeError, NotYetSequencedError, UnknownEntryError
from audit.export import Form
from audit.search import SearchPage
from governance.console import logquery
from governance.console.frame import show
from governance.console.logquery import Query, QueryError
from governance.web import failures, wording
from governance.web.doors import Visitor, page
from governance.web.templatetags.words import Bar

SECTION: Final = "log"
PAGE_OF: Final = 40
MOST_DAYS: Final = 60
LEAST_DAYS: Final = 14
VERDICTS: Final[dict[str, str | Promise]] = {
    "allow": _("Allowed"),
    "deny": _("Refused"),
    "n/a": _("Nothing to decide"),
}
# Field of the form -> title and words of its values.
FACETS: Final = {
    "events": (_("Event"), wording.EVENTS),
    "verdicts": (_("Result"), VERDICTS),
    "roles": (_("Who"), wording.ROLES),
    "purposes": (_("Purpose"), wording.PURPOSES),
}
OPEN_VALUES: Final = 7
# Searches that many people make: their name, and what is in their address.
SAVED: Final = (
    (_("Readings of data"), {"events": ["access:allowed", "access:closed"]}),
    (_("Refusals"), {"verdicts": ["deny"]}),
    (
        _("Policy changes"),
        {"events": [str(each) for each in Action if each.startswith("policy:")]},
    ),
    (_("Who read the log"), {"events": ["log:opened", "log:searched"]}),
)
FORMS: Final = (
    (Form.CSV, _("CSV, for a table")),
    (Form.JSONL, _("JSON Lines with proofs")),
    (Form.OCSF, _("OCSF, for a SIEM")),
)


@dataclass(frozen=True, slots=True)
class Value:
    """One box of a facet."""

    key: str
    label: wording.Words
    count: int
    selected: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One group of boxes: the ones shown and the ones folded away."""

    name: str
    title: wording.Words
    values: tuple[Value, ...]
    more: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """One active filter, and the address of the same search without it."""

    label: str
    address: str


@page("log.search")
@require_GET
def explorer(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Search the log; the search is an entry first. One search has one address."""
    try:
        query = logquery.read(request.GET)
    except QueryError as error:
        return _refused(request, visitor, error.words)
    if not logquery.is_canonical(request.GET):
        return HttpResponseRedirect(logquery.address(query.sent))
    _write_down(visitor, query, act="search")
    after = request.GET.get("after")
    found = selectors.search(filters=query.filters, after=after, limit=PAGE_OF)
    here = query.address()
    context = {
        "found": found,
        "log": selectors.log_state(),
        "facets": [_facet(name, found) for name in FACETS if found.facets.get(name)],
        "chips": _chips(query),
        "chart": _days(found),
        "is_cut": len(found.histogram) > 0
        and (found.histogram[-1].day - found.histogram[0].day).days >= MOST_DAYS,
        "sent": request.GET,
        "older": query.address(after=found.next) if found.next else "",
        "is_first": after is None,
        "newest": here,
        "link": f"{settings.REMIT_EXTERNAL_ORIGIN}{request.path}{here.removesuffix('?')}",
        "saved": [_saved(words, values, here) for words, values in SAVED],
        "forms": [(words, query.address(format=form)) for form, words in FORMS],
        "is_exportable": 0 < found.total <= export.MOST_ROWS,
        "most": export.MOST_ROWS,
    }
    return show(request, visitor, "console/log.html", context, section=SECTION)


@page("log.search")
@require_GET
def download(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """Give all rows of a search as a file; that is an entry first, too."""
    try:
        query = logquery.read(request.GET)
        form = Form(request.GET.get("format", ""))
        export.require_bounded(query.filters)
    except QueryError as error:
        return _refused(request, visitor, error.words)
    except ExportTooLargeError:
        words = _("This search finds too many entries for one file. Choose fewer days.")
        return _refused(request, visitor, words)
    except ValueError:
        return _refused(request, visitor, _("There is no such file format."))
    entry = _write_down(visitor, query, act="export", form=form)
    return StreamingHttpResponse(
        export.written(filters=query.filters, form=form),
        content_type=form.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{form.file_name}"',
            "Cache-Control": "no-store",
            "Audit-Entry": entry,
        },
    )


def _refused(request: HttpRequest, visitor: Visitor, words: str | Promise) -> HttpResponse:
    """Say what is wrong with an address, and search nothing."""
    context = {"error": words, "error_title": _("Nothing was searched"), "saved": ()}
    return show(request, visitor, "console/log.html", context, section=SECTION, status=400)


def _write_down(visitor: Visitor, query: Query, *, act: str, form: Form | None = None) -> str:
    names = sorted(name for name in query.sent if query.sent[name] and name != "format")
    entry = journal.append_now(
        Action.LOG_SEARCHED,
        actor=visitor.actor,
        act=act,
        private={"filters": names} | ({"format": form.value} if form else {}),
        request_id=visitor.request_id,
    )
    return entry.header


def _saved(
    words: str | Promise, values: dict[str, list[str]], here: str
) -> tuple[str | Promise, str, bool]:
    address = logquery.address(values)
    return words, address, address == here


def _days(found: SearchPage) -> list[Bar]:
    """Return a bar for every day up to the last one, the empty ones too, at least a fortnight."""
    if not found.histogram:
        return []
    counted = {row.day: row for row in found.histogram}
    last, first = found.histogram[-1].day, found.histogram[0].day
    span = min(max((last - first).days + 1, LEAST_DAYS), MOST_DAYS)
    days = [last - timedelta(days=back) for back in range(span - 1, -1, -1)]
    return [
        Bar(day, counted[day].entries, counted[day].refused) if day in counted else Bar(day, 0, 0)
        for day in days
    ]


def _facet(name: str, found: SearchPage) -> Facet:
    title, table = FACETS[name]
    values = [
        Value(key, wording.words(table, key), count, selected)
        for key, count, selected in found.facets.get(name, [])
    ]
    shown = [value for number, value in enumerate(values) if number < OPEN_VALUES or value.selected]
    return Facet(name, title, tuple(shown), tuple(value for value in values if value not in shown))


def _chips(query: Query) -> list[Chip]:
    chips = [
        Chip(
            f"{title}: {wording.words(table, key)}",
            query.address(without=(name, key)),
        )
        for name, (title, table) in FACETS.items()
        for key in sorted(query.filters.chosen(name))
    ]
    titles = {"text": _("Entry"), "since": _("From"), "until": _("To")}
    return chips + [
        Chip(f"{titles[name]}: {value}", query.address(without=(name, value)))
        for name in logquery.ONCE
        for value in query.sent.get(name, ())
    ]


@page("log.open")
@require_GET
def entry(request: HttpRequest, visitor: Visitor, uuid: UUID) -> HttpResponse:
    """Show one entry as far as this role may know it; opening it is an entry too."""
    try:
        opened = opening.open_entry(uuid=uuid, viewer=visitor.actor, request_id=visitor.request_id)
    except UnknownEntryError as error:
        raise Http404 from error
    context = {
        "entry": opened.shown,
        "opened": opened,
        "details": sorted(opened.shown.details.items()),
        "leaf": json.dumps(json.loads(opened.leaf), indent=2, ensure_ascii=False),
        "leaf_hash": base64.b64encode(opened.shown.leaf_hash).decode("ascii"),
        "log": selectors.log_state(),
        "origin": settings.REMIT_EXTERNAL_ORIGIN,
    }
    response = show(request, visitor, "console/entry.html", context, section=SECTION)
    response.headers["Audit-Entry"] = opened.header
    return response


@page("log.prove")
@require_GET
def proof(request: HttpRequest, visitor: Visitor, uuid: UUID) -> HttpResponse:
    """Hand out the public proof file of an entry; it opens nothing that the entry hides."""
    del visitor
    try:
        content = selectors.proof(uuid=uuid)
    except UnknownEntryError as error:
        raise Http404 from error
    except NotYetSequencedError:
        return failures.explain(request, failures.NOT_READY)
    response = HttpResponse(content, content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="proof-{uuid}.tlog"'
    return response
