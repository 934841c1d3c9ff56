"""How many entries a search finds, by what stands in clear and by day.

Promises: the numbers are exact. Whole hours of what the tally has counted come from it; the edges
of the time range, the newest places and what still waits for a place are counted as they are.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from audit.actions import Verdict
from audit.filters import FACETS, SearchFilters, during, narrowed, told
from audit.models import Entry, Leaf, Outbox, Tally
from audit.tally import SEGMENT

_HOUR: Final = 3600
_DAY_HOURS: Final = 24
_EPOCH: Final = date(1970, 1, 1)
_COLUMNS: Final = tuple(FACETS.values())


class Combination(NamedTuple):
    """One combination of what stands in clear."""

    event: str
    verdict: str
    purpose: str
    role: str


class Day(NamedTuple):
    """One day (UTC) of a search: all entries, and the refusals among them."""

    day: date
    entries: int
    refused: int


@dataclass(frozen=True, slots=True)
class Counts:
    """`combinations` leaves every facet open; `days` is narrowed by all of them."""

    combinations: Counter[Combination]
    days: list[Day]


def count(filters: SearchFilters, *, covered: int) -> Counts:
    """Count what lies in the time range of the filters."""
    whole, edges = _split(filters.since, filters.until)
    counted = Tally.objects.filter(whole, segment__lt=covered // SEGMENT)
    combinations: Counter[Combination] = Counter()
    for *values, entries in counted.values_list(*_COLUMNS).annotate(total=Sum("entries")):
        combinations[Combination(*values)] += entries
    days: dict[date, list[int]] = {}
    by_day = counted.filter(narrowed(filters)).annotate(day=F("hour") - F("hour") % _DAY_HOURS)
    refused = Sum("entries", filter=Q(verdict=Verdict.DENY), default=0)
    for hour, *sums in by_day.values_list("day").annotate(total=Sum("entries"), refused=refused):
        days[_EPOCH + timedelta(hours=hour)] = sums
    parts = [
        Entry.objects.filter(during(*edge), place__index__lt=covered) for edge in edges if covered
    ]
    return _and_exactly([*parts, *_uncounted(filters, covered)], filters, combinations, days)


def count_exactly(found: QuerySet[Entry], filters: SearchFilters) -> Counts:
    """Count the few entries that a query finds."""
    return _and_exactly([found], filters, Counter(), {})


def _and_exactly(
    parts: list[QuerySet[Entry]],
    filters: SearchFilters,
    combinations: Counter[Combination],
    days: dict[date, list[int]],
) -> Counts:
    for day, *values, entries in _grouped(parts):
        combination = Combination(*values)
        combinations[combination] += entries
        if matches(combination, filters):
            sums = days.setdefault(day, [0, 0])
            sums[0] += entries
            sums[1] += entries * (combination.verdict == Verdict.DENY)
    return Counts(combinations, [Day(day, *sums) for day, sums in sorted(days.items())])


def matches(combination: Combination, filters: SearchFilters, *, leaving_open: str = "") -> bool:
    """Tell whether a combination passes every facet but one."""
    return all(
        not filters.chosen(name) or getattr(combination, column) in filters.chosen(name)
        for name, column in FACETS.items()
        if name != leaving_open
    )


def _uncounted(filters: SearchFilters, covered: int) -> Iterator[QuerySet[Entry]]:
    """Return the entries that the tally cannot know: the newest places, and those without one."""
    found = Entry.objects.filter(during(filters.since, filters.until))
    yield found.filter(pk__in=Leaf.objects.filter(index__gte=covered).values("entry_id"))
    yield found.filter(told(), pk__in=Outbox.objects.values("entry_id"))


def _grouped(parts: list[QuerySet[Entry]]) -> QuerySet[Entry, tuple[object, ...]]:
    """Count all parts in one statement: none moves from one to the other meanwhile."""
    first, *others = (
        part.annotate(day=TruncDate("occurred_at", tzinfo=UTC))
        .order_by()
        .values_list("day", *_COLUMNS)
        .annotate(entries=Count("id"))
        for part in parts
    )
    return first.union(*others, all=True) if others else first


def _split(
    since: datetime | None, until: datetime | None
) -> tuple[Q, list[tuple[datetime | None, datetime | None]]]:
    """Return the whole hours of a range as a condition on the tally, and what is left of it."""
    first = None if since is None else -int(-since.timestamp() // _HOUR)
    end = None if until is None else int(until.timestamp() // _HOUR)
    if first is not None and end is not None and first >= end:
        return Q(pk__in=()), [(since, until)]
    edges: list[tuple[datetime | None, datetime | None]] = []
    if since is not None and first is not None and since < (at := _at(first)):
        edges.append((since, at))
    if until is not None and end is not None and (at := _at(end)) < until:
        edges.append((at, until))
    return _hours(first, end), edges


def _hours(first: int | None, end: int | None) -> Q:
    """Return rows of days for the whole days of a range of hours, rows of hours for the rest."""
    first_day = None if first is None else -(-first // _DAY_HOURS) * _DAY_HOURS
    end_day = None if end is None else end // _DAY_HOURS * _DAY_HOURS
    if first_day is not None and end_day is not None and first_day >= end_day:
        return _rows(1, first, end)
    wanted = _rows(_DAY_HOURS, first_day, end_day)
    if first != first_day:
        wanted |= _rows(1, first, first_day)
    if end != end_day:
        wanted |= _rows(1, end_day, end)
    return wanted


def _rows(span: int, first: int | None, end: int | None) -> Q:
    wanted = Q(span=span)
    if first is not None:
        wanted &= Q(hour__gte=first)
    if end is not None:
        wanted &= Q(hour__lt=end)
    return wanted


def _at(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * _HOUR, tz=UTC)
