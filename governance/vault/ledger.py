"""The erasure ledger: what was destroyed stays destroyed, also after a restore.

A line holds a token, an HMAC under a key file of the ledger's own, so the ledger names no one
and still recognises a subject or object that somebody tries to bring back. Lines are only ever
added (a trigger refuses the rest).
"""

import hmac
from datetime import datetime
from pathlib import Path
from secrets import token_bytes

from django.conf import settings

from governance.vault import files
from governance.vault.binding import bind
from governance.vault.models import Tombstone

_KEY_BYTES = 32


def secret() -> bytes:
    """Return the ledger's own key, made at the first call."""
    path = Path(settings.REMIT_VAULT_DIR) / "ledger.key"
    if not path.exists():
        files.write_once(path, token_bytes(_KEY_BYTES))
    return files.read_secret(path, length=_KEY_BYTES)


def _token(*parts: str) -> bytes:
    return hmac.digest(secret(), bind("remit tombstone v1", *parts), "sha256")


def bury(*parts: str, keys: int, at: datetime) -> Tombstone:
    """Write that something is destroyed for good; the first line stands when there is one."""
    line, _ = Tombstone.objects.get_or_create(
        token=_token(*parts), defaults={"keys": keys, "destroyed_at": at}
    )
    return line


def find(*parts: str) -> Tombstone | None:
    """Return the line about something, or None while it may live."""
    return Tombstone.objects.filter(token=_token(*parts)).first()
