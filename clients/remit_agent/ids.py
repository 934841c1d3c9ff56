"""UUIDv7 (RFC 9562 §5.7): batch and session ids sort by the time they were made."""

import os
import time
from uuid import UUID


def uuid7(*, now_ns: int | None = None) -> UUID:
    """Return a fresh UUIDv7 of `now_ns` (default: now); 74 bits are random."""
    milliseconds = (time.time_ns() if now_ns is None else now_ns) // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    high = (random >> 62) & 0xFFF
    low = random & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low)
