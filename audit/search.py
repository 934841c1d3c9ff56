"""Searching the log by what stands in clear: facets, counts, days, pages.

Promises: a search sees only the query columns that the database generates from the leaves, so it
finds what was signed, and nothing in it names a person; a shy act appears where and when the tree
has it, not when it was done. That a search is itself an entry is the
caller's duty (`log:searched`), because only the caller knows who asks.
"""

import base64
import binascii
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from audit import counting, paging, tally
from audit.actions import SHY
from audit.counting import Combination, Counts, Day
from audit.filters import FACETS, SearchFilters, during, narrowed
from audit.models import Entry, Leaf
from audit.paging import EntryRow

__all__ = ["Day", "EntryRow", "SearchFilters", "SearchPage", "every_row", "search", "total"]

_MOST_VALUES: Final = 50
_HASH_BYTES: Final = 32
_HASH_DIGITS: Final = 64
_LONGEST_INDEX: Final = 18
_ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page, newest first. `facets` maps filter name to (value, count, selected).

    A facet counts what there would be if its own filter were open; `next` continues the page.
    """

    entries: list[EntryRow]
    facets: Mapping[str, list[tuple[str, int, bool]]]
    histogram: list[Day]
    total: int
    next: str | None


def search(*, filters: SearchFilters, after: str | None = None, limit: int = 50) -> SearchPage:
    """Return one page. `after` is the `next` of the page before; anything else starts anew."""
    covered = tally.covered()
    counts = _counts(filters, covered)
    page = _rows(filters, after=_cursor(after), limit=limit + 1, covered=covered)
    return SearchPage(
        entries=page[:limit],
        facets={name: _facet(filters, name, counts.combinations) for name in FACETS},
        histogram=counts.days,
        total=counts.total,
        next=str(page[limit - 1].cursor) if len(page) > limit else None,
    )


def total(*, filters: SearchFilters) -> int:
    """Return how many entries a search finds."""
    return _counts(filters, tally.covered()).total


def every_row(*, filters: SearchFilters) -> Iterator[EntryRow]:
    """Return all rows of a search in its order, each once, a few hundred at a time."""
    after: int | None = None
    waited: set[UUID] = set()
    while True:
        found = _rows(filters, after=after, limit=_ROWS_AT_ONCE, covered=tally.covered())
        waited |= {row.uuid for row in found if row.index is None}
        # What gets its place meanwhile was told already.
        yield from (row for row in found if row.index is None or row.uuid not in waited)
        if len(found) < _ROWS_AT_ONCE:
            return
        after = found[-1].cursor


def _counts(filters: SearchFilters, covered: int) -> Counts:
    if not filters.text.strip():
        return counting.count(filters, covered=covered)
    for entry in _named(filters)[:1]:
        found = Combination(entry.event, entry.verdict, entry.purpose, entry.role)
        return counting.count_one(found, entry.occurred_at, filters)
    return Counts(Counter(), [])


def _rows(filters: SearchFilters, *, after: int | None, limit: int, covered: int) -> list[EntryRow]:
    if not filters.text.strip():
        return paging.rows(filters, after=after, limit=limit, covered=covered)
    found = _named(filters).filter(narrowed(filters))[:1] if after is None else ()
    return [paging.row_of(entry) for entry in found]


def _cursor(after: str | None) -> int | None:
    if after is None or not (after.isascii() and after.isdigit()):
        return None
    return int(after[:_LONGEST_INDEX])


def _facet(
    filters: SearchFilters, name: str, combinations: Counter[Combination]
) -> list[tuple[str, int, bool]]:
    counted: Counter[str] = Counter()
    for combination, entries in combinations.items():
        value = getattr(combination, FACETS[name])
        if value and counting.matches(combination, filters, leaving_open=name):
            counted[value] += entries
    shown = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_VALUES]
    chosen = filters.chosen(name)
    # A chosen value that finds nothing stays visible, so that it can be let go.
    shown += [(value, counted[value]) for value in sorted(chosen - dict(shown).keys())]
    return [(value, entries, value in chosen) for value, entries in shown]


def _named(filters: SearchFilters) -> QuerySet[Entry]:
    """Return the entry that the text names, if there is one and it may show."""
    return (
        Entry.objects.filter(_name(filters.text.strip()), during(filters.since, filters.until))
        .filter(Q(place__isnull=False) | ~Q(event__in=SHY))
        .select_related("place")
    )


def _name(text: str) -> Q:
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_INDEX:
        # By key, so that the planner cannot think of walking the entries.
        return Q(pk__in=list(Leaf.objects.filter(pk=int(text)).values_list("entry_id", flat=True)))
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
