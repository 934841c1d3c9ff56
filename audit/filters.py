"""What a search asks for, and how each part of it is asked of the database."""

from dataclasses import dataclass
from datetime import datetime
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


def narrowed(filters: SearchFilters, *, of: str = "") -> Q:
    """Return the facets as a condition on an entry or a tally, `of` being the way there."""
    wanted = Q()
    for name, column in FACETS.items():
        if values := filters.chosen(name):
            wanted &= Q(**{f"{of}{column}__in": sorted(values)})
    return wanted


def during(since: datetime | None, until: datetime | None, *, of: str = "") -> Q:
    """Return a time range as a condition on an entry, `of` being the way there."""
    wanted = Q()
    if since is not None:
        wanted &= Q(**{f"{of}occurred_at__gte": since})
    if until is not None:
        wanted &= Q(**{f"{of}occurred_at__lt": until})
    return wanted


def told(*, of: str = "") -> Q:
    """Return what may show before it has a place: a shy act would tell its moment."""
    return ~Q(**{f"{of}event__in": sorted(SHY)})
