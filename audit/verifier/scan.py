"""Recomputes a whole log: every leaf, every tile, every parent, the root, and our rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit.verifier.errors import NotVerifiedError
from audit.verifier.merkle import leaf_hashes, root_of
from audit.verifier.mirror import (
    TILE_HEIGHT,
    TILE_WIDTH,
    TileTree,
    read_bundle,
    read_hashes,
    read_tile,
)

if TYPE_CHECKING:
    from audit.verifier.checkpoint import Checkpoint
    from audit.verifier.leaf import Leaf
    from audit.verifier.rules import Rules
    from audit.verifier.source import Source

Visitor = Callable[[int, "Leaf"], None]
Progress = Callable[[int, int], None]


@dataclass
class Frontier:
    """The unfinished right edge of a tree: for each tile level the hashes of its last tile.

    It is all that is needed to go on where an earlier scan stopped, and to recompute its root.
    """

    size: int = 0
    levels: list[list[bytes]] = field(default_factory=list)

    def root(self) -> bytes:
        """Return the root over all leaves added so far."""
        rest: list[bytes] = []
        for level in self.levels:
            nodes = level + rest
            rest = [root_of(nodes)] if nodes else []
        return root_of(rest)


@dataclass(frozen=True)
class Scan:
    """One pass over the part of a log that lies after `frontier`."""

    source: Source
    checkpoint: Checkpoint
    rules: Rules
    frontier: Frontier
    visit: Visitor | None = None
    progress: Progress | None = None

    def run(self) -> None:
        """Read on to the checkpoint's size; raise unless everything leads to its root."""
        if self.frontier.size > self.checkpoint.size:
            raise NotVerifiedError("the log is shorter than it was")
        while self.frontier.size < self.checkpoint.size:
            self._add_bundle(self.frontier.size // TILE_WIDTH)
            if self.progress:
                self.progress(self.frontier.size, self.checkpoint.size)
        self.rules.check_end()
        self._check_edge()

    def _check_edge(self) -> None:
        """Compare what is left at the right edge, and the roots: the head's and those named."""
        for level, hashes in list(enumerate(self.frontier.levels))[1:]:
            number = self.checkpoint.size >> TILE_HEIGHT * (level + 1)
            if hashes:
                self._compare_tile(level, number, hashes)
        if self.frontier.root() != self.checkpoint.root:
            raise NotVerifiedError("the entries do not lead to the signed root")
        tree = TileTree(self.source, self.checkpoint.size)
        for size, root in self.rules.names.roots:
            if tree.node(0, size) != root:
                raise NotVerifiedError(f"entry {size}: the earlier name ended with another tree")

    def _add_bundle(self, number: int) -> None:
        size = self.checkpoint.size
        leaves = read_bundle(self.source, number, size)
        hashes = leaf_hashes(leaves)
        known = self.frontier.size - number * TILE_WIDTH
        if known and self.frontier.levels[0] != hashes[:known]:
            raise NotVerifiedError(f"entries before {self.frontier.size} have been changed")
        self._compare_tile(0, number, hashes, leaves=True)
        first = number * TILE_WIDTH + known
        if self.visit is None:
            self.rules.check_all(first, leaves[known:])
        else:
            for index, data in enumerate(leaves[known:], first):
                self.visit(index, self.rules.check(index, data))
        self._push(0, number, hashes[known:])
        self.frontier.size = number * TILE_WIDTH + len(leaves)

    def _push(self, level: int, number: int, hashes: list[bytes]) -> None:
        """Add nodes to a level; a tile that is full goes up as one node."""
        levels = self.frontier.levels
        if level == len(levels):
            levels.append([])
        levels[level].extend(hashes)
        if len(levels[level]) < TILE_WIDTH:
            return
        full, levels[level] = levels[level], []
        if level:
            self._compare_tile(level, number, full)
        self._push(level + 1, number // TILE_WIDTH, [root_of(full)])

    def _compare_tile(
        self, level: int, number: int, hashes: list[bytes], *, leaves: bool = False
    ) -> None:
        if read_tile(self.source, level, number, self.checkpoint.size) == b"".join(hashes):
            return
        if leaves:
            published = read_hashes(self.source, level, number, self.checkpoint.size)
            wrong = next(at for at, one in enumerate(hashes) if published[at] != one)
            index = number * TILE_WIDTH + wrong
            raise NotVerifiedError(f"entry {index} is not the one that the log committed to")
        raise NotVerifiedError(f"tile {number} of level {level} does not match the entries below")
