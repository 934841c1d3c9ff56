"""Untrusted picture bytes in, pixels out; pixels in, a clean picture out.

Promises: only PNG, JPEG and WebP of one frame, of bounded bytes and pixels, are decoded at all, by
what their header says before any pixel is unpacked; what comes out again was made from pixels
alone: no metadata, no alpha, no thumbnail, no trailer. Nothing but `PictureError` is raised.
"""

import struct
from typing import Final

import cv2
import numpy as np

from governance.redaction.screens.errors import PictureError
from governance.redaction.screens.geometry import Pixels

MAX_OCTETS: Final = 1 << 20
MAX_PIXELS: Final = 4_000_000
MAX_SIDE: Final = 8192
MIN_SIDE: Final = 8

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
# Start-of-frame markers: all but the tables (C4), the extension (C8) and arithmetic coding (CC).
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_READ: Final = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
_JPEG_QUALITY: Final = 85
# Screens are flat: without a filter a PNG is as small and written three times as fast.
_QUALITY: Final = (
    cv2.IMWRITE_PNG_COMPRESSION,
    1,
    cv2.IMWRITE_PNG_FILTER,
    cv2.IMWRITE_PNG_FILTER_NONE,
)


def kind_of(data: bytes) -> str:
    """Return the file name ending of a picture that `encode` made."""
    return "png" if data.startswith(_PNG) else "jpg"


def decode(data: bytes) -> Pixels:
    """Return the pixels, blue-green-red, of one bounded picture; raises `PictureError`."""
    if len(data) > MAX_OCTETS:
        raise PictureError("A picture is larger than a screen may be.")
    width, height = size_of(data)
    if not (MIN_SIDE <= width <= MAX_SIDE and MIN_SIDE <= height <= MAX_SIDE):
        raise PictureError("A picture has sides no screen has.")
    if width * height > MAX_PIXELS:
        raise PictureError("A picture has more pixels than a screen may have.")
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _READ)
    except cv2.error:
        pixels = None
    if pixels is None or pixels.shape != (height, width, 3):
        raise PictureError("The bytes are not the picture they claim to be.")
    return np.asarray(pixels, np.uint8)


def encode(pixels: Pixels) -> bytes:
    """Return the pixels as a PNG of nothing but pixels; as a JPEG where that would be large."""
    done, octets = cv2.imencode(".png", pixels, _QUALITY)
    if done and octets.size > MAX_OCTETS:
        done, octets = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
    if not done or octets.size > MAX_OCTETS:
        raise PictureError("A picture could not be written.")
    return octets.tobytes()


def size_of(data: bytes) -> tuple[int, int]:
    """Return width and height as the header says; raises `PictureError` for anything animated."""
    try:
        if data.startswith(_PNG):
            return _png_size(data)
        if data.startswith(_JPEG):
            return _jpeg_size(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp_size(data)
    except (struct.error, IndexError):
        raise PictureError("A picture ends before it began.") from None
    raise PictureError("Only PNG, JPEG and WebP are pictures here.")


def _png_size(data: bytes) -> tuple[int, int]:
    """Walk the chunks up to the pixels: an `acTL` before them makes it an animation."""
    length, kind, width, height = struct.unpack_from(">I4sII", data, 8)
    if kind != b"IHDR" or length != 13:  # noqa: PLR2004 - RFC 2083 §4.1.1.
        raise PictureError("A PNG does not begin with its header.")
    position = 8
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"acTL":
            raise PictureError("A screen is one frame; this picture has several.")
        if kind == b"IDAT":
            return width, height
        position += 12 + length
    raise PictureError("A PNG holds no pixels.")


def _jpeg_size(data: bytes) -> tuple[int, int]:
    position = 2
    while position < len(data):
        if data[position] != 0xFF:  # noqa: PLR2004 - every marker begins so.
            break
        marker = data[position + 1]
        if marker == 0xFF or marker in _JPEG_ALONE:  # noqa: PLR2004 - a fill byte.
            position += 1 if marker == 0xFF else 2  # noqa: PLR2004
            continue
        (length,) = struct.unpack_from(">H", data, position + 2)
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return width, height
        position += 2 + length
    raise PictureError("A JPEG holds no frame.")


def _webp_size(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        if data[20] & 0x02:
            raise PictureError("A screen is one frame; this picture has several.")
        width = int.from_bytes(data[24:27], "little") + 1
        return width, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise PictureError("A WebP holds no frame.")
