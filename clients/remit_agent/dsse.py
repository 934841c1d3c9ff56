"""DSSE v1 envelopes with Ed25519: who signed these bytes (github.com/secure-systems-lab/dsse).

Promise: `verify` returns the exact signed bytes only when a pinned key signed them as this payload
type. Leaves to others: what the bytes mean, and whether they are still current.
"""

import base64
import binascii
from collections.abc import Mapping

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from remit_agent.errors import SignatureError

LARGEST_OCTETS = 1 << 20


class _Signature(msgspec.Struct, frozen=True):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    payload_type: str
    payload: str
    signatures: list[_Signature]


def pre_authentication_encoding(payload_type: str, body: bytes) -> bytes:
    """Return the bytes that are signed (DSSE v1 protocol, PAE)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def verify(*, envelope: bytes, payload_type: str, public_keys: Mapping[str, bytes]) -> bytes:
    """Return the payload of an envelope signed by one of `public_keys` (key id -> 32 bytes).

    Raises SignatureError for anything else: another type, another key, a changed byte.
    """
    if len(envelope) > LARGEST_OCTETS:
        raise SignatureError("The signed document is larger than any we expect.")
    try:
        signed = msgspec.json.decode(envelope, type=_Envelope)
        body = base64.b64decode(signed.payload, validate=True)
        signatures = [
            (public_keys[each.keyid], base64.b64decode(each.sig, validate=True))
            for each in signed.signatures[:8]
            if each.keyid in public_keys
        ]
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise SignatureError("The signed document is not a DSSE envelope.") from error
    if signed.payload_type != payload_type:
        raise SignatureError("The signed document is of another type.")
    message = pre_authentication_encoding(payload_type, body)
    if not any(_holds(key, signature, message) for key, signature in signatures):
        raise SignatureError("No pinned key signed the document.")
    return body


def _holds(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
