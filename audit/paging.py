"""The rows of a search, newest first: those that wait for their place, then by place.

Not by id: the order of ids would tell when somebody decided, which the delay hides. Not by time:
what gets its place late would slip in behind the reader. The tally knows in which places each
combination stands, so a page looks only there, however rare what it looks for.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, Sum

from audit.actions import Action, Verdict
from audit.filters import SearchFilters, during, narrowed, told
from audit.models import Entry, Leaf, Outbox, Tally
from audit.tally import SEGMENT

# Cursors among the entries that wait for their place begin here, above every index.
WAITING: Final = 10**17
_HOUR: Final = 3600
_DAY: Final = 24
_MOST_SEGMENTS: Final = 64
# How many places one statement looks at: few when matches are frequent, and never too many.
_FEWEST_PLACES: Final = 128
_MOST_PLACES: Final = 2048
_CLOSE: Final = 4
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


def rows(filters: SearchFilters, *, after: int | None, limit: int, covered: int) -> list[EntryRow]:
    """Return up to `limit` rows behind the cursor `after`."""
    found: list[EntryRow] = []
    if after is None or after >= WAITING:
        found = _waiting(filters, after, limit)
        after = None
    if len(found) < limit:
        found += _newest(filters, after, limit - len(found), covered)
    bound = covered if after is None else min(after, covered)
    while bound and len(found) < limit:
        segments, floor = _segments(filters, bound, limit - len(found))
        ranges = _ranges(filters, segments, bound)
        found += _within(ranges, filters, limit - len(found))
        bound = floor
    return found


def _waiting(filters: SearchFilters, after: int | None, limit: int) -> list[EntryRow]:
    found = Outbox.objects.filter(told(of="entry__"), _wanted(filters))
    if after is not None:
        found = found.filter(entry_id__lt=after - WAITING)
    selected = found.order_by("-entry_id").values_list("entry_id", *_COLUMNS)[:limit]
    return [_row(None, WAITING + key, *values) for key, *values in selected]


def _newest(filters: SearchFilters, after: int | None, limit: int, covered: int) -> list[EntryRow]:
    """Return rows from the places that the tally has not counted yet."""
    places = Q(index__gte=covered)
    if after is not None:
        places &= Q(index__lt=after)
    return _placed(filters, places, limit)


def _placed(filters: SearchFilters, places: Q, limit: int) -> list[EntryRow]:
    found = Leaf.objects.filter(places, _wanted(filters)).order_by("-index")
    selected = found.values_list("index", *_COLUMNS)[:limit]
    return [_row(index, index, *values) for index, *values in selected]


def _segments(filters: SearchFilters, bound: int, limit: int) -> tuple[list[int], int]:
    """Return the newest segments below `bound` that hold `limit` matches, and where they end.

    There may be fewer in them after all, by what lies beyond `bound` and outside the time range.
    """
    days = Tally.objects.filter(narrowed(filters), _hours(filters, _DAY), span=_DAY)
    days = days.filter(segment__lte=(bound - 1) // SEGMENT)
    chosen: list[int] = []
    entries = 0
    counted = days.values_list("segment").annotate(total=Sum("entries")).order_by("-segment")
    for segment, total in counted[:_MOST_SEGMENTS]:
        chosen.append(segment)
        entries += total
        if entries >= limit:
            break
    # With segments left or not: the next ones are looked for below.
    return chosen, chosen[-1] * SEGMENT if chosen else 0


def _ranges(filters: SearchFilters, segments: list[int], bound: int) -> list[range]:
    """Return the ranges of places below `bound` that hold every match in the segments."""
    hours = Tally.objects.filter(narrowed(filters), _hours(filters, 1), span=1)
    merged: list[range] = []
    inside = hours.filter(segment__in=segments, first__lt=bound).order_by("first")
    for first, last in inside.values_list("first", "last"):
        end = min(last + 1, bound)
        if merged and first <= merged[-1].stop:
            merged[-1] = range(merged[-1].start, max(end, merged[-1].stop))
        else:
            merged.append(range(first, end))
    return merged


def _within(ranges: list[range], filters: SearchFilters, limit: int) -> list[EntryRow]:
    """Return the newest rows in the ranges, looking at few places first, then at more."""
    found: list[EntryRow] = []
    places = [place for each in reversed(ranges) for place in reversed(each)]
    at, step = 0, _FEWEST_PLACES
    while at < len(places) and len(found) < limit:
        looked = places[at : at + step]
        found += _placed(filters, _these(looked), limit - len(found))
        at, step = at + step, min(step * 4, _MOST_PLACES)
    return found


def _these(places: list[int]) -> Q:
    """Return the descending places as a condition: all from last to first when they lie close.

    A place between two of them holds no match, so it may be looked at.
    """
    first, last = places[-1], places[0]
    if last - first < _CLOSE * len(places):
        return Q(index__gte=first, index__lte=last)
    return Q(index__in=places)


def _hours(filters: SearchFilters, span: int) -> Q:
    """Return which rows of a span may hold something of the time range."""
    wanted = Q()
    if filters.since is not None:
        wanted &= Q(hour__gt=int(filters.since.timestamp() // _HOUR) - span)
    if filters.until is not None:
        wanted &= Q(hour__lt=-int(-filters.until.timestamp() // _HOUR))
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
