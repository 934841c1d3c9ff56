"""Puts entries and what hangs on them into their tables: plain SQL, as few round trips as can be.

The ORM takes longer over these rows than either database does. What must hold is not held here but
by the tables: constraints, triggers, the columns that the database itself reads from the leaf.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

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


def count(more: Mapping[str, int]) -> dict[str, int]:
    """Add to the counters of tokens, in the order given; return the new counts.

    Each counter stays locked until the transaction ends, so its numbers have no gap.
    """
    values = ", ".join(["(%s, %s)"] * len(more))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO audit_subjectcounter (token, last) VALUES {values} "  # noqa: S608 - marks.
            "ON CONFLICT (token) DO UPDATE SET last = audit_subjectcounter.last + excluded.last "
            "RETURNING token, last",
            list(chain.from_iterable(more.items())),
        )
        return dict(cursor.fetchall())


def insert(rows: Sequence[Row]) -> list[int]:
    """Insert entries with their disclosures and places; return their ids in the same order."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _insert_at_once(cursor, rows)
        return _insert_in_turn(cursor, rows)


def _insert_in_turn(cursor: CursorWrapper, rows: Sequence[Row]) -> list[int]:
    """Insert where a statement costs no round trip, but cannot write two tables."""
    ids = []
    for row in rows:
        cursor.execute(
            "INSERT INTO audit_entry (uuid, organisation, leaf, leaf_hash) "
            "VALUES (%s, 'default', %s, %s)",
            [row.uuid.hex, row.leaf, row.leaf_hash],
        )
        ids.append(int(cursor.lastrowid))
    cursor.executemany(
        "INSERT INTO audit_disclosure (entry_id, slot, owner, sealed) VALUES (%s, %s, %s, %s)",
        [(entry, *half) for entry, row in zip(ids, rows, strict=True) for half in row.halves],
    )
    cursor.executemany(
        "INSERT INTO audit_subjectindex (token, seq, entry_id) VALUES (%s, %s, %s)",
        [(*place, entry) for entry, row in zip(ids, rows, strict=True) for place in row.places],
    )
    return ids


def _insert_at_once(cursor: CursorWrapper, rows: Sequence[Row]) -> list[int]:
    """Insert in one statement: a round trip costs more than the rows."""
    entries = [(row.uuid, row.leaf, row.leaf_hash) for row in rows]
    halves = [(row.uuid, *half) for row in rows for half in row.halves]
    places = [(row.uuid, *place) for row in rows for place in row.places]
    statement = (
        "WITH entry AS (INSERT INTO audit_entry (uuid, leaf, leaf_hash, organisation) "  # noqa: S608 - constants and marks.
        f"SELECT *, 'default' FROM ({_values(entries)}) AS new RETURNING id, uuid), "
        "disclosure AS (INSERT INTO audit_disclosure (entry_id, slot, owner, sealed) "
        f"SELECT id, slot, owner, sealed FROM ({_values(halves)}) "
        "AS new (uuid, slot, owner, sealed) JOIN entry USING (uuid))"
    )
    if places:
        statement += (
            ", place AS (INSERT INTO audit_subjectindex (entry_id, token, seq) "  # noqa: S608 - as above.
            f"SELECT id, token, seq FROM ({_values(places)}) "
            "AS new (uuid, token, seq) JOIN entry USING (uuid))"
        )
    cursor.execute(
        f"{statement} SELECT uuid, id FROM entry",  # noqa: S608 - as above.
        list(chain.from_iterable(chain(entries, halves, places))),
    )
    ids: dict[UUID, int] = dict(cursor.fetchall())
    return [ids[row.uuid] for row in rows]


def _values(rows: Sequence[tuple[object, ...]]) -> str:
    marks = "(" + ", ".join(["%s"] * len(rows[0])) + ")"
    return "VALUES " + ", ".join([marks] * len(rows))
