"""Reads a log of C2SP tlog-tiles, byte for byte and bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.verifier.errors import NotVerifiedError, UnreachableError
from audit.verifier.merkle import HASH_LENGTH, root_of
from audit.verifier.note import LONGEST_NOTE

if TYPE_CHECKING:
    from audit.verifier.source import Source

TILE_WIDTH = 256
TILE_HEIGHT = 8
LONGEST_BUNDLE = TILE_WIDTH * (2 + 65535)


def read_checkpoint(source: Source) -> bytes:
    """Return the newest signed head."""
    return source.read("checkpoint", LONGEST_NOTE)


def _number_path(number: int) -> str:
    """Write a tile's number as tlog-tiles does: 1234067 is x001/x234/067."""
    parts = [f"{number % 1000:03d}"]
    while number >= 1000:  # noqa: PLR2004 - three digits a part.
        number //= 1000
        parts.insert(0, f"x{number % 1000:03d}")
    return "/".join(parts)


def _width(number: int, count: int) -> int:
    """How many of `count` nodes of a level lie in tile `number`."""
    return min(TILE_WIDTH, count - number * TILE_WIDTH)


def read_hashes(source: Source, level: int, number: int, size: int) -> list[bytes]:
    """Return the hashes of a tile as it is in a tree of `size` leaves."""
    data = read_tile(source, level, number, size)
    return [data[at : at + HASH_LENGTH] for at in range(0, len(data), HASH_LENGTH)]


def read_tile(source: Source, level: int, number: int, size: int) -> bytes:
    """Return a tile's hashes, one after the other, as it is in a tree of `size` leaves."""
    width = _width(number, size >> TILE_HEIGHT * level)
    path = f"tile/{level}/{_number_path(number)}"
    data = _read_tile(source, path, width, HASH_LENGTH * TILE_WIDTH)
    if len(data) not in (width * HASH_LENGTH, TILE_WIDTH * HASH_LENGTH):
        raise NotVerifiedError(f"{path} has the wrong length")
    return data[: width * HASH_LENGTH]


def read_bundle(source: Source, number: int, size: int) -> list[bytes]:
    """Return the leaves of an entry bundle as it is in a tree of `size` leaves."""
    width = _width(number, size)
    path = f"tile/entries/{_number_path(number)}"
    data = _read_tile(source, path, width, LONGEST_BUNDLE)
    leaves = _split(data, path)
    if len(leaves) not in (width, TILE_WIDTH):
        raise NotVerifiedError(f"{path} holds the wrong number of entries")
    return leaves[:width]


def _read_tile(source: Source, path: str, width: int, limit: int) -> bytes:
    """Read a tile. A log may drop a partial tile once the full one stands: cut that instead."""
    if width == TILE_WIDTH:
        return source.read(path, limit)
    try:
        return source.read(f"{path}.p/{width}", limit)
    except UnreachableError as missing:
        try:
            return source.read(path, limit)
        except UnreachableError:
            raise missing from None


def _split(data: bytes, path: str) -> list[bytes]:
    leaves: list[bytes] = []
    at, end = 0, len(data)
    while at < end:
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if start > end or at > end:
            raise NotVerifiedError(f"{path} ends inside an entry")
        leaves.append(data[start:at])
        if len(leaves) > TILE_WIDTH:
            raise NotVerifiedError(f"{path} has bytes after its last entry")
    return leaves


class TileTree:
    """Nodes of a tree of `size` leaves, computed from its tiles as they are needed."""

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._size = size
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def node(self, start: int, end: int) -> bytes:
        """Return the hash over the leaves [start, end), by the splits of RFC 6962 §2.1."""
        width = end - start
        if width & (width - 1) == 0:
            return self._perfect(start, width.bit_length() - 1)
        middle = start + (1 << (width - 1).bit_length() - 1)
        return root_of([self.node(start, middle), self.node(middle, end)])

    def _perfect(self, start: int, height: int) -> bytes:
        level, within = divmod(height, TILE_HEIGHT)
        first = start >> TILE_HEIGHT * level
        number, offset = divmod(first, TILE_WIDTH)
        if (level, number) not in self._tiles:
            self._tiles[level, number] = read_hashes(self._source, level, number, self._size)
        return root_of(self._tiles[level, number][offset : offset + (1 << within)])

    def consistency_path(self, old_size: int) -> list[bytes]:
        """Return the proof that the tree of `old_size` leaves is this one's beginning."""
        if old_size in (0, self._size):
            return []
        path = []
        start, end, known = 0, self._size, True
        while end - start > 0 and end != old_size:
            middle = start + (1 << (end - start - 1).bit_length() - 1)
            if old_size <= middle:
                path.append(self.node(middle, end))
                end = middle
            else:
                path.append(self.node(start, middle))
                start, known = middle, False
        if not known:
            path.append(self.node(start, end))
        return path[::-1]
