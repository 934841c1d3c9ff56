"""The erasure ledger's second home: a file outside both databases and outside their backups.

Promise: it only ever grows, a whole line at a time and on disk before the call returns; a line
that a power cut tore is cut off and written again. When the database comes back from an older
backup, the file knows what was destroyed since, and says so by being longer.
"""

import contextlib
import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from django.conf import settings

from governance.vault import files
from governance.vault.errors import LedgerBrokenError

_RECORD: Final = struct.Struct(">32sQQ32s")
_PRIVATE: Final = 0o600


class Line(NamedTuple):
    """A line as both homes hold it; `at` is in microseconds since 1970."""

    token: bytes
    value: int
    at: int
    link: bytes


def link(before: bytes, token: bytes, value: int, at: int) -> bytes:
    """Return what ties a line to the one before it."""
    return hashlib.sha256(
        before + token + value.to_bytes(8, "big") + at.to_bytes(8, "big")
    ).digest()


def count() -> int:
    """Return how many whole lines the file holds; cheap enough to ask at every use of a key."""
    try:
        return os.stat(_name()).st_size // _RECORD.size  # noqa: PTH116 - asked at every use of a key.
    except FileNotFoundError:
        return 0


def read() -> list[Line]:
    """Return all whole lines. LedgerBrokenError when one was edited, moved or taken out."""
    try:
        content = Path(_name()).read_bytes()
    except FileNotFoundError:
        return []
    whole = len(content) // _RECORD.size * _RECORD.size
    found = [Line(*record) for record in _RECORD.iter_unpack(content[:whole])]
    for before, line in pairwise([Line(b"", 0, 0, b""), *found]):
        if line.link != link(before.link, line.token, line.value, line.at):
            raise LedgerBrokenError("The ledger's file was edited.")
    return found


class HeldFile:
    """The file while nobody else writes to it."""

    def __init__(self, file: BinaryIO) -> None:
        """Count the whole lines."""
        self._file = file
        self.count = os.fstat(file.fileno()).st_size // _RECORD.size

    def extend(self, known: Line | None, lines: list[Line]) -> None:
        """Add lines after the last, which must be `known` (None when there is none)."""
        if self.count and self._last() != known:
            raise LedgerBrokenError("The ledger's file and its table tell different stories.")
        if not lines:
            return
        end = self.count * _RECORD.size
        self._file.truncate(end)
        self._file.seek(end)
        self._file.write(b"".join(_RECORD.pack(*line) for line in lines))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _last(self) -> Line:
        self._file.seek((self.count - 1) * _RECORD.size)
        return Line(*_RECORD.unpack(self._file.read(_RECORD.size)))


@contextlib.contextmanager
def held() -> Iterator[HeldFile]:
    """Hold the file alone; it is made when there is none."""
    path = Path(_name())
    files.make_directory(path.parent)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if is_new:
            files.sync_directory(path.parent)
        yield HeldFile(file)


def _name() -> str:
    return f"{settings.REMIT_VAULT_DIR}/ledger"
