"""Searching the log by what stands in clear: facets, counts, days, pages.

Promises: a search sees only the query columns that the database generates from the leaves, so it
finds what was signed, and nothing in it names a person; a shy act appears where and when the tree
has it, not when it was done. That a search is itself an entry is the
caller's duty (`log:searched`), because only the caller knows who asks.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate

from audit.actions import SHY, Action, Verdict
from audit.models import Entry

# Filter field -> query column; each is a facet.
_FACETS: Final = {
    "events": "event",
    "verdicts": "verdict",
    "purposes": "purpose",
    "roles": "role",
}
_MOST_VALUES: Final = 50
_HASH_BYTES: Final = 32
_HASH_DIGITS: Final = 64
_LONGEST_INDEX: Final = 18
# Cursors among the entries that wait for their place begin here, above every index.
_WAITING: Final = 10**17


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFilters:
    """What to look for; empty means all. `since` is included, `until` is not.

    `text` is an entry's id, its index, or its leaf hash in hex or base64; anything else finds
    nothing.
    """

    events: frozenset[str] = frozenset()
    verdicts: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One line of a result, all of it public."""

    uuid: UUID
    index: int | None
    occurred_at: datetime
    event: Action
    verdict: Verdict
    purpose: str
    role: str
    act: str
    count: int | None
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page, newest first. `facets` maps filter name to (value, count, selected).

    A facet counts what there would be if its own filter were open; `next` continues the page.
    """

    entries: list[EntryRow]
    facets: Mapping[str, list[tuple[str, int, bool]]]
    histogram: list[tuple[date, int]]
    total: int
    next: str | None


def search(*, filters: SearchFilters, after: str | None = None, limit: int = 50) -> SearchPage:
    """Return one page. `after` is the `next` of the page before; anything else starts anew."""
    found = _matching(filters)
    page = _rows(found.select_related("place"), after=_cursor(after), limit=limit + 1)
    return SearchPage(
        entries=[_row(entry) for entry in page[:limit]],
        facets={name: _facet(filters, name, column) for name, column in _FACETS.items()},
        histogram=[
            (row["day"], row["entries"])
            for row in found.annotate(day=TruncDate("occurred_at"))
            .values("day")
            .annotate(entries=Count("id"))
            .order_by("day")
        ],
        total=found.count(),
        next=_next(page[limit - 1]) if len(page) > limit else None,
    )


def _rows(found: QuerySet[Entry], *, after: int | None, limit: int) -> list[Entry]:
    """Return the newest rows: those that wait for their place first, then by place.

    Not by id: the order of ids would tell when somebody decided, which the delay hides.
    """
    rows: list[Entry] = []
    if after is None or after >= _WAITING:
        waiting = found.filter(place=None).order_by("-id")
        if after is not None:
            waiting = waiting.filter(id__lt=after - _WAITING)
        rows = list(waiting[:limit])
    placed = found.filter(place__isnull=False).order_by("-place__index")
    if after is not None and after < _WAITING:
        placed = placed.filter(place__index__lt=after)
    return rows + list(placed[: limit - len(rows)])


def _next(entry: Entry) -> str:
    place = getattr(entry, "place", None)
    return str(place.index if place else _WAITING + entry.pk)


def _cursor(after: str | None) -> int | None:
    if after is None or not (after.isascii() and after.isdigit()):
        return None
    return int(after[:_LONGEST_INDEX])


def _matching(filters: SearchFilters, *, leaving_open: str | None = None) -> QuerySet[Entry]:
    # A shy act shows once it has its delayed place: counted at once, it would tell the moment.
    wanted = Q(place__isnull=False) | ~Q(event__in=SHY)
    for name, column in _FACETS.items():
        if name != leaving_open and (chosen := getattr(filters, name)):
            wanted &= Q(**{f"{column}__in": sorted(chosen)})
    if filters.since is not None:
        wanted &= Q(occurred_at__gte=filters.since)
    if filters.until is not None:
        wanted &= Q(occurred_at__lt=filters.until)
    if filters.text.strip():
        wanted &= _named(filters.text.strip())
    return Entry.objects.filter(wanted)


def _facet(filters: SearchFilters, name: str, column: str) -> list[tuple[str, int, bool]]:
    chosen: frozenset[str] = getattr(filters, name)
    others = _matching(filters, leaving_open=name)
    counted = dict(
        others.values_list(column)
        .annotate(entries=Count("id"))
        .exclude(**{column: ""})
        .order_by("-entries", column)[:_MOST_VALUES]
    )
    # A chosen value that finds nothing stays visible, so that it can be let go.
    for value in sorted(chosen - counted.keys()):
        counted[value] = 0
    return [(value, entries, value in chosen) for value, entries in counted.items()]


def _named(text: str) -> Q:
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_INDEX:
        return Q(place__index=int(text))
    try:
        return Q(uuid=UUID(text))
    except ValueError:
        pass
    hashed = _hash(text)
    return Q(leaf_hash=hashed) if hashed else Q(pk__in=[])


def _hash(text: str) -> bytes | None:
    try:
        found = (
            bytes.fromhex(text)
            if len(text) == _HASH_DIGITS
            else base64.b64decode(text, validate=True)
        )
    except (ValueError, binascii.Error):
        return None
    return found if len(found) == _HASH_BYTES else None


def _row(entry: Entry) -> EntryRow:
    place = getattr(entry, "place", None)
    return EntryRow(
        uuid=entry.uuid,
        index=place.index if place else None,
        occurred_at=entry.occurred_at,
        event=Action(entry.event),
        verdict=Verdict(entry.verdict),
        purpose=entry.purpose,
        role=entry.role,
        act=entry.act,
        count=entry.count,
        leaf_hash=bytes(entry.leaf_hash),
    )
