"""The roots of a tree's first leaves, leaf by leaf."""

from audit import tree


class Edge:
    """The perfect subtrees on the left of a growing tree: a handful of hashes."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def push(self, hashed: bytes) -> None:
        """Add a leaf hash."""
        rest = self.size
        while rest & 1:
            hashed = tree.node_hash(self._roots.pop(), hashed)
            rest >>= 1
        self._roots.append(hashed)
        self.size += 1

    def root(self) -> bytes:
        """Return the root over all leaves so far (RFC 6962 §2.1)."""
        if not self._roots:
            return tree.EMPTY_ROOT
        *others, root = self._roots
        for left in reversed(others):
            root = tree.node_hash(left, root)
        return root
