"""Merkle tree proofs exactly as RFC 9162 §2.1.3.2 and §2.1.4.2 check them (hashes: RFC 6962)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from audit.verifier.errors import NotVerifiedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HASH_LENGTH = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
LONGEST_PATH = 63


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf; the prefix 0x00 keeps leaves and inner nodes apart (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash an inner node from its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root over nodes of one level, in their order.

    Pairing from the left and carrying an odd last node up gives the tree of RFC 6962 §2.1. A last
    node may stand for a smaller, incomplete subtree: the shape is the same.
    """
    if not hashes:
        return EMPTY_ROOT
    sha256 = hashlib.sha256
    level: list[bytes] = list(hashes)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2])  # noqa: B905 - leaves an odd last one, as it should.
        paired = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0]


def root_from_inclusion(*, leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that the path leads to, from a leaf's hash (RFC 9162 §2.1.3.2).

    The path must have exactly the length that index and size ask for.
    """
    if not 0 <= index < size:
        raise NotVerifiedError(f"index {index} is outside a tree of {size} entries")
    if len(path) > LONGEST_PATH or any(len(step) != HASH_LENGTH for step in path):
        raise NotVerifiedError("the inclusion path is malformed")
    node, last, root = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise NotVerifiedError("the inclusion path is too long")
        if node & 1 or node == last:
            root = node_hash(step, root)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            root = node_hash(root, step)
        node >>= 1
        last >>= 1
    if last != 0:
        raise NotVerifiedError("the inclusion path is too short")
    return root


def check_inclusion(
    *, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Raise unless the leaf hash is at `index` of the tree with this size and root."""
    if root_from_inclusion(leaf=leaf, index=index, size=size, path=path) != root:
        raise NotVerifiedError("the entry is not in the signed tree at that index")


def check_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Raise unless the new tree begins with the whole old one (RFC 9162 §2.1.4.2)."""
    if new_size < old_size:
        raise NotVerifiedError(f"the log shrank from {old_size} to {new_size} entries")
    if len(path) > LONGEST_PATH + 1 or any(len(step) != HASH_LENGTH for step in path):
        raise NotVerifiedError("the consistency path is malformed")
    if old_size in (new_size, 0):
        _check_trivial(
            old_size=old_size,
            old_root=old_root,
            new_size=new_size,
            new_root=new_root,
            path=path,
        )
        return
    steps = list(path)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    was, now = _roots_from_consistency(old_size=old_size, new_size=new_size, path=steps)
    if was != old_root:
        raise NotVerifiedError("the entries that were signed before have been changed")
    if now != new_root:
        raise NotVerifiedError("the consistency path does not lead to the new root")


def _check_trivial(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    if path:
        raise NotVerifiedError("the consistency path is too long")
    if old_size == 0 and old_root != EMPTY_ROOT:
        raise NotVerifiedError("the empty log has another root than RFC 6962 gives it")
    if new_size == old_size and new_root != old_root:
        raise NotVerifiedError(f"two different logs were signed, both of {old_size} entries")


def _roots_from_consistency(
    *, old_size: int, new_size: int, path: Sequence[bytes]
) -> tuple[bytes, bytes]:
    if not path:
        raise NotVerifiedError("the consistency path is too short")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    was = now = path[0]
    for step in path[1:]:
        if last == 0:
            raise NotVerifiedError("the consistency path is too long")
        if node & 1 or node == last:
            was, now = node_hash(step, was), node_hash(step, now)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            now = node_hash(now, step)
        node >>= 1
        last >>= 1
    if last != 0:
        raise NotVerifiedError("the consistency path is too short")
    return was, now


def leaf_hashes(leaves: Iterable[bytes]) -> list[bytes]:
    """Hash many leaves; the loop of a full scan."""
    sha256 = hashlib.sha256
    return [sha256(b"\x00" + leaf).digest() for leaf in leaves]
