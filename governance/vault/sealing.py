"""Seals captured frames, release files and exports under keys that can be destroyed.

Promise: AES-256-GCM under a random key with a random nonce; every ciphertext is bound to whose
and which it is and under which policy it was captured, so one cannot pass for another. Nothing
here opens anything. Compression is the caller's.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_bytes
from typing import NamedTuple
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


class PlainFrame(NamedTuple):
    """A frame before it is sealed: what its ciphertext is bound to beside its person, and it."""

    frame_id: UUID
    application: str
    category: str
    policy_version: str
    plaintext: bytes


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
    frame = PlainFrame(frame_id, application, category, policy_version, plaintext)
    return seal_frames(subject=subject, frames=[frame], now=now)[0]


def seal_frames(
    *, subject: str, frames: Sequence[PlainFrame], now: datetime | None = None
) -> list[SealedFrame]:
    """Seal frames of one person, each under its cell's key, which is read once. As `seal_frame`."""
    keys: dict[str, tuple[int, keyring.Key]] = {}
    sealed = []
    for frame in frames:
        scope = keyring.cell_scope(application=frame.application, category=frame.category)
        if scope not in keys:
            held = keyring.of_cell_now(subject=subject, scope=scope, now=now)
            keys[scope] = held or _begun(subject, scope, now)
        generation, key = keys[scope]
        place = FrameRef(
            frame.frame_id,
            subject,
            frame.application,
            frame.category,
            generation,
            frame.policy_version,
        )
        ciphertext = _seal(key.secret, frame.plaintext, frame_context(place))
        sealed.append(SealedFrame(generation, ciphertext, hashlib.sha256(ciphertext).digest()))
    return sealed


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
