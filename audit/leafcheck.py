"""Holds every entry against its leaf, its place and the published files, in one pass over the log.

Promises: no column and no function of the database is trusted. Hashes are those of the bytes, query
columns are read from the leaf again, the tiles of every level are recomputed and compared byte by
byte. Memory holds one chunk, however long the log. Whoever holds the tree's roots against
checkpoints is told each leaf hash in turn.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import psycopg
from django.db import connection

from audit import leaf, tree
from audit.errors import LeafError
from audit.findings import Finding
from audit.leaf import Json
from audit.tiles import ENTRIES, WIDTH, TileStore, bundle

CHUNK: Final = 16 * WIDTH
_COLUMNS: Final = (
    ("event", "ev"),
    ("verdict", "dec"),
    ("purpose", "pur"),
    ("role", "role"),
    ("act", "act"),
)
_ENTRY: Final = (
    "entry.id, entry.leaf, entry.leaf_hash, {uuid}, {time}, "
    "entry.event, entry.verdict, entry.purpose, entry.role, entry.act, entry.count"
)
# What differs between the databases is only how a column is written as text.
_WRITTEN: Final = {
    "postgresql": {
        "uuid": "entry.uuid::text",
        "time": (
            "to_char(entry.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        ),
    },
    "sqlite": {
        "uuid": "entry.uuid",
        "time": "replace(entry.occurred_at, ' ', 'T') || 'Z'",
    },
}
_PLACED: Final = (
    'SELECT place."index", place.leaf_hash, {entry} FROM audit_leaf AS place '
    "LEFT JOIN audit_entry AS entry ON entry.id = place.entry_id "
    'WHERE place."index" >= %s AND place."index" < %s ORDER BY place."index"'
)
_WAITING: Final = (
    "SELECT NULL, NULL, {entry} FROM audit_entry AS entry "
    "WHERE entry.id > %s AND NOT EXISTS "
    "(SELECT 1 FROM audit_leaf AS place WHERE place.entry_id = entry.id) "
    "ORDER BY entry.id LIMIT %s"
)

Visit = Callable[[int, bytes], Iterator[Finding]]


class Row(NamedTuple):
    """A place and its entry as the database holds them; the entry may be missing."""

    place: int | None
    placed_hash: bytes | None
    id: int | None
    leaf: bytes
    leaf_hash: bytes
    uuid: str
    time: str
    event: str
    verdict: str
    purpose: str
    role: str
    act: str
    number: int | None


def check_places(
    *, size: int, store: TileStore, published: int, visit: Visit, progress: Callable[[int], None]
) -> Iterator[Finding]:
    """Check the places below `size`, and the files below `published`, in the order of the tree."""
    tiles = _Tiles(store, published)
    expected = 0
    for start in range(0, size, CHUNK):
        for row in placed(start, min(start + CHUNK, size)):
            if row.place != expected:
                yield Finding("place", f"index {expected}: no entry has this place")
                # What follows stands elsewhere in the tree than it says: files cannot be compared.
                return
            yield from check_row(row)
            hashed = row.placed_hash or b""
            expected += 1
            yield from visit(expected, hashed)
            yield from tiles.push(row.leaf or b"", hashed)
        progress(expected)
    if expected != size:
        yield Finding("place", f"the tree says {size} entries, there are {expected} places")
    yield from tiles.finish()


def placed(start: int, end: int) -> Iterator[Row]:
    """Return the places from `start` to below `end`, in order."""
    return _rows(_PLACED, start, end)


def check_waiting() -> Iterator[Finding]:
    """Check the entries that have no place yet."""
    after = 0
    while rows := list(_rows(_WAITING, after, CHUNK)):
        for row in rows:
            yield from check_row(row)
        after = rows[-1].id or 0


def check_row(row: Row) -> Iterator[Finding]:
    """Hold an entry against its leaf, and its place against the entry."""
    where = f"entry {row.uuid}" if row.place is None else f"index {row.place}, entry {row.uuid}"
    if row.id is None:
        yield Finding("entry", f"index {row.place}: no entry has this place")
        return
    if sha256(b"\x00" + row.leaf).digest() != row.leaf_hash:
        yield Finding("leaf hash", f"{where}: the leaf hash is not that of the leaf")
    elif row.place is not None and row.placed_hash != row.leaf_hash:
        yield Finding("leaf hash", f"{where}: the place holds another hash than its entry")
    try:
        fields = read(row.leaf)
    except LeafError as error:
        yield Finding("leaf", f"{where}: {str(error).rstrip('.')}")
        return
    if wrong := _wrong_column(row, fields):
        yield Finding("column", f"{where}: the column {wrong} is not the leaf's")


def _wrong_column(row: Row, fields: dict[str, Json]) -> str | None:
    if row.uuid != fields.get("id"):
        return "uuid"
    # Columns know microseconds, a leaf says milliseconds.
    if f"{str(fields.get('t'))[:-1]}000Z" != row.time:
        return "occurred_at"
    if fields.get("n") != row.number:
        return "count"
    for column, name in _COLUMNS:
        if getattr(row, column) != fields.get(name, ""):
            return column
    return None


def _refuse_float(text: str) -> Json:
    raise LeafError(f"{text} is outside the profile.")


_decode = json.JSONDecoder(parse_float=_refuse_float, parse_constant=_refuse_float).decode
_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


def read(body: bytes) -> dict[str, Json]:
    """Return the fields of a canonical leaf. Raises LeafError.

    What says the same when it is written again is canonical; whatever does not, or could hold what
    the profile excludes, is left to the careful reading.
    """
    try:
        text = body.decode("utf-8")
        fields = _decode(text)
        if isinstance(fields, dict) and "\\u" not in text and _encode(fields) == text:
            return fields
    except (ValueError, RecursionError):
        pass
    return leaf.parse(body)


class _Tiles:
    """The tiles of each level that are not full yet, compared with the files as they fill."""

    def __init__(self, store: TileStore, published: int) -> None:
        self._store = store
        self._published = published
        self._size = 0
        self._bundle: list[bytes] = []
        self._levels: list[list[bytes]] = [[]]

    def push(self, body: bytes, hashed: bytes) -> Iterator[Finding]:
        """Add a leaf; yield what its tiles hold differently once they are full."""
        if self._size >= self._published:
            return
        self._bundle.append(body)
        self._levels[0].append(hashed)
        self._size += 1
        if len(self._bundle) == WIDTH:
            yield from self._compare_bundle()
            yield from self._compare_up(0)

    def finish(self) -> Iterator[Finding]:
        """Yield what the partial tiles of the published size hold differently."""
        if self._bundle:
            yield from self._compare_bundle()
        for level, row in enumerate(self._levels):
            if row:
                yield from self._compare(level, row)

    def _compare_up(self, level: int) -> Iterator[Finding]:
        row = self._levels[level]
        yield from self._compare(level, row)
        if level + 1 == len(self._levels):
            self._levels.append([])
        self._levels[level + 1].append(tree.perfect_root(row))
        self._levels[level] = []
        if len(self._levels[level + 1]) == WIDTH:
            yield from self._compare_up(level + 1)

    def _compare_bundle(self) -> Iterator[Finding]:
        number = (self._size - 1) // WIDTH
        expected = bundle(self._bundle)
        held = self._store.read(ENTRIES, number, len(self._bundle))
        if held is None:
            yield Finding("tile", f"entry bundle {number}: it is missing")
        elif held[: len(expected)] != expected or (
            len(held) != len(expected) and len(self._bundle) == WIDTH
        ):
            at = _first_difference(held, self._bundle)
            yield Finding("tile", f"index {number * WIDTH + at}: entry bundle {number} differs")
        self._bundle = []

    def _compare(self, level: int, row: Sequence[bytes]) -> Iterator[Finding]:
        number = ((self._size >> (8 * level)) - 1) // WIDTH
        expected = b"".join(row)
        held = self._store.read(level, number, len(row))
        if held is None:
            yield Finding("tile", f"tile {number} of level {level}: it is missing")
        elif held[: len(expected)] != expected or (
            len(held) != len(expected) and len(row) == WIDTH
        ):
            yield Finding("tile", f"tile {number} of level {level}: it holds other hashes")


def _first_difference(held: bytes, leaves: Sequence[bytes]) -> int:
    """Return which leaf of a bundle is the first that differs."""
    at = 0
    for number, body in enumerate(leaves):
        framed = bundle([body])
        if held[at : at + len(framed)] != framed:
            return number
        at += len(framed)
    return len(leaves) - 1


def _rows(statement: str, *bounds: int) -> Iterator[Row]:
    """Run a query outside the ORM; PostgreSQL sends leaves as bytes, not as hexadecimal text."""
    query = statement.format(entry=_ENTRY.format(**_WRITTEN[connection.vendor]))
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
            yield from map(Row._make, cursor.execute(query, bounds, binary=True))
        return
    with connection.cursor() as cursor:
        cursor.execute(query, bounds)
        for raw in cursor.fetchall():
            yield _from_sqlite(raw)


def _from_sqlite(raw: tuple[Any, ...]) -> Row:
    row = Row._make(raw)
    if row.id is None:
        return row
    hexed = row.uuid
    dashed = f"{hexed[:8]}-{hexed[8:12]}-{hexed[12:16]}-{hexed[16:20]}-{hexed[20:]}"
    return row._replace(uuid=dashed)
