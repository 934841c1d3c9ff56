"""C2SP signed notes, strictly: `TEXT`, an empty line, then one signature a line.

A known key with a signature that fails rejects the whole note; unknown keys are ignored.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.verifier.encoding import base64_bytes
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import COSIGNATURE, ED25519, ML_DSA_44, Key, is_key_name
from audit.verifier.signatures import is_ed25519_valid, is_ml_dsa_44_valid

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_NOTE = 512 * 1024
_MOST_SIGNATURES = 64  # The specification asks for at least 16.
_DASH = "\u2014 "
_LATEST_TIME = 2**63 - 1


@dataclass(frozen=True)
class Signature:
    """A signature line, not yet verified."""

    name: str
    key_id: bytes
    payload: bytes


@dataclass(frozen=True)
class Note:
    """A parsed note; its text means nothing until `verified` has returned."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True)
class Verified:
    """A key whose signature holds, and the time it states (0 when it states none)."""

    key: Key
    time: int


@dataclass(frozen=True)
class Tree:
    """The statement that tree cosignatures are made over: what a checkpoint's text says."""

    origin: str
    size: int
    root: bytes


def parse_note(data: bytes) -> Note:
    """Split a note at its last empty line and read its signature lines."""
    if len(data) > LONGEST_NOTE:
        raise NotVerifiedError("the signed note is too long")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        raise NotVerifiedError("the signed note is not UTF-8") from None
    if any(character < " " and character != "\n" for character in whole):
        raise NotVerifiedError("the signed note holds control characters")
    cut = whole.rfind("\n\n")
    if cut < 0 or not whole.endswith("\n") or cut + 2 >= len(whole):
        raise NotVerifiedError("the note is not signed")
    lines = whole[cut + 2 : -1].split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise NotVerifiedError("the signed note holds too many signatures")
    return Note(text=whole[: cut + 1], signatures=tuple(map(_parse_signature, lines)))


def _parse_signature(line: str) -> Signature:
    name, space, encoded = line[len(_DASH) :].partition(" ")
    if not line.startswith(_DASH) or not space or not is_key_name(name):
        raise NotVerifiedError("a signature line of the note is malformed")
    payload = base64_bytes(encoded, "a signature of the note")
    if len(payload) < 5:  # noqa: PLR2004 - a key id of four bytes and something signed.
        raise NotVerifiedError("a signature of the note is too short")
    return Signature(name=name, key_id=payload[:4], payload=payload[4:])


def verified(note: Note, *, keys: Sequence[Key], tree: Tree | None = None) -> list[Verified]:
    """Return the known keys that signed, each once.

    Raises when a known key's signature fails. `tree` is what ML-DSA-44 lines are made over.
    """
    known = {(key.name, key.key_id): key for key in keys}
    found: dict[Key, Verified] = {}
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        time = _signed_at(key, note.text, signature.payload, tree)
        if time is None:
            raise NotVerifiedError(f"the signature of {key.name} is not valid")
        found.setdefault(key, Verified(key=key, time=time))
    return list(found.values())


def _signed_at(key: Key, text: str, payload: bytes, tree: Tree | None) -> int | None:
    """Return the time the signature states, or None when it does not hold."""
    message = text.encode("utf-8")
    if key.type == ED25519:
        valid = is_ed25519_valid(public=key.public, message=message, signature=payload)
        return 0 if valid else None
    if len(payload) <= 8:  # noqa: PLR2004 - the time alone.
        return None
    time = struct.unpack(">Q", payload[:8])[0]
    if time > _LATEST_TIME:
        return None
    if key.type == COSIGNATURE:
        message = f"cosignature/v1\ntime {time}\n".encode("ascii") + message
        valid = is_ed25519_valid(public=key.public, message=message, signature=payload[8:])
    elif key.type == ML_DSA_44 and tree is not None:
        message = subtree_message(key.name, time, tree)
        valid = is_ml_dsa_44_valid(public=key.public, message=message, signature=payload[8:])
    else:
        valid = False
    return time if valid else None


def subtree_message(name: str, time: int, tree: Tree) -> bytes:
    """Return the `cosigned_message` of tlog-cosignature for a whole tree (start 0)."""
    signer, origin = name.encode("utf-8"), tree.origin.encode("utf-8")
    if len(origin) > 255:  # noqa: PLR2004 - the length stands in one byte.
        raise NotVerifiedError("the origin of the log is too long")
    return b"".join(
        (
            b"subtree/v1\n\x00",
            bytes((len(signer),)),
            signer,
            struct.pack(">Q", time),
            bytes((len(origin),)),
            origin,
            struct.pack(">QQ", 0, tree.size),
            tree.root,
        )
    )
