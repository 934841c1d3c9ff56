"""The keys that agents seal batches to (HPKE, RFC 9180, post-quantum hybrid where there is one).

Promise: private halves exist only as files (0600) under the vault directory, which only the
worker's user needs; the web tier reads public halves. A retired key is offered to no agent and
still opens what is under way; a destroyed one opens nothing, also in any copy of the data.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    Suite,
)
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import sql
from governance.vault import epochs, files
from governance.vault.errors import KeyShreddedError, UnsealError
from governance.vault.models import SealKey as StoredSealKey
from governance.vault.router import KEY_STORE

ALG: Final = "MLKEM768_X25519"
_INFO: Final = b"remit sealed-batch v1\x00"
# Asked with every policy that is signed.
_OFFERED: Final = """
    SELECT key_id, alg, public FROM vault_sealkey WHERE retired_at IS NULL
    ORDER BY created_at DESC, key_id
"""
_DESTROYED_AT: Final = "SELECT destroyed_at FROM vault_sealkey WHERE key_id = %s"
_MLKEM_SEED_BYTES = 64
_X25519_BYTES = 32


@dataclass(frozen=True, slots=True)
class SealKey:
    """What an agent needs to seal: `public` is ML-KEM-768 then X25519, raw (1,216 bytes)."""

    key_id: str
    alg: str
    public: bytes


def current() -> list[SealKey]:
    """Return the keys agents may seal to, newest first; the first call makes one."""
    return _offered() or [_first()]


def _offered() -> list[SealKey]:
    rows = sql.rows(_OFFERED, using=KEY_STORE)
    return [SealKey(key_id=key_id, alg=alg, public=bytes(public)) for key_id, alg, public in rows]


def _first() -> SealKey:
    with transaction.atomic(using=KEY_STORE):
        epochs.current(alone=True)
        offered = _offered()
        return offered[0] if offered else _make()


def _make() -> SealKey:
    mlkem, x25519 = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
    key_id = hashlib.sha256(public).hexdigest()[:16]
    # The file first: a public key that nobody can open must never be offered.
    files.write_once(_path(key_id), mlkem.private_bytes_raw() + x25519.private_bytes_raw())
    StoredSealKey.objects.create(key_id=key_id, alg=ALG, public=public)
    return SealKey(key_id=key_id, alg=ALG, public=public)


def rotate(*, now: datetime | None = None) -> SealKey:
    """Offer a new key and retire the others; they still open what was sealed before."""
    with transaction.atomic(using=KEY_STORE):
        epochs.current(alone=True)
        StoredSealKey.objects.filter(retired_at=None).update(retired_at=now or timezone.now())
        return _make()


def retire(*, key_id: str, now: datetime | None = None) -> None:
    """Offer a key to no agent any more; it still opens what was sealed to it."""
    rows = StoredSealKey.objects.filter(key_id=key_id, retired_at=None)
    rows.update(retired_at=now or timezone.now())


def destroy(*, key_id: str, now: datetime | None = None) -> None:
    """Destroy a key's private half: nothing sealed to it opens again. Safe to repeat."""
    retire(key_id=key_id, now=now)
    files.destroy(_path(key_id))
    rows = StoredSealKey.objects.filter(key_id=key_id, destroyed_at=None)
    rows.update(destroyed_at=now or timezone.now())


def is_open(key_id: str) -> bool:
    """Say whether what is sealed to this key can still be opened."""
    statement = "SELECT 1 FROM vault_sealkey WHERE key_id = %s AND destroyed_at IS NULL"
    return sql.row(statement, [key_id], using=KEY_STORE) is not None


def retired(*, before: datetime | None = None) -> list[str]:
    """Return the ids of keys that are offered to no one and not destroyed yet, oldest first."""
    rows = StoredSealKey.objects.filter(retired_at__isnull=False, destroyed_at=None)
    if before is not None:
        rows = rows.filter(retired_at__lte=before)
    return list(rows.order_by("retired_at").values_list("key_id", flat=True))


def unseal(*, key_id: str, header: bytes, sealed: bytes) -> bytes:
    """Open what an agent sealed under this header; only `vault.reading` calls this."""
    found = sql.row(_DESTROYED_AT, [key_id], using=KEY_STORE)
    if found is None:
        raise UnsealError("No key of ours has this id.")
    if found[0] is not None:
        raise KeyShreddedError("The key that this was sealed to is destroyed.")
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    try:
        return suite.decrypt(sealed, _private(key_id), info=info(header))
    except (InvalidTag, ValueError) as error:
        raise UnsealError("The sealed batch does not open under this header.") from error


def info(header: bytes) -> bytes:
    """Return the HPKE info that ties a sealed batch to its clear header."""
    return _INFO + hashlib.sha256(header).digest()


def _private(key_id: str) -> MLKEM768X25519PrivateKey:
    raw = files.read_secret(_path(key_id), length=_MLKEM_SEED_BYTES + _X25519_BYTES)
    return MLKEM768X25519PrivateKey(
        MLKEM768PrivateKey.from_seed_bytes(raw[:_MLKEM_SEED_BYTES]),
        X25519PrivateKey.from_private_bytes(raw[_MLKEM_SEED_BYTES:]),
    )


def _path(key_id: str) -> Path:
    return Path(settings.REMIT_VAULT_DIR) / "seal" / f"{key_id}.key"
