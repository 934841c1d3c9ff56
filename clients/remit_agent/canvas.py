"""A picture in memory: rectangles painted solid, and its PNG. Pure; the standard library only.

Promise: what was painted over is gone from the bytes, not covered.
"""

import struct
import zlib
from dataclasses import dataclass, field
from typing import Final

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
Colour = tuple[int, int, int]


@dataclass(slots=True)
class Canvas:
    """Red, green and blue, one byte each, row after row."""

    width: int
    height: int
    pixels: bytearray = field(default_factory=bytearray)

    @classmethod
    def blank(cls, width: int, height: int, colour: Colour) -> "Canvas":
        """Return a canvas of one colour."""
        return cls(width, height, bytearray(bytes(colour) * (width * height)))

    def paint(self, x: int, y: int, width: int, height: int, colour: Colour) -> None:
        """Paint a rectangle solid; what lies outside is left out."""
        left, top = max(0, x), max(0, y)
        right, bottom = min(self.width, x + width), min(self.height, y + height)
        if right <= left or bottom <= top:
            return
        row = bytes(colour) * (right - left)
        for line in range(top, bottom):
            start = 3 * (line * self.width + left)
            self.pixels[start : start + len(row)] = row

    def frame(self, x: int, y: int, width: int, height: int, colour: Colour) -> None:
        """Draw the outline of a rectangle."""
        self.paint(x, y, width, 1, colour)
        self.paint(x, y + height - 1, width, 1, colour)
        self.paint(x, y, 1, height, colour)
        self.paint(x + width - 1, y, 1, height, colour)

    def copy(self, source: "Canvas", x: int, y: int, width: int, height: int) -> None:
        """Take a rectangle from a canvas of the same size."""
        left, top = max(0, x), max(0, y)
        right, bottom = min(self.width, x + width), min(self.height, y + height)
        for line in range(top, max(top, bottom)):
            start, end = 3 * (line * self.width + left), 3 * (line * self.width + right)
            if end > start:
                self.pixels[start:end] = source.pixels[start:end]

    def png(self) -> bytes:
        """Return the picture as PNG."""
        rows = bytearray()
        step = 3 * self.width
        for line in range(self.height):
            rows.append(0)
            rows += self.pixels[line * step : (line + 1) * step]
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
        return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
