"""How many entries a search finds, by what stands in clear and by day.

Promises: the numbers are exact, and of one moment: they come from one statement. Whole hours of
what the tally has counted come from it; the edges of the time range, the newest places and what
still waits for a place are counted as they are.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection

from audit import sql
from audit.actions import Verdict
from audit.filters import (
    BEGINNING,
    END,
    FACETS,
    TOLD,
    SearchFilters,
    Sql,
    during_sql,
    narrowed_sql,
)
from audit.tally import HOUR, SEGMENT

_SECONDS: Final = 3600
_DAY_HOURS: Final = 24
_EPOCH: Final = date(1970, 1, 1)
_COLUMNS: Final = "event, verdict, purpose, role"
# A CROSS JOIN keeps SQLite from starting at the other table.
_NEWEST: Final = "audit_leaf CROSS JOIN audit_entry"
_OLDER: Final = "audit_entry CROSS JOIN audit_leaf"
_WAITING: Final = "audit_outbox CROSS JOIN audit_entry"
_SAME: Final = "audit_leaf.entry_id = audit_entry.id"
_ITS_OWN: Final = Sql("audit_outbox.entry_id = audit_entry.id")
_COUNTED: Final = f"""
    SELECT hour - hour %% 24, {_COLUMNS}, sum(entries) FROM audit_tally
    WHERE segment < %s AND ({{hours}}) GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608 - all parts are ours; values are parameters.
_EXACT: Final = f"""
    SELECT {{hour}} - {{hour}} %% 24, {_COLUMNS}, count(*) FROM {{source}}
    WHERE {{wanted}} GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608
# Materialized: a planner that starts from the time range would read all of it for these few.
_ALL: Final = f"""
    WITH newest AS MATERIALIZED (
        SELECT occurred_at, {_COLUMNS} FROM {_NEWEST}
        WHERE {_SAME} AND audit_leaf."index" >= %s
    ), counted (day, {_COLUMNS}, entries) AS ({{parts}})
    SELECT NULL, {_COLUMNS}, CAST(sum(entries) AS bigint), 0 FROM counted GROUP BY {_COLUMNS}
    UNION ALL
    SELECT day, '', '', '', '', CAST(sum(entries) AS bigint),
           CAST(sum(CASE WHEN verdict = %s THEN entries ELSE 0 END) AS bigint)
    FROM counted WHERE {{wanted}} GROUP BY day
"""  # noqa: S608


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

    @property
    def total(self) -> int:
        """Return how many entries the search finds."""
        return sum(day.entries for day in self.days)


def count(filters: SearchFilters, *, covered: int) -> Counts:
    """Count what lies in the time range of the filters; `covered` is as `tally.covered` says."""
    parts = _parts(filters, covered)
    wanted = narrowed_sql(filters)
    text = _ALL.format(parts=" UNION ALL ".join(part.text for part in parts), wanted=wanted.text)
    values = [value for part in parts for value in part.values]
    rows = sql.rows(text, [covered, *values, Verdict.DENY.value, *wanted.values])
    combinations: Counter[Combination] = Counter()
    days: list[Day] = []
    for hour, *names, entries, refused in rows:
        if hour is None:
            combinations[Combination(*names)] = entries
        else:
            days.append(Day(_EPOCH + timedelta(hours=hour), entries, refused))
    return Counts(combinations, sorted(days))


def count_one(combination: Combination, at: datetime, filters: SearchFilters) -> Counts:
    """Count the one entry that a search by name found."""
    refused = int(combination.verdict == Verdict.DENY)
    days = [Day(at.astimezone(UTC).date(), 1, refused)] if matches(combination, filters) else []
    return Counts(Counter([combination]), days)


def matches(combination: Combination, filters: SearchFilters, *, leaving_open: str = "") -> bool:
    """Tell whether a combination passes every facet but one."""
    return all(
        not filters.chosen(name) or getattr(combination, column) in filters.chosen(name)
        for name, column in FACETS.items()
        if name != leaving_open
    )


def _parts(filters: SearchFilters, covered: int) -> list[Sql]:
    """Return what to count: by the tally, at the edges, the newest places, what has none yet."""
    since, until = filters.since or BEGINNING, filters.until or END
    first = -int(-since.timestamp() // _SECONDS)
    end = max(first, int(until.timestamp() // _SECONDS))
    older = Sql(f'{_SAME} AND audit_leaf."index" < %s', (covered,))
    return [
        _whole(first, end, covered),
        *(
            _exact(_OLDER, older & during_sql(*edge))
            for edge in ((since, min(_at(first), until)), (max(_at(end), since), until))
            if covered and edge[0] < edge[1]
        ),
        _exact("newest", during_sql(since, until)),
        _exact(_WAITING, _ITS_OWN & TOLD & during_sql(since, until)),
    ]


def _whole(first: int, end: int, covered: int) -> Sql:
    """Return the rows of days for the whole days of a range of hours, of hours for the rest."""
    first_day = -(-first // _DAY_HOURS) * _DAY_HOURS
    end_day = max(first_day, end // _DAY_HOURS * _DAY_HOURS)
    pieces = [
        (_DAY_HOURS, first_day, end_day),
        (1, first, min(first_day, end)),
        (1, max(end_day, first), end),
    ]
    kept = [piece for piece in pieces if piece[1] < piece[2]]
    hours = " OR ".join(["span = %s AND hour >= %s AND hour < %s"] * len(kept)) or "1 = 0"
    values = (covered // SEGMENT, *(value for piece in kept for value in piece))
    return Sql(_COUNTED.format(hours=hours), values)


def _exact(source: str, wanted: Sql) -> Sql:
    hour = HOUR[connection.vendor]
    return Sql(_EXACT.format(hour=hour, source=source, wanted=wanted.text), wanted.values)


def _at(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * _SECONDS, tz=UTC)
