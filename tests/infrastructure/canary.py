"""Looks for a secret in whatever form it may have been left behind: files, rows, logs, streams.

A canary is planted, the service works with it, and then nothing it wrote may hold it. What this
cannot see: encrypted copies (that is the point) and text split over pages of a database file, for
which the caller scans the rows too.
"""

import base64
import bz2
import contextlib
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from backports import zstd

_LARGEST = 64 * 1024 * 1024
_DEPTH = 3
_STREAMS_PER_FILE = 4096


@dataclass(frozen=True, slots=True)
class Hit:
    """A form of the canary at a place."""

    where: str
    form: str


def forms(canary: str) -> dict[str, bytes]:
    """Return every plain form that is searched for."""
    raw = canary.encode("utf-8")
    found = {
        "raw": raw,
        "utf-16-le": canary.encode("utf-16-le"),
        "utf-16-be": canary.encode("utf-16-be"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "percent": "".join(f"%{byte:02X}" for byte in raw).encode(),
        "percent of what must": quote(canary, safe="").encode(),
        "reversed": raw[::-1],
        "\\uXXXX": "".join(f"\\u{ord(letter):04x}" for letter in canary).encode(),
    }
    for shift in range(3):
        found[f"base64 +{shift}"] = _aligned(raw, shift, base64.b64encode)
        found[f"base64url +{shift}"] = _aligned(raw, shift, base64.urlsafe_b64encode)
    return found


def _aligned(raw: bytes, shift: int, encode: Callable[[bytes], bytes]) -> bytes:
    """Return the part of the base64 text that does not depend on what stands around `raw`."""
    encoded = encode(b"\x00" * shift + raw).rstrip(b"=")
    first = (0, 2, 3)[shift]
    whole = (shift + len(raw)) * 8 // 6
    return encoded[first:whole]


class Canary:
    """A secret, or several at once; each long enough that no form of it occurs by chance."""

    def __init__(self, *secrets: str) -> None:
        if min(map(len, secrets)) < 12:
            raise ValueError("A canary shorter than 12 characters may be found by chance.")
        self._forms = [pair for secret in secrets for pair in forms(secret).items()]

    def scan(self, data: bytes, where: str = "bytes") -> list[Hit]:
        """Return the forms found in the data and in compressed streams inside it."""
        hits = dict.fromkeys(self._hits(data, where, _DEPTH))
        return list(hits)

    def _hits(self, data: bytes, where: str, depth: int) -> Iterator[Hit]:
        lowered = data.lower()
        for form, pattern in self._forms:
            escaped = form.startswith("\\u") and pattern in lowered
            if escaped or pattern in data:
                yield Hit(where, form)
        if depth:
            for name, inner in _streams(data):
                yield from self._hits(inner, f"{where} > {name}", depth - 1)

    def scan_tree(self, folder: Path) -> list[Hit]:
        """Return the hits in all files below a folder, and in their names."""
        hits: list[Hit] = []
        for path in sorted(folder.rglob("*")):
            hits += self.scan(str(path.relative_to(folder)).encode(), f"name of {path}")
            if path.is_file() and not path.is_symlink():
                with contextlib.suppress(FileNotFoundError):  # Logs rotate, temporaries go.
                    hits += self.scan(path.read_bytes(), str(path))
        return hits


def _streams(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what each compressed stream in the data holds, wherever it begins."""
    budget, view = _STREAMS_PER_FILE, memoryview(data)
    for name, magics, expand in _KINDS:
        for magic in magics:
            at = data.find(magic)
            while at >= 0 and budget:
                budget -= 1
                inner = expand(view[at:])
                if inner:
                    yield f"{name} at {at}", inner
                at = data.find(magic, at + 1)


def _zlib(data: memoryview, window: int = zlib.MAX_WBITS) -> bytes:
    try:
        return zlib.decompressobj(window).decompress(data, _LARGEST)
    except zlib.error:
        return b""


def _gzip(data: memoryview) -> bytes:
    return _zlib(data, zlib.MAX_WBITS | 16)


def _zstd(data: memoryview) -> bytes:
    try:
        return zstd.ZstdDecompressor().decompress(data, _LARGEST)
    except (zstd.ZstdError, EOFError):
        return b""


def _bz2(data: memoryview) -> bytes:
    try:
        return bz2.BZ2Decompressor().decompress(data, _LARGEST)
    except (OSError, EOFError):
        return b""


def _xz(data: memoryview) -> bytes:
    try:
        return lzma.LZMADecompressor().decompress(data, _LARGEST)
    except (lzma.LZMAError, EOFError):
        return b""


_KINDS: tuple[tuple[str, tuple[bytes, ...], Callable[[memoryview], bytes]], ...] = (
    ("gzip", (b"\x1f\x8b\x08",), _gzip),
    ("zlib", (b"x\x01", b"x^", b"x\x9c", b"x\xda"), _zlib),
    ("zstd", (b"\x28\xb5\x2f\xfd",), _zstd),
    ("bzip2", (b"BZh",), _bz2),
    ("xz", (b"\xfd7zXZ\x00",), _xz),
)


def plantings(secret: str) -> dict[str, bytes]:
    """Return 27 ways to leave the secret behind; the scanner must find each of them."""
    raw = secret.encode()
    noise = bytes(range(256)) * 3
    ways = {f"plain: {form}": noise + data + noise for form, data in forms(secret).items()}
    for shift in range(3):
        around = b"p" * shift + raw + b"and more"
        ways[f"base64 of more, {shift}"] = noise + base64.b64encode(around)
    packers: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "zlib": zlib.compress,
        "zstd": zstd.compress,
    }
    for name, pack in packers.items():
        ways[f"{name} of text"] = noise + pack(b"before " + raw + b" after") + noise
        ways[f"{name} of utf-16"] = pack(secret.encode("utf-16-le"))
        ways[f"{name} in gzip"] = gzip.compress(pack(base64.b64encode(b"ab" + raw + b"c")))
    return ways
