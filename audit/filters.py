"""What a search asks for, and how each part of it is asked of the database."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.db.models import Q

from audit.actions import SHY

# Filter field -> query column; each is a facet.
FACETS: Final = {
    "events": "event",
    "verdicts": "verdict",
    "purposes": "purpose",
    "roles": "role",
}


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

    def chosen(self, name: str) -> frozenset[str]:
        """Return what a facet was narrowed to."""
        found: frozenset[str] = getattr(self, name)
        return found


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of a statement with its parameters."""

    text: str
    values: tuple[object, ...] = ()

    def __and__(self, other: "Sql") -> "Sql":
        return Sql(f"{self.text} AND {other.text}", (*self.values, *other.values))


# Where a range has no end, one that lies beyond every entry.
BEGINNING, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
# What may show before it has a place: a shy act would tell its moment.
TOLD: Final = Sql(f"event NOT IN ({', '.join(['%s'] * len(SHY))})", tuple(sorted(map(str, SHY))))


def narrowed(filters: SearchFilters) -> Q:
    """Return the facets as a condition on entries or tallies."""
    wanted = Q()
    for name, column in FACETS.items():
        if values := filters.chosen(name):
            wanted &= Q(**{f"{column}__in": sorted(values)})
    return wanted


def narrowed_sql(filters: SearchFilters) -> Sql:
    """Return the same in SQL."""
    wanted = Sql("1 = 1")
    for name, column in FACETS.items():
        if values := sorted(map(str, filters.chosen(name))):
            wanted &= Sql(f"{column} IN ({', '.join(['%s'] * len(values))})", tuple(values))
    return wanted


def during(since: datetime | None, until: datetime | None) -> Q:
    """Return a time range as a condition on entries."""
    wanted = Q()
    if since is not None:
        wanted &= Q(occurred_at__gte=since)
    if until is not None:
        wanted &= Q(occurred_at__lt=until)
    return wanted


def during_sql(since: datetime | None, until: datetime | None) -> Sql:
    """Return the same in SQL."""
    return Sql("occurred_at >= %s AND occurred_at < %s", (since or BEGINNING, until or END))
