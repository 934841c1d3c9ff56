"""Sealed batches: what only the vault's worker can open (events.md, transport).

Promises: the clear header says which cells the batch holds and how many events each, nothing they
say; its digest is bound into the sealing, so that no other header opens the batch; the sealed part
is HPKE (RFC 9180) over one zstd frame of event lines grouped by cell, session control first.
"""

import hashlib
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519

from remit_agent.errors import BatchTooLargeError, PolicyError
from remit_agent.ids import uuid7
from remit_agent.policy import Policy, seal_key
from remit_agent.sequence import Numbered

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MEDIA_TYPE: Final = "application/vnd.remit.sealed-batch.v1"
MAX_WIRE_OCTETS: Final = 1 << 20
INFO: Final = b"remit sealed-batch v1\x00"
_MLKEM_OCTETS: Final = 1184

PublicKey = hpke.MLKEM768X25519PublicKey | x25519.X25519PublicKey
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """The exact bytes to send, and their SHA-256 in hex, which the next batch names."""

    batch_id: UUID
    wire: bytes
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Where a batch stands: whose, in which session, after which batch."""

    device_id: str
    session_id: UUID
    previous_digest: str | None


def seal(events: Sequence[Numbered], *, policy: Policy, chain: Chain, now_ns: int) -> SealedBatch:
    """Return the events as one sealed batch; BatchTooLargeError above 1 MiB."""
    key, octets = seal_key(policy)
    frames = _frames(events)
    batch_id = uuid7(now_ns=now_ns)
    seqs = [int(str(each.event["seq"])) for each in events]
    header = _encode(
        {
            "schema": "sealed-batch/1",
            "batch_id": str(batch_id),
            "device_id": chain.device_id,
            "session_id": str(chain.session_id),
            "frames": [
                {
                    "application": application,
                    "category": category,
                    "count": len(held),
                    "t_min": min(each.t_ns for each in held),
                    "t_max": max(each.t_ns for each in held),
                }
                for (application, category), held in frames.items()
            ],
            "seq_from": min(seqs),
            "seq_to": max(seqs),
            "policy_digest": policy.digest,
            "policy_epoch": policy.document.policy_epoch,
            "consent_epoch": policy.document.consent_epoch,
            "prev_batch_digest": chain.previous_digest,
            "key_id": key.key_id,
            "created_ns": now_ns,
        }
    )
    ordered = [each for each in events if each.category is None]
    ordered += [each for held in frames.values() for each in held]
    lines = b"\n".join(_encode(each.event) for each in ordered)
    plaintext = zstd.compress(lines + _pictures(ordered), level=3)
    suite = hpke.Suite(_kem(key.alg), hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    info = INFO + hashlib.sha256(header).digest()
    sealed = suite.encrypt(plaintext, _public_key(key.alg, octets), info=info)
    wire = struct.pack(">I", len(header)) + header + sealed
    if len(wire) > MAX_WIRE_OCTETS:
        raise BatchTooLargeError("A batch is larger than the service takes.")
    return SealedBatch(batch_id, wire, hashlib.sha256(wire).hexdigest())


def _pictures(events: Sequence[Numbered]) -> bytes:
    """Return the pictures behind a zero byte, which no line may hold, each behind its length."""
    pictures = [each.picture for each in events if each.picture is not None]
    if not pictures:
        return b""
    return b"\0" + b"".join(struct.pack(">I", len(each)) + each for each in pictures)


def _frames(events: Sequence[Numbered]) -> dict[tuple[str, str], list[Numbered]]:
    frames: dict[tuple[str, str], list[Numbered]] = {}
    for each in events:
        if each.category is not None:
            frames.setdefault((str(each.event["app"]), each.category), []).append(each)
    return dict(sorted(frames.items()))


def _kem(algorithm: str) -> hpke.KEM:
    return hpke.KEM.X25519 if algorithm == "X25519" else hpke.KEM.MLKEM768_X25519


def _public_key(algorithm: str, octets: bytes) -> PublicKey:
    """Return the key of raw octets: ML-KEM-768 then X25519, or X25519 alone."""
    try:
        if algorithm == "X25519":
            return x25519.X25519PublicKey.from_public_bytes(octets)
        return hpke.MLKEM768X25519PublicKey(
            mlkem.MLKEM768PublicKey.from_public_bytes(octets[:_MLKEM_OCTETS]),
            x25519.X25519PublicKey.from_public_bytes(octets[_MLKEM_OCTETS:]),
        )
    except ValueError as error:
        raise PolicyError("The policy's key for sealing is damaged.") from error
