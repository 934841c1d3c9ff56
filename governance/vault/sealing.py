"""Seals captured frames, release files and exports under keys that can be destroyed.

Promise: AES-256-GCM under a random key with a random nonce; every ciphertext is bound to whose
and which it is and under which policy it was captured, so one cannot pass for another. Nothing
here opens anything. Compression is the caller's.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from secrets import token_bytes
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from governance.vault import generations, keyring
from governance.vault.binding import bind
from governance.vault.epochs import NONCE_BYTES
from governance.vault.keyring import Place
from governance.vault.models import KeyKind


@dataclass(frozen=True, slots=True)
class SealedFrame:
    """A frame's ciphertext (nonce first), the generation that opens it, and its SHA-256."""

    generation: int
    ciphertext: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class FrameRef:
    """What a frame's ciphertext is bound to."""

    frame_id: UUID
    subject: str
    application: str
    category: str
    generation: int
    policy_version: str


def seal_frame(  # noqa: PLR0913 - each is part of what the ciphertext is bound to.
    *,
    subject: str,
    application: str,
    category: str,
    frame_id: UUID,
    policy_version: str,
    plaintext: bytes,
    now: datetime | None = None,
) -> SealedFrame:
    """Seal one frame under its cell's key. KeyShreddedError when the person was erased."""
    scope = keyring.cell_scope(application=application, category=category)
    generation, key = keyring.of_cell_now(subject=subject, scope=scope, now=now) or _begun(
        subject, scope, now
    )
    frame = FrameRef(frame_id, subject, application, category, generation, policy_version)
    ciphertext = _seal(key.secret, plaintext, frame_context(frame))
    return SealedFrame(generation, ciphertext, hashlib.sha256(ciphertext).digest())


def _begun(subject: str, scope: str, now: datetime | None) -> tuple[int, keyring.Key]:
    """Open the month's generation, or make its key."""
    generation = generations.current(subject=subject, scope=scope, now=now)
    return generation, keyring.obtain(Place(KeyKind.CELL, subject, scope, generation))


def seal_object(*, kind: str, ref: str, subject: str | None, plaintext: bytes) -> bytes:
    """Seal a release file or an export under a key of its own; nonce first.

    With a subject the key dies with that person's other keys. KeyShreddedError for an object
    or a person destroyed before; sealing again while it lives uses the same key.
    """
    scope = keyring.object_scope(kind=kind, ref=ref)
    key = keyring.obtain(Place(KeyKind.OBJECT, subject or "", scope))
    return _seal(key.secret, plaintext, object_context(kind=kind, ref=ref))


def frame_context(frame: FrameRef) -> bytes:
    """Return the associated data of a frame's ciphertext."""
    return bind(
        "remit frame v1",
        frame.subject,
        str(frame.frame_id),
        frame.application,
        frame.category,
        frame.generation,
        frame.policy_version,
    )


def object_context(*, kind: str, ref: str) -> bytes:
    """Return the associated data of an object's ciphertext."""
    return bind("remit object v1", kind, ref)


def _seal(secret: bytes, plaintext: bytes, context: bytes) -> bytes:
    nonce = token_bytes(NONCE_BYTES)
    return nonce + AESGCM(secret).encrypt(nonce, plaintext, context)
