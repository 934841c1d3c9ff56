"""The published tree: C2SP tlog-tiles as plain files that any static server can serve.

Promises: what is read is exactly as long as it must be. Whether the files form the signed tree is
decided by their root. audit.frontier writes them.
"""

import os
import struct
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final

from audit import tree
from audit.errors import TileError

WIDTH: Final = 256
HEIGHT: Final = 8
HASH_BYTES: Final = 32
ENTRIES: Final = "entries"

_CHUNK: Final = 64 * 1024
# A reader that goes through a whole tree keeps this many tiles, not all of them.
_ROWS: Final = 64
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


def _content(path: str) -> bytes | None:
    """Return a file, or None when there is none: a proof opens few files, and often."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        content = os.read(descriptor, _CHUNK)
        if len(content) == _CHUNK:
            content += b"".join(iter(lambda: os.read(descriptor, _CHUNK), b""))
        return content
    finally:
        os.close(descriptor)


def _root_of(row: bytes) -> bytes:
    """Return the root over 2^k neighbours that stand one after the other."""
    while len(row) > HASH_BYTES:
        pairs = range(0, len(row), 2 * HASH_BYTES)
        row = b"".join([sha256(b"\x01" + row[at : at + 64]).digest() for at in pairs])
    return row


class TileStore:
    """The tiles under one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._root = os.fspath(root)

    def read(self, level: int | str, index: int, width: int) -> bytes | None:
        """Return a tile or bundle of that width, or a longer one it is a prefix of; else None."""
        exact = _content(f"{self._root}/{tile_path(level, index, width)}")
        if exact is not None:
            return exact
        for path in self._longer(level, index, width):
            longer = _content(path)
            if longer is not None:
                return longer
        return None

    def _longer(self, level: int | str, index: int, width: int) -> list[str]:
        full = f"{self._root}/{tile_path(level, index)}"
        try:
            names = [path.name for path in Path(f"{full}.p").iterdir()]
        except FileNotFoundError:
            names = []
        widths = sorted(int(name) for name in names if name.isascii() and name.isdigit())
        return [full, *(f"{full}.p/{each}" for each in widths if each > width)]

    def hashes(self, level: int, index: int, width: int) -> list[bytes]:
        """Return the first `width` hashes of a tile; TileError when they cannot be had."""
        row = self.row(level, index, width)
        return [row[at : at + HASH_BYTES] for at in range(0, width * HASH_BYTES, HASH_BYTES)]

    def row(self, level: int, index: int, width: int) -> bytes:
        """Return the same hashes one after the other, as the file holds them."""
        data = self.read(level, index, width)
        if data is None:
            if level == 0:
                raise TileError(f"{tile_path(level, index, width)} is missing.")
            children = range(index * WIDTH, index * WIDTH + width)
            return b"".join(_root_of(self.row(level - 1, at, WIDTH)) for at in children)
        if len(data) < width * HASH_BYTES or len(data) % HASH_BYTES:
            raise TileError(f"{tile_path(level, index, width)} is cut short.")
        return data[: width * HASH_BYTES]

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
        """Return a reader of nodes of the tree of `size`, for the functions of audit.tree.

        It reads each tile once: a path asks for eight nodes of every tile that it passes.
        """
        rows: dict[tuple[int, int], bytes] = {}

        def read(level: int, index: int) -> bytes:
            tile_level, inner = divmod(level, HEIGHT)
            number, offset = divmod(index << inner, WIDTH)
            tile = (tile_level, number)
            row = rows.get(tile)
            if row is None:
                held = min(WIDTH, (size >> (HEIGHT * tile_level)) - number * WIDTH)
                if held <= 0:
                    raise TileError(f"Node {level}/{index} lies outside the tree of {size}.")
                if len(rows) == _ROWS:
                    rows.clear()
                row = rows[tile] = self.row(tile_level, number, held)
            part = row[offset * HASH_BYTES : (offset + (1 << inner)) * HASH_BYTES]
            if len(part) != HASH_BYTES << inner:
                raise TileError(f"Node {level}/{index} lies outside the tree of {size}.")
            return _root_of(part)

        return read
