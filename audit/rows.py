"""Puts entries and what hangs on them into their tables: plain SQL, as few round trips as can be.

The ORM takes longer over these rows than either database does. What must hold is not held here but
by the tables: constraints, triggers, the columns that the database itself reads from the leaf.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection

from audit import plain

Place = tuple[str, int]  # A token and its number in the deletable index.


class Half(NamedTuple):
    """One owner's part of the disclosures of an entry, sealed; see audit.models.Disclosure."""

    slot: str
    owner: bytes
    sealed: bytes


class Row(NamedTuple):
    """All that one entry writes."""

    uuid: UUID
    leaf: bytes
    leaf_hash: bytes
    halves: Sequence[Half]
    places: Sequence[Place]


_ENTRY: Final = "INSERT INTO audit_entry (uuid, organisation, leaf, leaf_hash) VALUES (?, ?, ?, ?)"
_HALF: Final = "INSERT INTO audit_disclosure (entry_id, slot, owner, sealed) VALUES (?, ?, ?, ?)"
_PLACE: Final = "INSERT INTO audit_subjectindex (token, seq, entry_id) VALUES (?, ?, ?)"


def count(more: Mapping[str, int]) -> dict[str, int]:
    """Add to the counters of tokens, in the order given; return the new counts.

    Each counter stays locked until the transaction ends, so its numbers have no gap.
    """
    mark = plain.mark(DEFAULT_DB_ALIAS)
    values = ", ".join([f"({mark}, {mark})"] * len(more))
    with plain.cursor(DEFAULT_DB_ALIAS) as cursor:
        cursor.execute(
            f"INSERT INTO audit_subjectcounter (token, last) VALUES {values} "  # noqa: S608 - marks.
            "ON CONFLICT (token) DO UPDATE SET last = audit_subjectcounter.last + excluded.last "
            "RETURNING token, last",
            list(chain.from_iterable(more.items())),
        )
        return dict(cursor.fetchall())


def insert(rows: Sequence[Row]) -> list[int]:
    """Insert entries with their disclosures and places; return their ids in the same order."""
    with plain.cursor(DEFAULT_DB_ALIAS) as cursor:
        if connection.vendor == "postgresql":
            return _insert_at_once(cursor, rows)
        return _insert_in_turn(cursor, rows)


def _insert_in_turn(cursor: Any, rows: Sequence[Row]) -> list[int]:  # noqa: ANN401 - a driver's.
    """Insert where a statement costs no round trip, but cannot write two tables."""
    ids = []
    for row in rows:
        cursor.execute(_ENTRY, (row.uuid.hex, "default", row.leaf, row.leaf_hash))
        ids.append(cursor.lastrowid)
    pairs = list(zip(ids, rows, strict=True))
    cursor.executemany(_HALF, [(entry, *half) for entry, row in pairs for half in row.halves])
    cursor.executemany(_PLACE, [(*place, entry) for entry, row in pairs for place in row.places])
    return ids


def _insert_at_once(cursor: Any, rows: Sequence[Row]) -> list[int]:  # noqa: ANN401 - a driver's.
    """Insert in one statement: a round trip costs more than the rows."""
    entries = [(row.uuid, row.leaf, row.leaf_hash) for row in rows]
    halves = [(row.uuid, *half) for row in rows for half in row.halves]
    places = [(row.uuid, *place) for row in rows for place in row.places]
    statement = (
        "WITH entry AS (INSERT INTO audit_entry (uuid, leaf, leaf_hash, organisation) "  # noqa: S608 - constants and marks.
        f"SELECT *, 'default' FROM ({_values(entries, 'uuid', 'bytea', 'bytea')}) AS new "
        "RETURNING id, uuid), "
        "disclosure AS (INSERT INTO audit_disclosure (entry_id, slot, owner, sealed) "
        f"SELECT id, slot, owner, sealed FROM ({_values(halves, 'uuid', 'text', 'bytea', 'bytea')})"
        " AS new (uuid, slot, owner, sealed) JOIN entry USING (uuid))"
    )
    if places:
        statement += (
            ", place AS (INSERT INTO audit_subjectindex (entry_id, token, seq) "  # noqa: S608 - as above.
            f"SELECT id, token, seq FROM ({_values(places, 'uuid', 'text', 'bigint')}) "
            "AS new (uuid, token, seq) JOIN entry USING (uuid))"
        )
    cursor.execute(
        f"{statement} SELECT uuid, id FROM entry",  # noqa: S608 - as above.
        list(chain.from_iterable(chain(entries, halves, places))),
        binary=True,
    )
    ids: dict[UUID, int] = dict(cursor.fetchall())
    return [ids[row.uuid] for row in rows]


def _values(rows: Sequence[tuple[object, ...]], *types: str) -> str:
    """Return VALUES with a mark for each part; the first row tells the database their types."""
    typed = ", ".join(f"%s::{name}" for name in types)
    more = "(" + ", ".join(["%s"] * len(types)) + ")"
    return ", ".join([f"VALUES ({typed})", *[more] * (len(rows) - 1)])
