"""Signed documents: DSSE envelopes under Ed25519 keys that this installation makes itself.

Promises: what `dsse_verify` returns was signed, under this payload type, by a key the caller
named. One module holds the signing of receipts, policies, manifests and certificates, so that one
reading covers them. Whether a document's content is true is its author's business.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final, TypedDict

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from django.conf import settings

from audit import files
from audit.errors import SignatureError

KEYS: Final = frozenset({"policy", "receipt", "release", "certificate"})


class Signature(TypedDict):
    """One signature of an envelope."""

    keyid: str
    sig: str


class Envelope(TypedDict):
    """A DSSE envelope (github.com/secure-systems-lab/dsse, envelope.md), base64 with padding."""

    payloadType: str
    payload: str
    signatures: list[Signature]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key others verify with; `key_id` is the first 16 hex digits of SHA-256(public)."""

    key_id: str
    alg: str
    public: bytes


def key_id(public: bytes) -> str:
    """Return the id that envelopes carry for a public key."""
    return sha256(public).hexdigest()[:16]


def public_keys(key: str) -> list[PublicKey]:
    """Return the public keys of a document kind, the signing one first; made on first use."""
    public = _private(key).public_key().public_bytes_raw()
    return [PublicKey(key_id(public), "ed25519", public)]


def dsse_sign(*, key: str, payload_type: str, body: bytes) -> Envelope:
    """Return the envelope of `body` signed by the key named `key` (one of KEYS)."""
    private = _private(key)
    signature = private.sign(pre_authentication_encoding(payload_type, body))
    return {
        "payloadType": payload_type,
        "payload": _text(body),
        "signatures": [
            {
                "keyid": key_id(private.public_key().public_bytes_raw()),
                "sig": _text(signature),
            }
        ],
    }


def dsse_verify(
    *, public_keys: Mapping[str, bytes], envelope: Mapping[str, object], payload_type: str
) -> bytes:
    """Return the body. `public_keys` maps key id to 32 bytes.

    Raises SignatureError unless the type is the expected one, at least one signature is by a known
    key, and every signature by a known key holds.
    """
    match envelope:
        case {"payloadType": str(stated), "payload": str(payload), "signatures": list(signatures)}:
            pass
        case _:
            raise SignatureError("This is no DSSE envelope.")
    if stated != payload_type:
        raise SignatureError(f"The envelope holds {stated!r}.")
    body = _bytes(payload)
    message = pre_authentication_encoding(payload_type, body)
    if not any([_holds(each, public_keys, message) for each in signatures]):  # noqa: C419 -- all.
        raise SignatureError("No signature is by a known key.")
    return body


def pre_authentication_encoding(payload_type: str, body: bytes) -> bytes:
    """Return DSSE's PAE(type, body), the bytes that are signed (DSSE protocol.md)."""
    stated = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(stated), stated, len(body), body)


def _holds(signature: object, known: Mapping[str, bytes], message: bytes) -> bool:
    match signature:
        case {"keyid": str(keyid), "sig": str(value)}:
            pass
        case _:
            raise SignatureError("A signature has no key id or no value.")
    public = known.get(keyid)
    if public is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(_bytes(value), message)
    except (InvalidSignature, ValueError) as error:
        raise SignatureError("A signature by a known key does not hold.") from error
    return True


def _private(key: str) -> Ed25519PrivateKey:
    if key not in KEYS:
        raise ValueError(f"There is no document key {key!r}.")
    path = Path(settings.REMIT_KEYS_DIR) / "documents" / f"{key}.key"
    try:
        found = path.stat()
    except FileNotFoundError:
        fresh = Ed25519PrivateKey.generate().private_bytes_raw()
        files.create_once(path, base64.b64encode(fresh) + b"\n")
        found = path.stat()
    return _read(path, found.st_ino, found.st_mtime_ns)


@lru_cache(maxsize=8)
def _read(path: Path, _inode: int, _changed: int) -> Ed25519PrivateKey:
    # Read again when the file is another one.
    raw = path.read_bytes()
    return Ed25519PrivateKey.from_private_bytes(_bytes(raw.decode("ascii").strip()))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise SignatureError("Not base64.") from error
    if _text(data) != text:
        raise SignatureError("Not canonical base64.")
    return data
