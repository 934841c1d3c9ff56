"""Key-encryption keys: one per epoch, in a file outside every database and every backup of one.

Promise: no key is stored unwrapped, and a wrapped key opens only in its own row (its place is
authenticated). Rotation wraps every key anew and destroys the old file, after which no older copy
of the key store opens, erased or not. A process keeps one epoch's cipher and asks each time whether
its file is still there and the same, so what was destroyed opens nothing here either. Locks: who
adds a key shares the epoch's row, who rotates or destroys holds it alone, so that nothing slips
past an erasure.
"""

from collections.abc import Sequence
from pathlib import Path
from secrets import token_bytes
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from governance.vault import files
from governance.vault.binding import bind
from governance.vault.errors import KeyFileError, UnsealError
from governance.vault.models import Epoch, StoredKey
from governance.vault.router import KEY_STORE

KEY_BYTES = 32
NONCE_BYTES = 12
_CHUNK = 1000


class Wrapped(NamedTuple):
    """A stored key as the database gives it: what opens it, and the place it is bound to."""

    id: UUID
    kind: str
    owner: str
    scope: str
    generation: int
    epoch: int
    nonce: bytes
    wrapped: bytes


# The cipher of the epoch used last, with the file it came from as that file was then.
_kept: list[tuple[str, tuple[int, ...], AESGCM]] = []


def _path(number: int) -> Path:
    return Path(settings.REMIT_VAULT_DIR) / "kek" / f"epoch-{number}.key"


def _cipher(number: int) -> AESGCM:
    """Return an epoch's cipher while its file is there, whole and unchanged since it was read."""
    name = f"{settings.REMIT_VAULT_DIR}/kek/epoch-{number}.key"
    try:
        found = files.identity(name)
    except KeyFileError:
        _kept.clear()
        raise
    for path, read, cipher in _kept:
        if (path, read) == (name, found):
            return cipher
    cipher = AESGCM(files.read_secret(_path(number), length=KEY_BYTES))
    _kept[:] = [(name, found, cipher)]
    return cipher


def current(*, alone: bool = False) -> int:
    """Return the epoch that wraps new keys and hold its row until the transaction ends.

    Must be called inside a transaction of the key store. `alone` excludes everyone who adds
    keys; without it callers share the row. SQLite's transactions hold the whole file anyway.
    """
    newest = _locked(alone=alone)
    if newest is None:
        files.write_once(_path(1), token_bytes(KEY_BYTES))
        Epoch.objects.bulk_create([Epoch(number=1)], ignore_conflicts=True)
        newest = _locked(alone=alone)
    if newest is None:
        raise UnsealError("The key store has no epoch.")
    return newest


def _locked(*, alone: bool) -> int | None:
    connection = connections[KEY_STORE]
    lock = ""
    if connection.vendor == "postgresql":
        lock = " FOR UPDATE" if alone else " FOR SHARE"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT number FROM vault_epoch ORDER BY number DESC LIMIT 1{lock}"  # noqa: S608 - two constants.
        )
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def _place(key: StoredKey | Wrapped, epoch: int) -> bytes:
    return bind("remit key v1", epoch, str(key.id), key.kind, key.owner, key.scope, key.generation)


def wrap(key: StoredKey, secret: bytes, *, epoch: int) -> None:
    """Put a secret into its row, wrapped under an epoch and bound to the row's place."""
    nonce = token_bytes(NONCE_BYTES)
    key.epoch = epoch
    key.nonce = nonce
    key.wrapped = _cipher(epoch).encrypt(nonce, secret, _place(key, epoch))


def unwrap(key: StoredKey | Wrapped) -> bytes:
    """Return a row's secret; UnsealError when the row was moved, mixed or damaged."""
    return unwrap_all([key])[0]


def unwrap_all(keys: Sequence[StoredKey | Wrapped]) -> list[bytes]:
    """Return each row's secret, as `unwrap` does."""
    ciphers = {epoch: _cipher(epoch) for epoch in {key.epoch for key in keys}}
    try:
        return [
            ciphers[key.epoch].decrypt(bytes(key.nonce), bytes(key.wrapped), _place(key, key.epoch))
            for key in keys
        ]
    except InvalidTag as error:
        raise UnsealError("The wrapped key does not belong to this row.") from error


def rotate() -> int:
    """Begin an epoch: wrap every key anew, then destroy the keys of all earlier epochs.

    After it no earlier copy of the key store opens. A crash in between leaves either the old
    epoch whole or the new one; `tidy` then removes what no row needs. RuntimeError inside a
    transaction: were that rolled back, the destroyed file would be needed again.
    """
    with transaction.atomic(using=KEY_STORE, durable=True):
        new = current(alone=True) + 1
        files.write_once(_path(new), token_bytes(KEY_BYTES))
        for ids in _chunks(new):
            rows = list(StoredKey.objects.filter(pk__in=ids))
            for row, secret in zip(rows, unwrap_all(rows), strict=True):
                wrap(row, secret, epoch=new)
            StoredKey.objects.bulk_update(rows, ["epoch", "nonce", "wrapped"])
        Epoch.objects.create(number=new, started_at=timezone.now())
    tidy()
    return new


def _chunks(new: int) -> list[list[UUID]]:
    ids: list[UUID] = list(
        StoredKey.objects.exclude(epoch=new).order_by("pk").values_list("pk", flat=True)
    )
    return [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]


def tidy() -> list[int]:
    """Destroy the key files of epochs that wrap nothing any more; return their numbers."""
    with transaction.atomic(using=KEY_STORE, durable=True):
        newest = current(alone=True)
        needed = set(StoredKey.objects.values_list("epoch", flat=True).distinct()) | {newest}
        gone = []
        for path in sorted(_path(0).parent.glob("epoch-*.key")):
            number = int(path.stem.removeprefix("epoch-"))
            if number < newest and number not in needed:
                files.destroy(path)
                _kept.clear()
                gone.append(number)
        Epoch.objects.filter(number__in=gone).delete()
    return gone
