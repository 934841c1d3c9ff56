"""The right edge of the tree, in memory: what was sequenced becomes tiles without a second reading.

Promises: files are a pure function of the leaves; one that was written is never written with other
bytes (ForkError); everything a head of this size needs is durable when `lay_parts` returns. Full
tiles are written as soon as they are full, partial ones only for sizes that get a checkpoint.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from audit import files
from audit.errors import ForkError
from audit.tiles import ENTRIES, HASH_BYTES, HEIGHT, WIDTH, TileStore, bundle, tile_path
from audit.tree import EMPTY_ROOT

if TYPE_CHECKING:
    from pathlib import Path


class Frontier:
    """The leaves and hashes whose tiles are not full yet, for each level of tiles."""

    def __init__(self, tiles: TileStore) -> None:
        self.tiles = tiles
        self.size = 0
        self._leaves: list[bytes] = []
        self._levels: list[list[bytes]] = []
        self._pending: dict[Path, bytes] = {}

    def load(self, size: int) -> None:
        """Begin at `size`, a multiple of 256, from the tiles on disk. Raises TileError."""
        self.size, self._leaves, self._levels, self._pending = size, [], [], {}
        level = 0
        while size >> (HEIGHT * level):
            index, width = divmod(size >> (HEIGHT * level), WIDTH)
            self._levels.append(self.tiles.hashes(level, index, width) if width else [])
            level += 1

    def append(self, leaves: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        """Grow the tree; the tiles that became full are durable afterwards."""
        begun = self.size // WIDTH
        self._leaves += leaves
        full = len(self._leaves) // WIDTH
        for at in range(full):
            part = self._leaves[at * WIDTH : (at + 1) * WIDTH]
            self._put(ENTRIES, begun + at, WIDTH, bundle(part))
        del self._leaves[: full * WIDTH]
        self._push(0, begun, hashes)
        self.size += len(leaves)
        self._flush()

    def lay_parts(self) -> None:
        """Write the partial tiles of this size, so that its head can be served."""
        if self._leaves:
            self._put(ENTRIES, self.size // WIDTH, len(self._leaves), bundle(self._leaves))
        for level, row in enumerate(self._levels):
            if row:
                index = self.size >> (HEIGHT * (level + 1))
                self._put(level, index, len(row), b"".join(row))
        self._flush()

    def root(self) -> bytes:
        """Return the root over all leaves (RFC 6962 §2.1)."""
        rest: list[bytes] = []
        for row in self._levels:
            nodes = row + rest
            rest = [_fold(b"".join(nodes))] if nodes else []
        return rest[0] if rest else EMPTY_ROOT

    def _push(self, level: int, begun: int, hashes: Sequence[bytes]) -> None:
        """Add nodes to a level whose incomplete tile is `begun`; full tiles go up as one node."""
        if level == len(self._levels):
            self._levels.append([])
        row = self._levels[level]
        row += hashes
        above: list[bytes] = []
        for at in range(0, len(row) - WIDTH + 1, WIDTH):
            content = b"".join(row[at : at + WIDTH])
            self._put(level, begun + len(above), WIDTH, content)
            above.append(_fold(content))
        del row[: len(above) * WIDTH]
        if above:
            self._push(level + 1, begun // WIDTH, above)

    def _put(self, level: int | str, index: int, width: int, content: bytes) -> None:
        path = self.tiles.root / tile_path(level, index, width)
        try:
            held = path.read_bytes()
        except FileNotFoundError:
            self._pending[path] = content
            return
        if held == content:
            return
        if not content.startswith(held):
            raise ForkError(f"{path.relative_to(self.tiles.root)} holds other bytes")
        # A file that is cut short was torn by a failing disk; nobody could have read it.
        self._pending[path] = content

    def _flush(self) -> None:
        files.replace_all(self._pending)
        self._pending = {}


def _fold(row: bytes) -> bytes:
    """Return the root over joined hashes; an odd last one goes up as it is (RFC 6962 §2.1)."""
    two = 2 * HASH_BYTES
    while len(row) > HASH_BYTES:
        even = len(row) - len(row) % two
        nodes = [sha256(b"\x01" + row[at : at + two]).digest() for at in range(0, even, two)]
        row = b"".join(nodes) + row[even:]
    return row
