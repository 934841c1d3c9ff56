"""Wraps every stored key anew, for the epoch that begins.

Promise: within the caller's transaction every row, and none twice; a row is read, wrapped and
written without Django between, which takes longer over it than the ciphers do.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from audit import plain
from governance.vault.router import KEY_STORE
from governance.vault.wrapping import Sealed

_CHUNK: Final = 5000
_COLUMNS: Final = "id, kind, owner, scope, generation, epoch, nonce, wrapped"


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


def all_keys(new: int, fresh: Callable[[Sequence[Wrapped]], Sequence[Sealed]]) -> int:
    """Put what `fresh` gives into every row, under the epoch `new`; return how many there were."""
    count = 0
    with plain.cursor(KEY_STORE) as reader, plain.cursor(KEY_STORE) as writer:
        mark = plain.mark(KEY_STORE)
        # SQLite finds a row by its number without an index.
        place = "rowid" if mark == "?" else "id"
        for rows in _chunks(reader, mark, place, new):
            sealed = fresh([wrapped(row[1:]) for row in rows])
            writer.executemany(
                f"UPDATE vault_storedkey SET epoch = {mark}, nonce = {mark}, wrapped = {mark} "  # noqa: S608 - marks.
                f"WHERE {place} = {mark}",
                [
                    (new, key.nonce, key.wrapped, row[0])
                    for row, key in zip(rows, sealed, strict=True)
                ],
            )
            count += len(rows)
    return count


def _chunks(cursor: Any, mark: str, place: str, new: int) -> Iterator[list[Any]]:  # noqa: ANN401 - a driver's.
    last: object = None
    while True:
        after = "" if last is None else f"AND {place} > {mark} "
        cursor.execute(
            f"SELECT {place}, {_COLUMNS} FROM vault_storedkey WHERE epoch <> {mark} {after}"  # noqa: S608 - constants.
            f"ORDER BY {place} LIMIT {_CHUNK}",
            [new] if last is None else [new, last],
        )
        rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        last = rows[-1][0]
