"""Reads a log of C2SP tlog-tiles from a URL or a directory, byte for byte and bounded."""

from __future__ import annotations

import struct
import urllib.error
import urllib.request
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from audit.verifier.errors import NotVerifiedError, UnreachableError
from audit.verifier.merkle import HASH_LENGTH, root_of
from audit.verifier.note import LONGEST_NOTE

TILE_WIDTH = 256
TILE_HEIGHT = 8
LONGEST_BUNDLE = TILE_WIDTH * (2 + 65535)
_TIMEOUT_SECONDS = 30


class Source(Protocol):
    """Where the files of a log come from."""

    def read(self, path: str, limit: int) -> bytes:
        """Return the file, at most `limit` bytes; UnreachableError when it is not there."""


class DirectorySource:
    """A log that was downloaded."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, path: str, limit: int) -> bytes:
        """Return the file; the paths are made here, so none leads out of the directory."""
        try:
            with (self._directory / path).open("rb") as file:
                return _bounded(file.read(limit + 1), path, limit)
        except OSError:
            raise UnreachableError(f"{path} is missing from the log") from None


class UrlSource:
    """A log that is served over HTTP."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def read(self, path: str, limit: int) -> bytes:
        """Return the file by GET, without content encodings."""
        try:
            with urllib.request.urlopen(  # noqa: S310 - the scheme was checked in open_source.
                f"{self._url}/{path}", timeout=_TIMEOUT_SECONDS
            ) as answer:
                return _bounded(answer.read(limit + 1), path, limit)
        except (urllib.error.URLError, OSError, ValueError):
            raise UnreachableError(f"{path} cannot be fetched from the log") from None


def _bounded(data: bytes, path: str, limit: int) -> bytes:
    if len(data) > limit:
        raise NotVerifiedError(f"{path} is longer than it may be")
    return data


def open_source(place: str) -> Source:
    """Return the log at a URL (http, https) or in a directory."""
    if urlsplit(place).scheme in ("http", "https"):
        return UrlSource(place)
    if not Path(place).is_dir():
        raise UnreachableError(f"{place} is neither a web address nor a directory")
    return DirectorySource(Path(place))


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
    width = _width(number, size >> TILE_HEIGHT * level)
    path = f"tile/{level}/{_number_path(number)}"
    data = _read_tile(source, path, width, HASH_LENGTH * TILE_WIDTH)
    if len(data) not in (width * HASH_LENGTH, TILE_WIDTH * HASH_LENGTH):
        raise NotVerifiedError(f"{path} has the wrong length")
    return [data[at * HASH_LENGTH : (at + 1) * HASH_LENGTH] for at in range(width)]


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
    leaves = []
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise NotVerifiedError(f"{path} ends inside an entry")
        (length,) = struct.unpack_from(">H", data, at)
        at += 2
        if at + length > len(data):
            raise NotVerifiedError(f"{path} ends inside an entry")
        leaves.append(data[at : at + length])
        at += length
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
