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

from django.db import connections, transaction
from django.utils import timezone

from audit import sql
from governance.vault import ledger
from governance.vault.binding import bind
from governance.vault.errors import NoGrantError
from governance.vault.models import KeyRelease
from governance.vault.router import KEY_STORE

# Any fixed number; it names this lock among the key store's advisory locks.
_ADVISORY_KEY: Final = 0x56415543
_CHUNK: Final = 2000
_HEAD: Final = "id, link FROM vault_keyrelease ORDER BY id DESC LIMIT 1"
_BEFORE: Final = f"""
    SELECT (SELECT 1 FROM vault_keyrelease WHERE entry = %s AND key = %s), {_HEAD}
"""  # noqa: S608 - a constant.
_LINE: Final = """
    INSERT INTO vault_keyrelease (id, entry, key, released_at, link) VALUES (%s, %s, %s, %s, %s)
"""


class Head(NamedTuple):
    """The newest line: how many there are, and what the next one is sealed to."""

    number: int
    link: bytes


def head() -> Head:
    """Return the newest line; zero and nothing when there is none."""
    found = sql.row(f"SELECT {_HEAD}", using=KEY_STORE)
    return Head(0, b"") if found is None else Head(int(found[0]), bytes(found[1] or b""))


def write(*, entry: UUID, key: str) -> None:
    """Commit a line; once per entry and key. NoGrantError where it would not be committed."""
    keys = connections[KEY_STORE]
    if not keys.in_atomic_block and not keys.get_autocommit():
        raise NoGrantError("The key store does not commit.")
    try:
        with transaction.atomic(using=KEY_STORE, durable=True):
            if keys.vendor == "postgresql":
                # One writer at a time, from the line it is sealed to until its own is committed.
                sql.row("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_KEY], using=KEY_STORE)
            _write(entry, key)
    except RuntimeError as error:
        raise NoGrantError("Nothing is opened inside a transaction.") from error


def _write(entry: UUID, key: str) -> None:
    is_written, number, link = sql.row(_BEFORE, [entry, key], using=KEY_STORE) or (None, 0, b"")
    if is_written is None:
        number, at = int(number) + 1, timezone.now()
        link = _link(_secret(), bytes(link or b""), number, entry, key, at)
        sql.rows(_LINE, [number, entry, key, at, link], using=KEY_STORE)


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
