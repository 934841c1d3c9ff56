"""What was kept and is not sealed yet, on disk, so that a killed agent loses a tenth of a second.

Promises: only what the policy had allowed comes here, encrypted (AES-256-GCM under a key of this
state directory, 0600; another nonce for each part, another key for each stretch); a stretch that
was cut short is read up to the cut; what was sealed, withdrawn or cannot be read is deleted. Leaves
to others: sealing, after which this device cannot read it either (`seal`).
"""

import os
import secrets
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from remit_agent.errors import HomeError
from remit_agent.filter import Kept
from remit_agent.home import write_whole

_SALT_OCTETS: Final = 16
_KEY_OCTETS: Final = 32
_LARGEST: Final = 4 << 20
_SYNC_NS: Final = 1_000_000_000
_SUFFIX: Final = ".stretch"
_INFO: Final = b"remit-agent spool v1"


class Head(msgspec.Struct, frozen=True):
    """Where a stretch stands in its session, so that it can be numbered after a crash."""

    session_id: UUID
    start_ns: int
    next_seq: int
    last_ns: int | None
    previous_digest: str | None
    consent_epoch: int = 0


class _Part(msgspec.Struct, frozen=True):
    head: Head | None = None
    kept: list[dict[str, Any]] = []
    sealing: list[UUID] = []


@dataclass(frozen=True, slots=True)
class Left:
    """A stretch that an agent left behind; `sealing` are the batches it was being sealed into."""

    head: Head
    kept: list[Kept]
    sealing: list[UUID]
    path: Path


@dataclass(slots=True)
class Spool:
    """The stretch under way, in `path`."""

    path: Path
    _file: BinaryIO | None = None
    _name: Path = Path()
    _cipher: AESGCM | None = None
    _salt: bytes = b""
    _count: int = 0
    _synced_ns: int = field(default_factory=time.monotonic_ns)

    def append(self, kept: Sequence[Kept], *, head: Head) -> None:
        """Put down what was kept; the first of a stretch opens it."""
        if not kept:
            return
        if self._file is None:
            self._open()
            self._write(_Part(head=head))
        self._write(_Part(kept=[_plain(each) for each in kept]))
        if time.monotonic_ns() - self._synced_ns > _SYNC_NS and self._file is not None:
            os.fsync(self._file.fileno())
            self._synced_ns = time.monotonic_ns()

    def sealing(self, batches: Sequence[UUID]) -> None:
        """Note into which batches the stretch is being sealed, before the first is put away."""
        if self._file is not None:
            self._write(_Part(sealing=list(batches)))
            os.fsync(self._file.fileno())

    def end(self) -> None:
        """Delete the stretch: it is sealed, or may not be kept."""
        if self._file is not None:
            self.close()
            self._name.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the stretch and leave it, as the end of a process does."""
        if self._file is not None:
            self._file.close()
            self._file = self._cipher = None

    def octets(self) -> int:
        """Return how much lies here."""
        return sum(each.stat().st_size for each in self.path.glob(f"*{_SUFFIX}"))

    def left(self) -> Iterator[Left]:
        """Yield what earlier agents left; what cannot be read is deleted."""
        for path in sorted(self.path.glob(f"*{_SUFFIX}")):
            parts = list(_read(path, self._key()))
            if not parts or (head := parts[0].head) is None:
                path.unlink(missing_ok=True)
                continue
            kept = [msgspec.convert(each, Kept) for part in parts for each in part.kept]
            yield Left(head, kept, [each for part in parts for each in part.sealing], path)

    def _open(self) -> None:
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
            self._salt = secrets.token_bytes(_SALT_OCTETS)
            self._name = self.path / f"{time.time_ns():020d}{_SUFFIX}"
            descriptor = os.open(self._name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._file = os.fdopen(descriptor, "wb", buffering=0)
            self._file.write(self._salt)
        except OSError as error:
            raise HomeError("The spool cannot be written to the state directory.") from error
        self._cipher, self._count = _cipher(self._key(), self._salt), 0

    def _write(self, part: _Part) -> None:
        if self._file is None or self._cipher is None:
            return
        nonce = struct.pack(">Q", self._count).rjust(12, b"\0")
        box = self._cipher.encrypt(nonce, msgspec.msgpack.encode(part), None)
        self._count += 1
        try:
            self._file.write(struct.pack(">I", len(box)) + box)
        except OSError as error:
            raise HomeError("The spool cannot be written to the state directory.") from error

    def _key(self) -> bytes:
        file = self.path.with_name("spool.key")
        if not file.exists():
            write_whole(file, secrets.token_bytes(_KEY_OCTETS))
        return file.read_bytes()


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), _KEY_OCTETS, salt, _INFO).derive(key))


def _read(path: Path, key: bytes) -> Iterator[_Part]:
    """Yield the parts of a stretch, up to where it was cut short."""
    try:
        octets = path.read_bytes()
        cipher = _cipher(key, octets[:_SALT_OCTETS])
    except (OSError, ValueError):
        return
    position, count = _SALT_OCTETS, 0
    while position + 4 <= len(octets):
        (length,) = struct.unpack_from(">I", octets, position)
        box = octets[position + 4 : position + 4 + length]
        if length > _LARGEST or len(box) < length:
            return
        try:
            plain = cipher.decrypt(struct.pack(">Q", count).rjust(12, b"\0"), box, None)
            yield msgspec.msgpack.decode(plain, type=_Part)
        except (InvalidTag, msgspec.MsgspecError):
            return
        position, count = position + 4 + length, count + 1


def _plain(kept: Kept) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(kept, builtin_types=(bytes,))
    return plain
