"""The audit log for those who look after it: search by facets, entries, proofs.

Looking is itself an entry: a search and an opened entry are written down before they are shown.
No page here names the person an entry is about; the log does not tell officers.
"""

import base64
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from audit import journal, selectors
from audit.actions import Action, Verdict
from audit.errors import NotYetSequencedError, UnknownEntryError
from audit.search import SearchFilters, SearchPage
from governance.console.frame import show
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
    """Search the log; the search is an entry first."""
    filters = read_filters(request.GET)
    journal.append_now(
        Action.LOG_SEARCHED,
        actor=visitor.actor,
        act="search",
        private={"filters": sorted(name for name in request.GET if request.GET[name])},
        request_id=visitor.request_id,
    )
    found = selectors.search(filters=filters, after=request.GET.get("after"), limit=PAGE_OF)
    refused = _refused_days(filters)
    context = {
        "found": found,
        "log": selectors.log_state(),
        "facets": [_facet(name, found) for name in FACETS],
        "chips": _chips(request.GET, filters),
        "chart": _days(found, refused),
        "sent": request.GET,
        "older": _without(request.GET, "after", found.next),
        "is_first": "after" not in request.GET,
        "newest": _without(request.GET, "after"),
    }
    return show(request, visitor, "console/log.html", context, section=SECTION)


def read_filters(sent: QueryDict) -> SearchFilters:
    """Return the search that an address holds; what cannot be read is left out."""
    return SearchFilters(
        events=frozenset(sent.getlist("events")) & set(Action),
        verdicts=frozenset(sent.getlist("verdicts")) & set(Verdict),
        purposes=frozenset(sent.getlist("purposes")),
        roles=frozenset(sent.getlist("roles")),
        since=_day(sent.get("since", "")),
        until=_day(sent.get("until", ""), later=1),
        text=sent.get("text", "")[:100],
    )


def _day(sent: str, *, later: int = 0) -> datetime | None:
    """Return the start of a day, or of one `later`; None for what no calendar here holds."""
    zone = ZoneInfo(settings.REMIT_DISPLAY_TIME_ZONE)
    try:
        found = date.fromisoformat(sent) + timedelta(days=later)
        # In UTC, as the database compares: the calendar's first day began before it there.
        return datetime.combine(found, time(), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _days(found: SearchPage, refused: dict[date, int]) -> list[Bar]:
    """Return a bar for every day up to the last one, the empty ones too, at least a fortnight."""
    if not found.histogram:
        return []
    counted = dict(found.histogram)
    last, first = found.histogram[-1][0], found.histogram[0][0]
    span = min(max((last - first).days + 1, LEAST_DAYS), MOST_DAYS)
    days = [last - timedelta(days=back) for back in range(span - 1, -1, -1)]
    return [Bar(day, counted.get(day, 0), refused.get(day, 0)) for day in days]


def _refused_days(filters: SearchFilters) -> dict[date, int]:
    """Return the refusals per day within the same search."""
    if filters.verdicts and Verdict.DENY not in filters.verdicts:
        return {}
    narrowed = SearchFilters(
        events=filters.events,
        verdicts=frozenset({Verdict.DENY}),
        purposes=filters.purposes,
        roles=filters.roles,
        since=filters.since,
        until=filters.until,
        text=filters.text,
    )
    return dict(selectors.search(filters=narrowed, limit=1).histogram)


def _facet(name: str, found: SearchPage) -> Facet:
    title, table = FACETS[name]
    values = [
        Value(key, wording.words(table, key), count, selected)
        for key, count, selected in found.facets.get(name, [])
    ]
    shown = [value for number, value in enumerate(values) if number < OPEN_VALUES or value.selected]
    return Facet(name, title, tuple(shown), tuple(value for value in values if value not in shown))


def _chips(sent: QueryDict, filters: SearchFilters) -> list[Chip]:
    chips = []
    for name, (title, table) in FACETS.items():
        for key in sorted(getattr(filters, name)):
            left = sent.copy()
            left.pop("after", None)
            left.setlist(name, [value for value in sent.getlist(name) if value != key])
            chips.append(Chip(f"{title}: {wording.words(table, key)}", f"?{left.urlencode()}"))
    chips += [
        Chip(str(sent[name]), _without(sent, name))
        for name in ("text", "since", "until")
        if sent.get(name)
    ]
    return chips


def _without(sent: QueryDict, name: str, value: str | None = None) -> str:
    """Return the address of the same search with one field set anew, or left out."""
    left = sent.copy()
    left.pop("after", None)
    left.pop(name, None)
    if value is not None:
        left[name] = value
    return f"?{left.urlencode()}"


@page("log.open")
@require_GET
def entry(request: HttpRequest, visitor: Visitor, uuid: UUID) -> HttpResponse:
    """Show one entry as far as this role may know it; opening it is an entry too."""
    try:
        found = selectors.open_entry(uuid=uuid, viewer_role=visitor.role)
    except UnknownEntryError as error:
        raise Http404 from error
    journal.append_now(
        Action.LOG_OPENED,
        actor=visitor.actor,
        act="open",
        private={"opened": str(uuid)},
        request_id=visitor.request_id,
    )
    details = {name: value for name, value in found.details.items() if name != "actor"}
    context = {
        "entry": found,
        "details": sorted(details.items()),
        "leaf_hash": base64.b64encode(found.leaf_hash).decode("ascii"),
        "log": selectors.log_state(),
        "origin": settings.REMIT_EXTERNAL_ORIGIN,
    }
    return show(request, visitor, "console/entry.html", context, section=SECTION)


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
