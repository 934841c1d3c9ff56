"""The published tree: C2SP tlog-tiles as plain files that any static server can serve.

Promises: what is read is exactly as long as it must be. Whether the files form the signed tree is
decided by their root. audit.frontier writes them.
"""

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from audit import tree
from audit.errors import TileError

WIDTH: Final = 256
HEIGHT: Final = 8
HASH_BYTES: Final = 32
ENTRIES: Final = "entries"

_length: Final = struct.Struct(">H").pack


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """Return `tile/<L>/<N>[.p/<W>]` with N as x001/x234/067 (tlog-tiles, "Merkle Tree")."""
    digits = f"{index % 1000:03d}"
    while index >= 1000:  # noqa: PLR2004 -- groups of three digits.
        index //= 1000
        digits = f"x{index % 1000:03d}/{digits}"
    return f"tile/{level}/{digits}" + ("" if width == WIDTH else f".p/{width}")


def bundle(leaves: Iterable[bytes]) -> bytes:
    """Return an entry bundle: each leaf behind its uint16 length."""
    return b"".join(part for leaf in leaves for part in (_length(len(leaf)), leaf))


def unbundle(data: bytes) -> list[bytes]:
    """Return the leaves of a bundle; TileError when a byte is left over or missing."""
    leaves: list[bytes] = []
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        leaf = data[at + 2 : at + 2 + length]
        if len(leaf) != length or at + 2 > len(data):
            raise TileError("An entry bundle is cut short.")
        leaves.append(leaf)
        at += 2 + length
    return leaves


class TileStore:
    """The tiles under one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, level: int | str, index: int, width: int) -> bytes | None:
        """Return a tile or bundle of that width, or a longer one it is a prefix of; else None."""
        for path in self._candidates(level, index, width):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                continue
        return None

    def _candidates(self, level: int | str, index: int, width: int) -> list[Path]:
        full = self.root / tile_path(level, index)
        partial = full.with_name(full.name + ".p")
        exact = [] if width == WIDTH else [partial / str(width)]
        longer = sorted(
            (path for path in partial.glob("[0-9]*") if int(path.name) > width),
            key=lambda path: int(path.name),
        )
        return [*exact, full, *longer]

    def hashes(self, level: int, index: int, width: int) -> list[bytes]:
        """Return the first `width` hashes of a tile; TileError when they cannot be had."""
        data = self.read(level, index, width)
        if data is None:
            if level == 0:
                raise TileError(f"{tile_path(level, index, width)} is missing.")
            children = range(index * WIDTH, index * WIDTH + width)
            return [tree.perfect_root(self.hashes(level - 1, at, WIDTH)) for at in children]
        if len(data) < width * HASH_BYTES or len(data) % HASH_BYTES:
            raise TileError(f"{tile_path(level, index, width)} is cut short.")
        return [data[at : at + HASH_BYTES] for at in range(0, width * HASH_BYTES, HASH_BYTES)]

    def leaves(self, index: int, width: int) -> list[bytes]:
        """Return the first `width` leaves of an entry bundle; TileError when it is missing."""
        data = self.read(ENTRIES, index, width)
        if data is None:
            raise TileError(f"{tile_path(ENTRIES, index, width)} is missing.")
        found = unbundle(data)
        if len(found) < width:
            raise TileError(f"{tile_path(ENTRIES, index, width)} is cut short.")
        return found[:width]

    def node(self, size: int) -> tree.Node:
        """Return a reader of nodes of the tree of `size`, for the functions of audit.tree."""

        def read(level: int, index: int) -> bytes:
            tile_level, inner = divmod(level, HEIGHT)
            number, offset = divmod(index << inner, WIDTH)
            held = min(WIDTH, (size >> (HEIGHT * tile_level)) - number * WIDTH)
            row = self.hashes(tile_level, number, held)[offset : offset + (1 << inner)]
            if len(row) != 1 << inner:
                raise TileError(f"Node {level}/{index} lies outside the tree of {size}.")
            return tree.perfect_root(row)

        return read
