"""The rows of a search, newest first: those that wait for their place, then by place.

Not by id: the order of ids would tell when somebody decided, which the delay hides. Not by time:
what gets its place late would slip in behind the reader. The tally knows in which places each
combination stands, so a page looks only there, however rare what it looks for.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Q, Sum

from audit import sql
from audit.actions import Action, Verdict
from audit.filters import TOLD, SearchFilters, Sql, during_sql, narrowed, narrowed_sql
from audit.models import Entry, Tally
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
# A CROSS JOIN keeps SQLite from starting at the entries.
_WAITING: Final = """
    SELECT uuid, entry_id FROM audit_outbox CROSS JOIN audit_entry
    WHERE entry_id = audit_entry.id AND entry_id < %s AND {wanted}
    ORDER BY entry_id DESC LIMIT %s
"""
# Of what may show alone: a cursor that is made up must not find what waits on purpose.
_AT: Final = f"""
    SELECT id FROM audit_entry WHERE uuid >= %s AND uuid <= %s AND {TOLD.text}
    ORDER BY id DESC LIMIT 1
"""  # noqa: S608 - all parts are ours.
_PLACED: Final = """
    SELECT "index", entry_id FROM audit_leaf CROSS JOIN audit_entry
    WHERE entry_id = audit_entry.id AND {wanted}
    ORDER BY "index" DESC LIMIT %s
"""
# (cursor, index, id of the entry)
_Found = tuple[int, int | None, int]


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
    found: list[_Found] = []
    if after is None or after >= WAITING:
        found = _waiting(filters, after, limit)
        after = None
    newest = Sql('"index" >= %s AND "index" < %s', (covered, WAITING if after is None else after))
    found += _placed(filters, newest, limit - len(found))
    bound = covered if after is None else min(after, covered)
    while bound and len(found) < limit:
        segments, floor = _segments(filters, bound, limit - len(found))
        found += _within(_ranges(filters, segments, bound), filters, limit - len(found))
        bound = floor
    entries = Entry.objects.defer("leaf").in_bulk([key for _, _, key in found])
    return [_row(entries[key], cursor=cursor, index=index) for cursor, index, key in found]


def row_of(entry: Entry) -> EntryRow:
    """Return the row of one entry, whose place was fetched with it."""
    place = getattr(entry, "place", None)
    index = place.index if place else None
    return _row(entry, cursor=_cursor(entry.uuid) if index is None else index, index=index)


def _waiting(filters: SearchFilters, after: int | None, limit: int) -> list[_Found]:
    before = WAITING if after is None else _key_at(after)
    wanted = TOLD & _wanted(filters)
    statement = _WAITING.format(wanted=wanted.text)
    found = sql.rows(statement, [before, *wanted.values, limit])
    return [(_cursor(sql.identifier(uuid)), None, key) for uuid, key in found]


def _cursor(uuid: UUID) -> int:
    """Return where a waiting entry stands, by what its own id says: its millisecond and 12 bits.

    By the row's number a reader would count what is hidden between two entries that are shown.
    """
    return WAITING + (uuid.int >> 80 << 12 | uuid.int >> 64 & 0xFFF)


def _key_at(cursor: int) -> int:
    """Return the key of the entry that stands there, or of none."""
    place = cursor - WAITING
    least = (place >> 12 & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | (place & 0xFFF) << 64
    ids = (UUID(int=least), UUID(int=least | (1 << 64) - 1))
    found = sql.row(_AT, [*ids, *TOLD.values])
    return int(found[0]) if found else 0


def _placed(filters: SearchFilters, places: Sql, limit: int) -> list[_Found]:
    wanted = places & _wanted(filters)
    statement = _PLACED.format(wanted=wanted.text)
    found = sql.rows(statement, [*wanted.values, max(limit, 0)])
    return [(index, index, key) for index, key in found]


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


def _within(ranges: list[range], filters: SearchFilters, limit: int) -> list[_Found]:
    """Return the newest rows in the ranges, looking at few places first, then at more."""
    found: list[_Found] = []
    places = [place for each in reversed(ranges) for place in reversed(each)]
    at, step = 0, _FEWEST_PLACES
    while at < len(places) and len(found) < limit:
        looked = places[at : at + step]
        found += _placed(filters, _these(looked), limit - len(found))
        at, step = at + step, min(step * 4, _MOST_PLACES)
    return found


def _these(places: list[int]) -> Sql:
    """Return the descending places as a condition: all from last to first when they lie close.

    A place between two of them holds no match, so it may be looked at.
    """
    first, last = places[-1], places[0]
    if last - first < _CLOSE * len(places):
        return Sql('"index" >= %s AND "index" <= %s', (first, last))
    return Sql(f'"index" IN ({", ".join(map(str, places))})')


def _hours(filters: SearchFilters, span: int) -> Q:
    """Return which rows of a span may hold something of the time range."""
    wanted = Q()
    if filters.since is not None:
        wanted &= Q(hour__gt=int(filters.since.timestamp() // _HOUR) - span)
    if filters.until is not None:
        wanted &= Q(hour__lt=-int(-filters.until.timestamp() // _HOUR))
    return wanted


def _wanted(filters: SearchFilters) -> Sql:
    return narrowed_sql(filters) & during_sql(filters.since, filters.until)


def _row(entry: Entry, *, cursor: int, index: int | None) -> EntryRow:
    return EntryRow(
        uuid=entry.uuid,
        index=index,
        occurred_at=entry.occurred_at,
        event=Action(entry.event),
        verdict=Verdict(entry.verdict),
        purpose=entry.purpose,
        role=entry.role,
        act=entry.act,
        count=entry.count,
        leaf_hash=bytes(entry.leaf_hash),
        cursor=cursor,
    )
