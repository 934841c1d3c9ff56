"""Counts of what stands in the tree, segment by segment, so that a search over it need not count.

Promises: a segment's rows are a pure function of its leaves and are written once it is full, so
nothing is ever updated, no request pays for it, and `drifted` can compare at any time. Nothing here
is evidence: whoever doubts a number counts the leaves.
"""

from typing import Final

from django.db import connection, transaction
from django.db.models import Max

from audit.models import Leaf, Tally

SEGMENT: Final = 4096
SPANS: Final = (1, 24)
# More would keep the sequencer from its entries for longer than a head may take.
_MOST_AT_ONCE: Final = 2

# The hour in which an entry happened, in hours since 1970.
HOUR: Final = {
    "postgresql": "floor(extract(epoch FROM occurred_at) / 3600)::bigint",
    "sqlite": "CAST(strftime('%%s', occurred_at) AS integer) / 3600",
}
_COLUMNS: Final = 'segment, span, hour, event, verdict, purpose, role, entries, "first", "last"'
_KEPT: Final = f"SELECT {_COLUMNS} FROM audit_tally WHERE span IN (1, 24) AND segment = %s"  # noqa: S608 - ours.
_COUNT: Final = """
    SELECT place / {segment} AS segment, span, hour - hour %% span AS first_hour,
           event, verdict, purpose, role, count(*), min(place), max(place)
    FROM (
        SELECT audit_leaf."index" AS place, {hour} AS hour, event, verdict, purpose, role
        FROM audit_leaf JOIN audit_entry ON audit_entry.id = audit_leaf.entry_id
        WHERE audit_leaf."index" >= %s AND audit_leaf."index" < %s
    ) AS placed CROSS JOIN (SELECT 1 AS span UNION ALL SELECT 24) AS spans
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    ORDER BY 1, 2, 3
"""


def covered() -> int:
    """Return how many places, from the first, the tally has counted."""
    last: int | None = Tally.objects.filter(span=SPANS[0]).aggregate(last=Max("segment"))["last"]
    return 0 if last is None else (last + 1) * SEGMENT


def extend(*, size: int) -> int:
    """Count the segments that filled up below `size`, a few at most; return how many.

    For whoever holds the log; two at once would collide and leave one of them with the work.
    """
    start = covered()
    end = min(size - size % SEGMENT, start + _MOST_AT_ONCE * SEGMENT)
    if start >= end:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO audit_tally ({_COLUMNS}) {_counting()}", [start, end])
    return (end - start) // SEGMENT


def drifted() -> list[int]:
    """Return the segments whose rows say something else than their leaves, for `log_check`."""
    size = (Leaf.objects.aggregate(last=Max("index"))["last"] or -1) + 1
    wrong = [number for number in range(covered() // SEGMENT) if not _agrees(number)]
    beyond = Tally.objects.filter(last__gte=size).values_list("segment", flat=True)
    return sorted({*wrong, *beyond})


def _agrees(segment: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, [segment])
        kept = sorted(cursor.fetchall())
        cursor.execute(_counting(), [segment * SEGMENT, (segment + 1) * SEGMENT])
        return kept == sorted(cursor.fetchall())


def _counting() -> str:
    return _COUNT.format(segment=SEGMENT, hour=HOUR[connection.vendor])
