"""The rows of a search, newest first: those that wait for their place, then by place.

Not by id: the order of ids would tell when somebody decided, which the delay hides. Not by time:
what gets its place late would slip in behind the reader. The tally knows in which places each
combination stands, so a page looks only there, however rare what it looks for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from audit.actions import Action, Verdict
from audit.filters import SearchFilters, during, narrowed, told
from audit.models import Entry, Leaf, Outbox, Tally
from audit.tally import SEGMENT

# Cursors among the entries that wait for their place begin here, above every index.
WAITING: Final = 10**17
_HOUR: Final = 3600
# How many ranges of places one statement asks for.
_MOST_RANGES: Final = 200
_COLUMNS: Final = (
    "entry__uuid",
    "entry__occurred_at",
    "entry__event",
    "entry__verdict",
    "entry__purpose",
    "entry__role",
    "entry__act",
    "entry__count",
    "entry__leaf_hash",
)


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One line of a result, all of it public. `cursor` is where a page after it goes on."""

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
    cursor: int


def rows(
    filters: SearchFilters, *, after: int | None, limit: int, covered: int
) -> list[EntryRow]:
    """Return up to `limit` rows behind the cursor `after`."""
    found: list[EntryRow] = []
    if after is None or after >= WAITING:
        found = _waiting(filters, after, limit)
        after = None
    if len(found) < limit:
        found += _newest(filters, after, limit - len(found), covered)
    bound = covered if after is None else min(after, covered)
    while bound and len(found) < limit:
        ranges, floor = _where(filters, bound, limit - len(found))
        if ranges:
            found += _placed(filters, _within(ranges), limit - len(found))
        bound = floor
    return found


def _waiting(filters: SearchFilters, after: int | None, limit: int) -> list[EntryRow]:
    found = Outbox.objects.filter(told(of="entry__"), _wanted(filters))
    if after is not None:
        found = found.filter(entry_id__lt=after - WAITING)
    selected = found.order_by("-entry_id").values_list("entry_id", *_COLUMNS)[:limit]
    return [_row(None, WAITING + key, *values) for key, *values in selected]


def _newest(
    filters: SearchFilters, after: int | None, limit: int, covered: int
) -> list[EntryRow]:
    """Return rows from the places that the tally has not counted yet."""
    places = Q(index__gte=covered)
    if after is not None:
        places &= Q(index__lt=after)
    return _placed(filters, places, limit)


def _placed(filters: SearchFilters, places: Q, limit: int) -> list[EntryRow]:
    found = Leaf.objects.filter(places, _wanted(filters)).order_by("-index")
    selected = found.values_list("index", *_COLUMNS)[:limit]
    return [_row(index, index, *values) for index, *values in selected]


def _where(
    filters: SearchFilters, bound: int, limit: int
) -> tuple[list[tuple[int, int]], int]:
    """Return the ranges of places below `bound` to look into, and the place they reach down to.

    Every match from that place up to `bound` lies in a range. Each row of the tally below `bound`
    ends at a match, so `limit` rows hold `limit` matches, but for the edges of the time range.
    """
    counted = Tally.objects.filter(narrowed(filters), _hours(filters), span=1)
    limit = min(limit, _MOST_RANGES)
    below = list(
        counted.filter(last__lt=bound).order_by("-last").values_list("first", "last")[: limit + 1]
    )
    floor = below.pop()[1] + 1 if len(below) > limit else 0
    across = counted.filter(segment=(bound - 1) // SEGMENT, last__gte=bound, first__lt=bound)
    found = [*below, *across.values_list("first", "last")]
    return _merged((max(first, floor), min(last, bound - 1)) for first, last in found), floor


def _hours(filters: SearchFilters) -> Q:
    wanted = Q()
    if filters.since is not None:
        wanted &= Q(hour__gte=int(filters.since.timestamp() // _HOUR))
    if filters.until is not None:
        wanted &= Q(hour__lt=-int(-filters.until.timestamp() // _HOUR))
    return wanted


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        elif first <= last:
            merged.append((first, last))
    return merged


def _within(ranges: list[tuple[int, int]]) -> Q:
    wanted = Q(index__in=[first for first, last in ranges if first == last])
    for first, last in ranges:
        if first != last:
            wanted |= Q(index__gte=first, index__lte=last)
    return wanted


def _wanted(filters: SearchFilters) -> Q:
    return narrowed(filters, of="entry__") & during(filters.since, filters.until, of="entry__")


def row_of(entry: Entry) -> EntryRow:
    """Return the row of one entry."""
    place = getattr(entry, "place", None)
    index = place.index if place else None
    values = [getattr(entry, column.removeprefix("entry__")) for column in _COLUMNS]
    return _row(index, WAITING + entry.pk if index is None else index, *values)


def _row(index: int | None, cursor: int, *values: Any) -> EntryRow:  # noqa: ANN401 - columns.
    uuid, at, event, verdict, purpose, role, act, count, leaf_hash = values
    return EntryRow(
        uuid=uuid,
        index=index,
        occurred_at=at,
        event=Action(event),
        verdict=Verdict(verdict),
        purpose=purpose,
        role=role,
        act=act,
        count=count,
        leaf_hash=bytes(leaf_hash),
        cursor=cursor,
    )
