"""The vault's own journal: which key was used under which entry, line sealed to line.

Promise: a line is on disk before the first byte leaves, once per entry and key; lines are numbered
1, 2, 3, ... without a gap, and each carries a MAC over itself and the one before, so that a line
removed, edited, moved or put in shows in a check. The MAC's key is a file beside the key store:
who edits the database alone cannot make a journal of their own. The log holds number and MAC of
the newest line as they were each night (`governance.rights.renewal`), against who has both.
"""

import hmac
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connections
from django.utils import timezone

from audit import committed, sql
from governance.vault import ledger
from governance.vault.binding import bind
from governance.vault.errors import NoGrantError
from governance.vault.models import KeyRelease
from governance.vault.router import KEY_STORE

_CHUNK: Final = 2000
_HEAD: Final = "id, link FROM vault_keyrelease ORDER BY id DESC LIMIT 1"
_BEFORE: Final = f"""
    SELECT (SELECT 1 FROM vault_keyrelease WHERE entry = %s AND key = %s), {_HEAD}
"""  # noqa: S608 - a constant.
# One statement commits by itself: a line is written right after the one that it is sealed to, or
# not at all. Of two writers the table lets one through, and the other looks again.
_COLUMNS: Final = "INSERT INTO vault_keyrelease (id, entry, key, released_at, link)"
_ONCE: Final = "ON CONFLICT DO NOTHING RETURNING 1"
_FIRST: Final = f"{_COLUMNS} VALUES (%s, %s, %s, %s, %s) {_ONCE}"
_NEXT: Final = f"""
    {_COLUMNS} SELECT %s, %s, %s, %s, %s FROM vault_keyrelease
    WHERE id = %s AND link = %s AND id = (SELECT max(id) FROM vault_keyrelease) {_ONCE}
"""  # noqa: S608 - constants.


class Head(NamedTuple):
    """The newest line: how many there are, and what the next one is sealed to."""

    number: int
    link: bytes


def head() -> Head:
    """Return the newest line; zero and nothing when there is none."""
    found = sql.row(f"SELECT {_HEAD}", using=KEY_STORE)
    return Head(0, b"") if found is None else Head(int(found[0]), bytes(found[1] or b""))


# The line this process wrote last, which usually is the newest still.
_written: dict[str, Head] = {}


def write(*, entry: UUID, key: str) -> None:
    """Commit a line; once per entry and key. NoGrantError where it would not be committed."""
    keys = connections[KEY_STORE]
    if not keys.in_atomic_block and not keys.get_autocommit():
        raise NoGrantError("The key store does not commit.")
    try:
        known = _written.get(_store())
        while known is None or not _append(known, entry, key):
            known = _newest_but(entry, key)
            if known is None:
                return
    except RuntimeError as error:
        raise NoGrantError("Nothing is opened inside a transaction.") from error


def _store() -> str:
    return str(connections[KEY_STORE].settings_dict["NAME"])


def _newest_but(entry: UUID, key: str) -> Head | None:
    """Return the newest line, or None when this entry and key have theirs."""
    with committed.alone(KEY_STORE):
        found = sql.row(_BEFORE, [entry, key], using=KEY_STORE)
    is_written, number, link = found or (None, 0, b"")
    return None if is_written else Head(int(number), bytes(link or b""))


def _append(before: Head, entry: UUID, key: str) -> bool:
    """Commit a line sealed to the one before, unless that is not the newest any more."""
    number, at = before.number + 1, timezone.now()
    link = _link(_secret(), before.link, number, entry, key, at)
    line = [number, entry, key, at, link]
    with committed.alone(KEY_STORE):
        if before.link:
            done = sql.row(_NEXT, [*line, before.number, before.link], using=KEY_STORE)
        else:
            done = sql.row(_FIRST, line, using=KEY_STORE)
    if done:
        _written[_store()] = Head(number, link)
    return done is not None


def faults() -> Iterator[str]:
    """Return a line for each place where the journal is not the one that was written.

    Lines without a MAC are older than the chain; none may follow one that has it.
    """
    secret = _secret()
    before = Head(0, b"")
    for row in KeyRelease.objects.order_by("id").iterator(chunk_size=_CHUNK):
        here = Head(row.id, bytes(row.link or b""))
        if before.link and here.number != before.number + 1:
            yield f"release {before.number + 1}: it is missing from the key store's journal"
        elif (here.link or before.link) and not hmac.compare_digest(
            here.link,
            _link(secret, before.link, row.id, row.entry, row.key, row.released_at),
        ):
            yield f"release {here.number}: it, or the one before, is not as it was written"
        before = here


def _secret() -> bytes:
    return hmac.digest(ledger.secret(), b"remit unwrap journal v1", "sha256")


def _link(secret: bytes, before: bytes, number: int, entry: UUID, key: str, at: datetime) -> bytes:
    line = bind("remit release v1", number, str(entry), key, int(at.timestamp() * 1_000_000))
    return hmac.digest(secret, before + line, "sha256")
