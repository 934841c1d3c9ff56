"""The entries that wait for a place: read without a lock, placed in one short transaction.

Promises: an entry is placed exactly once or not at all, in the order of the entries' ids among
those that are due. Only the holder of the log (audit.hold) may place; the caller compares the
tree's size in the same transaction.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import IntegrityError, connection
from django.utils import timezone

from audit import daily, hold, sql, tree
from audit.actions import Action
from audit.errors import ForkError
from audit.models import Outbox, TreeState

_MOST_DRAWN: Final = 4096

# The set of waiting entries is read before the transaction begins: entries never change, and nobody
# else takes rows out of the outbox. Writers wait for the placing alone, not for the reading.
_PICK_POSTGRESQL: Final = """
SELECT id, leaf, leaf_hash FROM audit_entry
-- An array, not a join: whatever its statistics say, the planner reads by the primary key.
WHERE id = ANY(ARRAY(
    SELECT entry_id FROM audit_outbox WHERE not_before <= statement_timestamp()
    ORDER BY entry_id LIMIT %s))
ORDER BY id
"""
_PICK_SQLITE: Final = """
SELECT id, leaf, leaf_hash FROM audit_entry
WHERE id IN (
    SELECT entry_id FROM audit_outbox
    WHERE not_before <= strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')
    ORDER BY entry_id LIMIT %s)
ORDER BY id
"""

_PLACE_POSTGRESQL: Final = """
WITH placed AS (
    INSERT INTO audit_leaf ("index", entry_id, leaf_hash)
    SELECT %s + row.at - 1, row.id, substr(%s::bytea, 32 * (row.at::int - 1) + 1, 32)
    FROM unnest(%s::bigint[]) WITH ORDINALITY AS row (id, at)
)
DELETE FROM audit_outbox WHERE entry_id = ANY(%s::bigint[])
"""
# One statement, not one for each row: binding 4096 rows takes longer than storing them.
_PLACE_SQLITE: Final = """
INSERT INTO audit_leaf ("index", entry_id, leaf_hash)
SELECT %s + row.key, row.value, substr(%s, 32 * row.key + 1, 32) FROM json_each(%s) AS row
"""
_REMOVE_SQLITE: Final = (
    "DELETE FROM audit_outbox WHERE entry_id IN "
    '(SELECT entry_id FROM audit_leaf WHERE "index" >= %s)'
)

_NEW: Final = """
SELECT entry_id, event, occurred_at FROM audit_outbox JOIN audit_entry ON audit_entry.id = entry_id
WHERE not_before IS NULL LIMIT %s
"""
_DRAW_POSTGRESQL: Final = """
UPDATE audit_outbox
SET not_before = statement_timestamp() + wait.text::bigint * interval '1 millisecond'
FROM jsonb_each_text(%s::jsonb) AS wait (id, text)
WHERE entry_id = wait.id::bigint AND not_before IS NULL
"""
_DRAW_SQLITE: Final = """
UPDATE audit_outbox SET not_before = strftime(
    '%%Y-%%m-%%d %%H:%%M:%%f', 'now', printf('+%%.3f seconds', wait.value / 1000.0))
FROM json_each(%s) AS wait
WHERE entry_id = CAST(wait.key AS INTEGER) AND not_before IS NULL
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Entries in the order of their ids: ids, leaves and leaf hashes of equal length."""

    ids: Sequence[int]
    leaves: Sequence[bytes]
    hashes: Sequence[bytes]

    def __len__(self) -> int:
        """Return how many they are."""
        return len(self.ids)


def pick(limit: int) -> Waiting:
    """Return the entries that are due. Raises ForkError when one is not what its hash says."""
    rows = _rows(_PICK_POSTGRESQL if connection.vendor == "postgresql" else _PICK_SQLITE, limit)
    ids, leaves, hashes = zip(*rows, strict=True) if rows else ((), (), ())
    for key, leaf, hashed in zip(ids, leaves, hashes, strict=True):
        # SQLite cannot check this itself; a wrong hash must never become part of the tree.
        if tree.leaf_hash(leaf) != hashed:
            raise ForkError(f"entry {key} does not hold the leaf its hash says")
    return Waiting(ids, leaves, hashes)


def place(waiting: Waiting, *, start: int) -> None:
    """Give the entries the places from `start` on, and take them out of the outbox.

    Raises ForkError when one has a place already: somebody else wrote to the outbox.
    """
    try:
        _place(waiting, start)
    except IntegrityError as error:
        raise ForkError("an entry that waits has its place already") from error


def take_out_placed() -> int:
    """Take out of the outbox what has its place already; return how many that were."""
    with hold.its_turn():
        return Outbox.objects.exclude(entry__place=None).delete()[0]


def _place(waiting: Waiting, start: int) -> None:
    ids, hashes = ",".join(map(str, waiting.ids)), b"".join(waiting.hashes)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # As two texts: psycopg quotes the elements of an array one by one, in Python.
            cursor.execute(_PLACE_POSTGRESQL, [start, hashes, f"{{{ids}}}", f"{{{ids}}}"])
        else:
            cursor.execute(_PLACE_SQLITE, [start, hashes, f"[{ids}]"])
            cursor.execute(_REMOVE_SQLITE, [start])
        if cursor.rowcount != len(waiting):
            raise ForkError(f"{cursor.rowcount} of {len(waiting)} entries still waited")


def draw_delays() -> None:
    """Give each shy entry that just arrived its own random wait, all in one statement.

    What is private waits for audit.telling, with no other limit than a period more.
    """
    rows = _rows(_NEW, _MOST_DRAWN)
    if not rows:
        return
    # The operating system's source: a predictable wait would hide nothing.
    source = random.SystemRandom()
    most = settings.REMIT_LOG_DELAY_SECONDS * 1000
    kept = _kept(rows)
    waits = json.dumps({key: kept.get(key) or source.randrange(most + 1) for key, *_ in rows})
    is_postgresql = connection.vendor == "postgresql"
    with hold.its_turn(), connection.cursor() as cursor:
        cursor.execute(_DRAW_POSTGRESQL if is_postgresql else _DRAW_SQLITE, [waits])


def _kept(rows: Sequence[tuple[int, str, datetime | str]]) -> dict[int, int]:
    """Return for how many milliseconds at most each of these waits that a period's end shall tell.

    Whoever committed long after the period that the entry names: that one has been told.
    """
    private = [(key, at) for key, event, at in rows if event == Action.PRIVATE_TOLD]
    if not private or not daily.is_kept():
        return {}
    told = TreeState.objects.values_list("told_until", flat=True).get(pk=settings.REMIT_LOG_ORIGIN)
    longest = timezone.now() - daily.length()
    ends = {key: sql.moment(at) for key, at in private}
    return {
        key: max(1, round((end - longest).total_seconds() * 1000))
        for key, end in ends.items()
        if told is None or end > told
    }


def _rows(query: str, limit: int) -> list[tuple[Any, ...]]:
    """Run a query outside the ORM; PostgreSQL sends leaves as bytes, not as hexadecimal text."""
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
            return cursor.execute(query, [limit], binary=True).fetchall()
    with connection.cursor() as cursor:
        cursor.execute(query, [limit])
        return list(cursor.fetchall())
