"""Verifier keys in C2SP's vkey form: `name+hexid+base64(type || public key)`."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from audit.verifier import ed25519, mldsa44
from audit.verifier.encoding import base64_bytes
from audit.verifier.errors import NotVerifiedError

ED25519 = 0x01
COSIGNATURE = 0x04
ML_DSA_44 = 0x06

_PUBLIC_LENGTH = {
    ED25519: ed25519.KEY_LENGTH,
    COSIGNATURE: ed25519.KEY_LENGTH,
    ML_DSA_44: mldsa44.PUBLIC_LENGTH,
}
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_LONGEST_NAME = 255
_MOST_KEYS = 128


@dataclass(frozen=True)
class Key:
    """A public key that the reader has decided to trust under a name."""

    name: str
    type: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand before each signature (signed-note, "Signatures")."""
        return key_id(self.name, self.type, self.public)

    @property
    def document_key_id(self) -> str:
        """The `keyid` of this key in a DSSE envelope."""
        return hashlib.sha256(self.public).hexdigest()[:16]


def vkey(key: Key) -> str:
    """Write a key in the vkey form; the reverse of `parse_vkey`."""
    encoded = base64.b64encode(bytes((key.type,)) + key.public).decode("ascii")
    return f"{key.name}+{key.key_id.hex()}+{encoded}"


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """Return the key id that C2SP recommends and the cosignatures demand."""
    named = name.encode("utf-8") + b"\n" + bytes((kind,)) + public
    return hashlib.sha256(named).digest()[:4]


def is_key_name(name: str) -> bool:
    """Whether a name may stand in a signature line: not empty, no spaces, no plus sign."""
    try:
        # A cosignature states the length in one byte (tlog-cosignature).
        is_short = len(name.encode("utf-8")) <= _LONGEST_NAME
    except UnicodeEncodeError:  # Octets that are no text, from a policy file.
        return False
    return bool(name) and is_short and "+" not in name and name.split() == [name]


def parse_vkey(text: str) -> Key:
    """Read one vkey. The base64 may hold plus signs, the name may not."""
    parts = text.split("+", 2)
    if len(parts) != 3 or not is_key_name(parts[0]) or not _KEY_ID.fullmatch(parts[1]):  # noqa: PLR2004
        raise NotVerifiedError("a key is not of the form name+id+base64")
    encoded = base64_bytes(parts[2], f"the key of {parts[0]}")
    kind = encoded[0] if encoded else 0
    key = Key(name=parts[0], type=kind, public=encoded[1:])
    if _PUBLIC_LENGTH.get(kind) != len(key.public):
        raise NotVerifiedError(f"the key of {parts[0]} is of an unknown type or length")
    if key.key_id.hex() != parts[1]:
        raise NotVerifiedError(f"the key of {parts[0]} does not match its key id")
    return key


def parse_vkeys(text: str) -> list[Key]:
    """Read a file of vkeys, one a line; empty lines and lines that start with # are comments."""
    lines = [line.strip() for line in text.splitlines()]
    keys = [parse_vkey(line) for line in lines if line and not line.startswith("#")]
    if not keys:
        raise NotVerifiedError("the key file holds no key")
    if len(keys) > _MOST_KEYS:
        raise NotVerifiedError(f"the key file holds more than {_MOST_KEYS} keys")
    return keys
