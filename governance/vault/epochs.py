"""Epochs of the key store: what wraps every key now, and how that is changed.

Promise: no key is stored unwrapped, and a wrapped key opens only in its own row (its place is
authenticated). Rotation wraps every key anew and destroys the old key-encryption key, after which
no older copy of the key store opens, erased or not. Where key-encryption keys lie is the matter of
`wrapping`. Locks: who adds a key shares the epoch's row, who rotates or destroys holds it alone, so
that nothing slips past an erasure.
"""

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter

from django.db import connections, transaction
from django.utils import timezone

from governance.vault import rewrap, wrapping
from governance.vault.binding import bind
from governance.vault.errors import UnsealError
from governance.vault.models import Epoch, StoredKey
from governance.vault.rewrap import Wrapped
from governance.vault.router import KEY_STORE
from governance.vault.wrapping import KEY_BYTES, NONCE_BYTES, Plain, Sealed

__all__ = [
    "KEY_BYTES",
    "NONCE_BYTES",
    "Wrapped",
    "current",
    "rotate",
    "tidy",
    "unwrap",
    "unwrap_all",
    "wrap",
]


def current(*, alone: bool = False) -> int:
    """Return the epoch that wraps new keys and hold its row until the transaction ends.

    Must be called inside a transaction of the key store. `alone` excludes everyone who adds
    keys; without it callers share the row. SQLite's transactions hold the whole file anyway.
    """
    newest = _locked(alone=alone)
    if newest is None:
        wrapping.chosen().make(1)
        rewrap.begin(1)
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
    return _head(epoch) + _rest(key)


def _head(epoch: int) -> bytes:
    return bind("remit key v1", epoch)


def _rest(key: StoredKey | Wrapped) -> bytes:
    return bind(str(key.id), key.kind, key.owner, key.scope, key.generation)


def wrap(key: StoredKey, secret: bytes, *, epoch: int) -> None:
    """Put a secret into its row, wrapped under an epoch and bound to the row's place."""
    _wrap_all([key], [secret], epoch=epoch)


def _wrap_all(keys: Sequence[StoredKey], secrets: Sequence[bytes], *, epoch: int) -> None:
    plain = [Plain(_place(key, epoch), secret) for key, secret in zip(keys, secrets, strict=True)]
    for key, sealed in zip(keys, wrapping.chosen().wrap(epoch, plain), strict=True):
        key.epoch = epoch
        key.nonce = sealed.nonce
        key.wrapped = sealed.wrapped


def unwrap(key: StoredKey | Wrapped) -> bytes:
    """Return a row's secret; UnsealError when the row was moved, mixed or damaged."""
    return unwrap_all([key])[0]


def unwrap_all(keys: Sequence[StoredKey | Wrapped]) -> list[bytes]:
    """Return each row's secret, as `unwrap` does."""
    wrapper = wrapping.chosen()
    secrets = []
    # Almost always one group; rows read on both sides of a rotation alternate at worst.
    for epoch, rows in groupby(keys, attrgetter("epoch")):
        sealed = [Sealed(_place(row, epoch), bytes(row.nonce), bytes(row.wrapped)) for row in rows]
        secrets += wrapper.unwrap(epoch, sealed)
    return secrets


def rotate() -> int:
    """Begin an epoch: wrap every key anew, then destroy the keys of all earlier epochs.

    After it no earlier copy of the key store opens. A crash in between leaves either the old
    epoch whole or the new one; `tidy` then removes what no row needs. RuntimeError inside a
    transaction: were that rolled back, the destroyed key would be needed again.
    """
    with transaction.atomic(using=KEY_STORE, durable=True):
        new = current(alone=True) + 1
        wrapping.chosen().make(new)
        rewrap.all_keys(new, partial(_rewrapped, new))
        Epoch.objects.create(number=new, started_at=timezone.now())
    tidy()
    return new


def _rewrapped(new: int, keys: Sequence[Wrapped]) -> list[Sealed]:
    wrapper = wrapping.chosen()
    tails = [_rest(key) for key in keys]
    secrets: list[bytes] = []
    # Almost always one group.
    for old, group in groupby(zip(keys, tails, strict=True), lambda pair: pair[0].epoch):
        head = _head(old)
        sealed = [Sealed(head + tail, bytes(key.nonce), bytes(key.wrapped)) for key, tail in group]
        secrets += wrapper.unwrap(old, sealed)
    head = _head(new)
    pairs = zip(tails, secrets, strict=True)
    return wrapper.wrap(new, [Plain(head + tail, secret) for tail, secret in pairs])


def tidy() -> list[int]:
    """Destroy the keys of epochs that wrap nothing any more; return their numbers."""
    wrapper = wrapping.chosen()
    with transaction.atomic(using=KEY_STORE, durable=True):
        newest = current(alone=True)
        needed = set(StoredKey.objects.values_list("epoch", flat=True).distinct()) | {newest}
        gone = [number for number in wrapper.epochs() if number < newest and number not in needed]
        for number in gone:
            wrapper.destroy(number)
        Epoch.objects.filter(number__in=gone).delete()
    return gone
