"""The erasure ledger: what was destroyed stays destroyed, also after a restore.

A line holds a token, an HMAC under a key file of the ledger's own, so the ledger names no one
and still recognises a person, a cell or an object that somebody tries to bring back. Its number
says more where there is more to say: up to which generation a cell's keys are dead, or at which
consent epoch a person last ended something. Lines are only ever added (a trigger refuses the rest),
and each is hashed over the one before. A file outside the database (`ledger_file`) holds them too.
"""

import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_bytes
from typing import Final, NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import sql
from governance.vault import files, ledger_file
from governance.vault.binding import bind
from governance.vault.ledger_file import Line
from governance.vault.models import LedgerLine
from governance.vault.router import KEY_STORE

_KEY_BYTES: Final = 32
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Burial(NamedTuple):
    """That something was destroyed for good: how many keys, and when."""

    keys: int
    at: datetime


def secret() -> bytes:
    """Return the ledger's own key, made at the first call."""
    path = Path(settings.REMIT_VAULT_DIR) / "ledger.key"
    if not path.exists():
        files.write_once(path, token_bytes(_KEY_BYTES))
    return files.read_secret(path, length=_KEY_BYTES)


class Tokens:
    """Makes many tokens with the key read once."""

    def __init__(self) -> None:
        """Read the ledger's key."""
        self._secret = secret()

    def of(self, *parts: str) -> bytes:
        """Return what stands in the ledger for these parts."""
        return hmac.digest(self._secret, bind("remit tombstone v1", *parts), "sha256")


def _token(*parts: str) -> bytes:
    return Tokens().of(*parts)


def bury(*parts: str, keys: int, at: datetime) -> Burial:
    """Write that something is destroyed for good; the first line stands when there is one.

    Whoever writes lines holds the epoch alone (`epochs.current`), here and below.
    """
    known = find(*parts)
    if known is None:
        _add(_token(*parts), keys, at)
        return Burial(keys, at)
    _keep()
    return known


def find(*parts: str) -> Burial | None:
    """Return the line about something, or None while it may live."""
    row = LedgerLine.objects.filter(token=_token(*parts)).order_by("number").first()
    return None if row is None else Burial(row.value, row.at)


def raise_to(*parts: str, value: int) -> None:
    """Write a number about something, unless one as high stands there already."""
    token = _token(*parts)
    highest = sql.row(_HIGHEST, [token], using=KEY_STORE)[0]
    if highest is None or highest < value:
        _add(token, value, timezone.now())
    else:
        _keep()


_HIGHEST: Final = "SELECT MAX(value) FROM vault_ledger WHERE token = %s"
_STANDING: Final = f"SELECT (SELECT MAX(number) FROM vault_ledger), ({_HIGHEST})"  # noqa: S608 - constants.


def standing(*parts: str) -> tuple[int, int]:
    """Return how many lines the database holds, and the highest number about something."""
    count, highest = sql.row(_STANDING, [_token(*parts)], using=KEY_STORE)
    return count or 0, highest or 0


def highest() -> dict[bytes, int]:
    """Return the highest number of every token, from the database."""
    found: dict[bytes, int] = {}
    for row in LedgerLine.objects.all().iterator():
        token = bytes(row.token)
        found[token] = max(row.value, found.get(token, 0))
    return found


def count() -> int:
    """Return how many lines the database holds."""
    return standing("")[0]


def newest() -> Line | None:
    """Return the last line that the database holds."""
    row = LedgerLine.objects.order_by("-number").first()
    return None if row is None else _line(row)


def take_in(missing: list[Line]) -> None:
    """Put lines of the file back that the database no longer has."""
    count = LedgerLine.objects.count()
    LedgerLine.objects.bulk_create(
        LedgerLine(
            number=number,
            token=line.token,
            value=line.value,
            at=_START + timedelta(microseconds=line.at),
            link=line.link,
        )
        for number, line in enumerate(missing, count + 1)
    )


def _add(token: bytes, value: int, at: datetime) -> None:
    newest = LedgerLine.objects.order_by("-number").first()
    number, before = (newest.number, bytes(newest.link)) if newest else (0, b"")
    link = ledger_file.link(before, token, value, _microseconds(at))
    LedgerLine.objects.create(number=number + 1, token=token, value=value, at=at, link=link)
    _keep()


def _keep() -> None:
    """Bring the file up to the database right after the commit."""
    transaction.on_commit(write_file, using=KEY_STORE)


def write_file() -> None:
    """Add to the file what it lacks. LedgerBrokenError when the two tell different stories."""
    with ledger_file.held() as file:
        rows = LedgerLine.objects.filter(number__gte=file.count).order_by("number")
        found = [_line(row) for row in rows]
        if file.count:
            file.extend(found[0] if found else None, found[1:])
        else:
            file.extend(None, found)


def _line(row: LedgerLine) -> Line:
    return Line(bytes(row.token), row.value, _microseconds(row.at), bytes(row.link))


def _microseconds(at: datetime) -> int:
    return (at - _START) // timedelta(microseconds=1)
