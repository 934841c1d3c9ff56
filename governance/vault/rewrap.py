"""Wraps every stored key anew, for the epoch that begins.

Promise: within the caller's transaction every row, and none twice; a row is read, wrapped and
written without Django between, which takes longer over it than the ciphers do.
"""

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connections

from audit import plain, sql
from governance.vault.router import KEY_STORE
from governance.vault.wrapping import Sealed

_CHUNK: Final = 5000
_COLUMNS: Final = "id, kind, owner, scope, generation, epoch, nonce, wrapped"
_OF_SQLITE: Final = f"rowid, {_COLUMNS}"
# As text, what is only handed on.
_OF_POSTGRESQL: Final = f"id, created_at::text, id::text AS key_id, {_COLUMNS.removeprefix('id, ')}"


class Wrapped(NamedTuple):
    """A stored key as the database gives it: what opens it, and the place it is bound to."""

    id: str
    kind: str
    owner: str
    scope: str
    generation: int
    epoch: int
    nonce: bytes
    wrapped: bytes


def wrapped(row: Sequence[Any]) -> Wrapped:
    """Return a row of the driver's, its id as everywhere: SQLite keeps 32 hexadecimal digits."""
    key_id, *rest = row
    if isinstance(key_id, UUID):
        return Wrapped(str(key_id), *rest)
    text = f"{key_id[:8]}-{key_id[8:12]}-{key_id[12:16]}-{key_id[16:20]}-{key_id[20:]}"
    return Wrapped(text, *rest)


Fresh = Callable[[Sequence[Wrapped]], Sequence[Sealed]]


def begin(epoch: int) -> None:
    """Make room for the first epoch's keys; PostgreSQL keeps each in a table of its own."""
    if connections[KEY_STORE].vendor == "postgresql":
        for step in ("vault_begin_epoch", "vault_attach_epoch"):
            sql.rows(f"SELECT {step}(%s)", [epoch], using=KEY_STORE)


def all_keys(new: int, fresh: Fresh) -> None:
    """Put what `fresh` gives into every row, under the epoch `new`."""
    with _uncollected(), plain.cursor(KEY_STORE) as reader, plain.cursor(KEY_STORE) as writer:
        if connections[KEY_STORE].vendor == "postgresql":
            _copy(reader, writer, new, fresh)
        else:
            _update(reader, writer, new, fresh)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Search for no garbage: nothing here refers to itself, and searching takes a third more."""
    is_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_on:
            gc.enable()


def _copy(reader: Any, writer: Any, new: int, fresh: Fresh) -> None:  # noqa: ANN401 - drivers'.
    """Copy all rows into the new epoch's table and drop the old one: nothing of it stays.

    The server reads the next rows and writes the last ones while these are wrapped here.
    """
    writer.execute("SELECT vault_begin_epoch(%s)", [new])
    chunks = _chunks(reader, _OF_POSTGRESQL, "%s", new)
    with ThreadPoolExecutor(1) as server:
        coming: Future[list[Any]] = server.submit(next, chunks, [])
        written: list[Future[None]] = []
        while rows := coming.result():
            coming = server.submit(next, chunks, [])
            written.append(server.submit(_write, writer, new, _lines(rows, new, fresh)))
        for future in written:
            future.result()
    writer.execute("SELECT vault_end_epochs(%s)", [new])
    writer.execute("SELECT vault_attach_epoch(%s)", [new])


def _lines(rows: Sequence[Any], new: int, fresh: Fresh) -> str:
    """Return the new rows as COPY reads them.

    By hand: the driver takes longer over each value than the ciphers over a key.
    """
    keys = [Wrapped(*row[2:]) for row in rows]
    return "".join(
        f"{key.id}\t{key.kind}\t{_text(key.owner)}\t{_text(key.scope)}\t{key.generation}\t{new}"
        f"\t\\\\x{sealed.nonce.hex()}\t\\\\x{sealed.wrapped.hex()}\t{row[1]}\n"
        for row, key, sealed in zip(rows, keys, fresh(keys), strict=True)
    )


def _write(writer: Any, new: int, lines: str) -> None:  # noqa: ANN401 - a driver's.
    statement = f"COPY vault_storedkey_e{int(new)} ({_COLUMNS}, created_at) FROM STDIN"
    with writer.copy(statement) as copy:
        copy.write(lines)


def _text(value: str) -> str:
    """Return a text as COPY reads it."""
    if value.isprintable() and "\\" not in value:
        return value
    for letter, escaped in (("\\", r"\\"), ("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r")):
        value = value.replace(letter, escaped)
    return value


def _update(reader: Any, writer: Any, new: int, fresh: Fresh) -> None:  # noqa: ANN401 - drivers'.
    """Overwrite each row where it lies (`secure_delete`); SQLite finds it by its number."""
    for rows in _chunks(reader, _OF_SQLITE, "?", new):
        sealed = fresh([wrapped(row[1:]) for row in rows])
        writer.executemany(
            "UPDATE vault_storedkey SET epoch = ?, nonce = ?, wrapped = ? WHERE rowid = ?",
            [(new, key.nonce, key.wrapped, row[0]) for row, key in zip(rows, sealed, strict=True)],
        )


def _chunks(cursor: Any, columns: str, mark: str, new: int) -> Iterator[list[Any]]:  # noqa: ANN401 - a driver's.
    """Yield all rows, in the order of their first column, before which nothing is asked again."""
    place = columns.partition(",")[0]
    binary = {"binary": True} if columns is _OF_POSTGRESQL else {}
    last: object = None
    while True:
        after = "" if last is None else f"AND {place} > {mark} "
        cursor.execute(
            f"SELECT {columns} FROM vault_storedkey "  # noqa: S608 - constants.
            f"WHERE epoch <> {mark} {after}ORDER BY {place} LIMIT {_CHUNK}",
            [new] if last is None else [new, last],
            **binary,
        )
        rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        last = rows[-1][0]
