"""Signing and verifying checkpoints: the log's two keys, a witness's key, and the signer's memory.

Promises: the signer never signs a tree that does not extend the last one it signed. Its memory is a
file outside the database, durable before a signature leaves, so that a database restored from a
backup halts the log instead of forking it. Formats: C2SP signed-note, tlog-checkpoint,
tlog-cosignature; parsing is `audit.verifier`'s, so that we read as strictly as our critics.
"""

import base64
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey
from django.conf import settings

from audit import files, tree
from audit.errors import ForkError, NoteError
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import COSIGNATURE, ED25519, ML_DSA_44, Key, is_key_name, key_id
from audit.verifier.note import Note, Tree, parse_note, subtree_message

_DASH: Final = "\u2014"
# A log may leave the time of its own ML-DSA line at zero (tlog-cosignature); a witness may not.
_NO_TIME: Final = 0
_TIME_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Head:
    """A tree the signer has put its name to."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class LogKeys:
    """The log's identity: its origin, fixed when the keys are made, and both private keys."""

    origin: str
    ed25519: Ed25519PrivateKey
    mldsa: MLDSA44PrivateKey

    @property
    def public(self) -> tuple[Key, Key]:
        """Return both keys, Ed25519 first."""
        return (
            Key(self.origin, ED25519, self.ed25519.public_key().public_bytes_raw()),
            Key(self.origin, ML_DSA_44, self.mldsa.public_key().public_bytes_raw()),
        )

    @property
    def vkeys(self) -> list[str]:
        """Return both public keys in C2SP's vkey form."""
        return [vkey(key) for key in self.public]


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness's name and private key (cosignature/v1)."""

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> Key:
        """Return the key under which cosignatures verify."""
        return Key(self.name, COSIGNATURE, self.private.public_key().public_bytes_raw())


def vkey(key: Key) -> str:
    """Return `name+keyid+base64(type || public)` (signed-note, "Verifier keys")."""
    encoded = base64.b64encode(bytes((key.type,)) + key.public).decode("ascii")
    return f"{key.name}+{key.key_id.hex()}+{encoded}"


def directory() -> Path:
    """Return where the log's keys and the signer's memory stand."""
    return Path(settings.REMIT_KEYS_DIR) / "log"


def next_directory() -> Path:
    """Return where new keys stand until they are in use (audit.rotation)."""
    return directory() / "next"


def log_keys() -> LogKeys:
    """Return the log's keys, made on first use, each readable by its owner alone.

    Raises NoteError when the configured origin is not the one the keys were made for, or when one
    of them is gone: another key in its place would sign what nobody trusts.
    """
    if next_directory().exists():
        raise NoteError("New keys are half in place; run `manage.py log_rotate` again.")
    return keys_in(directory(), origin=settings.REMIT_LOG_ORIGIN)


def earlier_vkeys() -> list[str]:
    """Return the public keys of the log's earlier names; the database is not asked."""
    try:
        return (directory() / "earlier-vkeys").read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return []


def keep_earlier_vkeys(vkeys: Sequence[str]) -> None:
    """Remember the public keys of all earlier names beside the keys in use."""
    text = "".join(f"{line}\n" for line in vkeys)
    files.replace(directory() / "earlier-vkeys", text.encode("utf-8"), mode=0o600)


def keys_in(where: Path, *, origin: str) -> LogKeys:
    """Return the keys of a directory, made on first use, as `log_keys` does."""
    wanted = origin
    if not is_key_name(wanted):
        raise NoteError(f"{wanted!r} cannot name a log.")
    seeds = where / "ed25519.key", where / "ml-dsa-44.key"
    # The origin is written last: where it stands, keys were made.
    if (where / "origin").exists():
        for path in seeds:
            if not path.exists():
                raise NoteError(f"The key {path} is missing; bring it back.")
    ed25519, mldsa = map(_seed, seeds)
    origin = files.create_once(where / "origin", f"{wanted}\n".encode()).decode().strip()
    if origin != wanted:
        raise NoteError(f"The keys were made for {origin}, not for {wanted}; see log_rotate.")
    return LogKeys(
        origin=origin,
        ed25519=Ed25519PrivateKey.from_private_bytes(ed25519),
        mldsa=MLDSA44PrivateKey.from_seed_bytes(mldsa),
    )


def witness_key(where: Path, *, name: str) -> WitnessKey:
    """Return the key of the witness whose state is in `where`, made on first use."""
    if not is_key_name(name):
        raise NoteError(f"{name!r} cannot name a witness.")
    kept = files.create_once(where / "name", f"{name}\n".encode()).decode().strip()
    if kept != name:
        raise NoteError(f"The witness key was made for {kept}, not for {name}.")
    return WitnessKey(name, Ed25519PrivateKey.from_private_bytes(_seed(where / "ed25519.key")))


