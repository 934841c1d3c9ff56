"""Between event lines and stored bytes: bounded decompression in, one compressed form out.

Promises: an archive bomb costs at most MAX_OPENED_OCTETS of memory, whatever size it declares;
anything that is not one complete zstd frame is refused. Pure.
"""

import hashlib
import json
import sys
from collections.abc import Iterable
from typing import Final

from governance.capture.errors import BatchMalformedError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_OPENED_OCTETS: Final = 8 * 1024 * 1024
_RATIO_FREE_OCTETS: Final = 256 * 1024
_MAX_RATIO: Final = 100
_MOST_PICTURES: Final = 64
_WINDOW_LOG_MAX: Final = 23


def decompress(data: bytes) -> bytes:
    """Return the one zstd frame in `data`; raises BatchMalformedError for anything else."""
    decoder = zstd.ZstdDecompressor(
        options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX}
    )
    limit = min(MAX_OPENED_OCTETS, max(_RATIO_FREE_OCTETS, len(data) * _MAX_RATIO))
    try:
        opened = decoder.decompress(data, max_length=limit + 1)
    except zstd.ZstdError as error:
        raise BatchMalformedError("The content is not one bounded zstd frame.") from error
    if len(opened) > limit or not decoder.eof or decoder.unused_data:
        raise BatchMalformedError("The content is not one bounded zstd frame.")
    return opened


def split(opened: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Return the event lines of an opened batch, and its pictures by the SHA-256 of their bytes.

    Pictures stand behind a zero byte, which no line may hold: a u32 length and the bytes of each.
    Raises BatchMalformedError when a length leads past the end.
    """
    lines, mark, rest = opened.partition(b"\0")
    pictures: dict[str, bytes] = {}
    position = 0
    while position < len(rest):
        length = int.from_bytes(rest[position : position + 4], "big")
        position += 4
        if not 0 < length <= len(rest) - position or len(pictures) >= _MOST_PICTURES:
            raise BatchMalformedError("The pictures of the batch are not what it says.")
        picture = rest[position : position + length]
        pictures[hashlib.sha256(picture).hexdigest()] = picture
        position += length
    if mark and not pictures:
        raise BatchMalformedError("The pictures of the batch are not what it says.")
    return lines, pictures


def pack(lines: Iterable[bytes]) -> bytes:
    """Return event lines as stored: newline-delimited JSON in one zstd frame."""
    return zstd.compress(b"\n".join(lines), level=3)


def unpack(stored: bytes) -> list[dict[str, object]]:
    """Return the events that pack() stored. Ours were checked on the way in, so plain JSON does."""
    return [json.loads(line) for line in decompress(stored).splitlines() if line]


def lines(events: Iterable[dict[str, object]]) -> list[bytes]:
    """Return stored events as lines again: sorted names, no blanks."""
    return [
        json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        for event in events
    ]
