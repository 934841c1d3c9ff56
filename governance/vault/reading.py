"""Opens what was sealed, for the gate alone, and only under a committed audit entry.

Promise: no call here returns a byte unless an entry `access:allowed` is committed, says "allow",
is about the key's owner and younger than a minute, and the vault's own journal holds (entry,
key) on disk; and unless the key store is in order and the person ended no consent since
`consent_epoch`, under which the access was decided (`standing`). Nothing opens inside a
transaction, which could take the entry back, nor on a connection that was told not to commit;
PostgreSQL is asked itself which transaction wrote the entry. Leaves to others: whether the access
is right (governance.decisions), and keeping everybody but the gate away from here (the floors'
contract "gate").
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.utils import timezone

from audit import committed
from audit import selectors as audit
from audit.actions import Action, Verdict
from audit.selectors import Grant
from governance.vault import keyring, seal_keys, standing, unwraps
from governance.vault.epochs import NONCE_BYTES
from governance.vault.errors import KeyShreddedError, NoGrantError, UnsealError
from governance.vault.keyring import Key, Place
from governance.vault.models import KeyKind
from governance.vault.sealing import FrameRef, frame_context, object_context

__all__ = ["FrameRef", "Permit", "SealedBatch", "open_batches", "unseal_frame", "unseal_object"]

GRANT_SECONDS: Final = 60
_CLOCK_SECONDS: Final = 5


class Permit(NamedTuple):
    """What was allowed about one person: under which entry, decided at which consent epoch.

    `about` is whom the entry should be about; the entry itself is what is believed.
    """

    entry: UUID
    consent_epoch: int
    about: str = ""


class SealedBatch(NamedTuple):
    """What an agent sealed: to which key, under which header."""

    key_id: str
    header: bytes
    sealed: bytes


def unseal_frame(*, permit: Permit, frame: FrameRef, ciphertext: bytes) -> bytes:
    """Open one frame. NoGrantError, KeyShreddedError, UnsealError."""
    grant = _granted(permit)
    scope = keyring.cell_scope(application=frame.application, category=frame.category)
    key = keyring.find(Place(KeyKind.CELL, frame.subject, scope, frame.generation))
    return _open(grant, key, ciphertext, frame_context(frame))


def unseal_object(*, permit: Permit, kind: str, ref: str, sealed: bytes) -> bytes:
    """Open a release file or an export. NoGrantError, KeyShreddedError, UnsealError."""
    grant = _granted(permit)
    key = keyring.find_object(kind=kind, ref=ref)
    return _open(grant, key, sealed, object_context(kind=kind, ref=ref))


def open_batches(*, permit: Permit, batches: Sequence[SealedBatch]) -> list[bytes]:
    """Open what an agent sealed. NoGrantError, KeyShreddedError, UnsealError."""
    _granted(permit)
    for key_id in dict.fromkeys(batch.key_id for batch in batches):
        unwraps.write(entry=permit.entry, key=key_id)
    return [
        seal_keys.unseal(key_id=batch.key_id, header=batch.header, sealed=batch.sealed)
        for batch in batches
    ]


def _granted(permit: Permit) -> Grant:
    entry, consent_epoch, about = permit
    # With autocommit off a durable block is content, and yet commits nothing.
    is_open = committed.is_open()
    try:
        # The block refuses to nest, so what is read in it was committed by itself.
        with committed.alone():
            grant = audit.grant(entry, about=about)
            if is_open and committed.is_of_this_transaction(entry):
                raise NoGrantError("The entry is not committed.")
    except RuntimeError as error:
        raise NoGrantError("Nothing is opened inside a transaction.") from error
    if grant is None:
        raise NoGrantError("There is no such entry.")
    if grant.action != Action.ACCESS_ALLOWED or grant.verdict != Verdict.ALLOW:
        raise NoGrantError("The entry does not allow an access.")
    age = timezone.now() - grant.occurred_at
    if not timedelta(seconds=-_CLOCK_SECONDS) <= age <= timedelta(seconds=GRANT_SECONDS):
        raise NoGrantError("The entry is not of this minute.")
    standing.require(owner=grant.subject or "", consent_epoch=consent_epoch)
    return grant


def _open(grant: Grant, key: Key | None, ciphertext: bytes, context: bytes) -> bytes:
    if key is None:
        raise KeyShreddedError("The key is destroyed, or never was.")
    # What is nobody's alone (a release file) is read under an entry about whom it concerns.
    if key.owner and not grant.covers(key.owner):
        raise NoGrantError("The entry is not about this person.")
    unwraps.write(entry=grant.uuid, key=str(key.id))
    nonce, body = ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:]
    try:
        return AESGCM(key.secret).decrypt(nonce, body, context)
    except (InvalidTag, ValueError) as error:
        raise UnsealError("The ciphertext does not belong to this key and place.") from error
