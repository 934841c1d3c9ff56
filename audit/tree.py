"""The RFC 6962 Merkle tree as pure functions over "give me the node (level, index)".

Promises: roots, inclusion and consistency proofs exactly as RFC 6962 §2.1 defines them. Where
nodes come from (tiles, a list) is the caller's business.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

Node = Callable[[int, int], bytes]

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """Return SHA-256(0x00 || leaf), RFC 6962 §2.1."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right), RFC 6962 §2.1."""
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over 2^k neighbours."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def split(count: int) -> int:
    """Return the largest power of two below `count` (which is at least 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def range_hash(node: Node, start: int, end: int) -> bytes:
    """Return MTH(D[start:end]) for a range that the tree's own recursion produces."""
    width = end - start
    if width & (width - 1) == 0 and start % width == 0:
        level = width.bit_length() - 1
        return node(level, start >> level)
    middle = start + split(width)
    return node_hash(range_hash(node, start, middle), range_hash(node, middle, end))


def root(node: Node, size: int) -> bytes:
    """Return the root of the first `size` leaves."""
    return range_hash(node, 0, size) if size else EMPTY_ROOT


def inclusion_proof(node: Node, index: int, size: int) -> list[bytes]:
    """Return PATH(index, D[0:size]), leaf to root (RFC 6962 §2.1.1)."""
    if not 0 <= index < size:
        raise ValueError("The index lies outside the tree.")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            path.append(range_hash(node, middle, end))
            end = middle
        else:
            path.append(range_hash(node, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(node: Node, old: int, size: int) -> list[bytes]:
    """Return PROOF(old, D[0:size]) (RFC 6962 §2.1.2); empty when nothing needs proof."""
    if not 0 <= old <= size:
        raise ValueError("The old size lies outside the tree.")
    if old in {0, size}:
        return []
    path: list[bytes] = []
    start, end, whole = 0, size, True
    while end != old:
        middle = start + split(end - start)
        if old <= middle:
            path.append(range_hash(node, middle, end))
            end = middle
        else:
            path.append(range_hash(node, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(range_hash(node, start, end))
    return path[::-1]


def is_consistent(
    *, old: int, old_root: bytes, size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the tree of `size` extends the tree of `old` (RFC 9162 §2.1.4.2, exact length)."""
    if old > size:
        return False
    if old in {0, size}:
        return not proof and (old == 0 or old_root == new_root)
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    first, second = old - 1, size - 1
    while first & 1:
        first, second = first >> 1, second >> 1
    sides = _sides(first, second, len(path) - 1)
    if sides is None:
        return False
    small = large = path[0]
    for part, is_left in zip(path[1:], sides, strict=True):
        small = node_hash(part, small) if is_left else small
        large = node_hash(part, large) if is_left else node_hash(large, part)
    return small == old_root and large == new_root


def is_included(
    *, leaf: bytes, index: int, size: int, tree_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the leaf hash stands at `index` (RFC 9162 §2.1.3.2, exact length)."""
    if not 0 <= index < size:
        return False
    sides = _sides(index, size - 1, len(proof))
    if sides is None:
        return False
    value = leaf
    for part, is_left in zip(proof, sides, strict=True):
        value = node_hash(part, value) if is_left else node_hash(value, part)
    return value == tree_root


def _sides(first: int, second: int, length: int) -> list[bool] | None:
    """Return, a step, whether the sibling stands on the left; None unless exactly `length` fit."""
    sides: list[bool] = []
    while second and len(sides) < length:
        is_left = bool(first & 1) or first == second
        sides.append(is_left)
        while is_left and first and not first & 1:
            first, second = first >> 1, second >> 1
        first, second = first >> 1, second >> 1
    return sides if second == 0 and len(sides) == length else None
