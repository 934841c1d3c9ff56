"""RFC 6962 §2.1 word for word, slow and recursive: what builder and verifier are held against."""

from collections.abc import Sequence
from hashlib import sha256


def leaf(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def split(count: int) -> int:
    """Return the largest power of two smaller than `count`."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def root(entries: Sequence[bytes]) -> bytes:
    """MTH(D[n])."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return leaf(entries[0])
    at = split(len(entries))
    return node(root(entries[:at]), root(entries[at:]))


def inclusion(index: int, entries: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(entries) == 1:
        return []
    at = split(len(entries))
    if index < at:
        return [*inclusion(index, entries[:at]), root(entries[at:])]
    return [*inclusion(index - at, entries[at:]), root(entries[:at])]


def consistency(size: int, entries: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D[n])."""
    return _subproof(size, entries, whole=True) if size else []


def _subproof(size: int, entries: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if size == len(entries):
        return [] if whole else [root(entries)]
    at = split(len(entries))
    if size <= at:
        return [*_subproof(size, entries[:at], whole=whole), root(entries[at:])]
    return [*_subproof(size - at, entries[at:], whole=False), root(entries[:at])]