def _seed(path: Path) -> bytes:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        fresh = Ed25519PrivateKey.generate().private_bytes_raw()  # 32 random bytes.
        text = files.create_once(path, base64.b64encode(fresh) + b"\n")
    return base64.b64decode(text.strip(), validate=True)


def body(origin: str, head: Head) -> str:
    """Return the three lines that are signed (tlog-checkpoint)."""
    return f"{origin}\n{head.size}\n{base64.b64encode(head.root).decode('ascii')}\n"


def _line(key: Key, payload: bytes) -> str:
    encoded = base64.b64encode(key_id(key.name, key.type, key.public) + payload).decode("ascii")
    return f"{_DASH} {key.name} {encoded}\n"


class Signer:
    """Signs heads of one log, and remembers the last in a file that only it writes.

    Whoever makes a Signer holds the log's lock (audit.hold): two would not see each other.
    """

    def __init__(self, keys: LogKeys) -> None:
        self.keys = keys
        self._path = directory() / "signed-head"

    @property
    def last(self) -> Head:
        """Return the last head signed; an empty tree when none was."""
        try:
            lines = self._path.read_text(encoding="ascii").split("\n")
        except FileNotFoundError:
            return Head(0, tree.EMPTY_ROOT)
        return Head(int(lines[0]), base64.b64decode(lines[1], validate=True))

    def begin_at(self, head: Head) -> None:
        """Remember a head that another key signed, or nobody: only a new name may begin so."""
        self._remember(head)

    def _remember(self, head: Head) -> None:
        encoded = base64.b64encode(head.root).decode("ascii")
        files.replace(self._path, f"{head.size}\n{encoded}\n".encode("ascii"), mode=0o600)

    def sign(self, head: Head, *, proof_from: Callable[[int], Sequence[bytes]]) -> str:
        """Return the signed note. `proof_from(old)` proves that `head` extends the size `old`.

        Raises ForkError, and signs nothing, when it does not.
        """
        last = self.last
        if not tree.is_consistent(
            old=last.size,
            old_root=last.root,
            size=head.size,
            new_root=head.root,
            proof=proof_from(last.size) if last.size <= head.size else (),
        ):
            raise ForkError(f"the tree of {head.size} does not extend the signed {last.size}")
        self._remember(head)
        return self._note(head)

    def _note(self, head: Head) -> str:
        text = body(self.keys.origin, head)
        first, second = self.keys.public
        statement = Tree(self.keys.origin, head.size, head.root)
        message = subtree_message(self.keys.origin, _NO_TIME, statement)
        lines = (
            _line(first, self.keys.ed25519.sign(text.encode("utf-8"))),
            _line(second, struct.pack(">Q", _NO_TIME) + self.keys.mldsa.sign(message)),
        )
        return text + "\n" + "".join(lines)


def cosign(text: str, *, key: WitnessKey, seconds: int) -> str:
    """Return a witness's line under a checkpoint text (tlog-cosignature, cosignature/v1)."""
    signature = key.private.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
    return _line(key.public, struct.pack(">Q", seconds) + signature)


def signers(note: Note, keys: Sequence[Key], head: Tree) -> list[Key]:
    """Return the known keys that signed. Raises NoteError when a known key's line fails."""
    known = {(key.name, key.key_id): key for key in keys}
    found: list[Key] = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not _holds(key, note.text, signature.payload, head):
            raise NoteError(f"The signature of {key.name} does not hold.")
        found.append(key)
    return found


def parse(data: bytes) -> Note:
    """Return the parsed note. Raises NoteError."""
    try:
        return parse_note(data)
    except NotVerifiedError as error:
        raise NoteError(str(error)) from error


def _holds(key: Key, text: str, payload: bytes, head: Tree) -> bool:
    try:
        if key.type == ED25519:
            Ed25519PublicKey.from_public_bytes(key.public).verify(payload, text.encode("utf-8"))
            return True
        if len(payload) <= _TIME_BYTES:
            return False
        (seconds,) = struct.unpack(">Q", payload[:_TIME_BYTES])
        if key.type == COSIGNATURE:
            message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
            Ed25519PublicKey.from_public_bytes(key.public).verify(payload[_TIME_BYTES:], message)
        else:
            message = subtree_message(key.name, seconds, head)
            MLDSA44PublicKey.from_public_bytes(key.public).verify(payload[_TIME_BYTES:], message)
    except InvalidSignature:
        return False
    return True
