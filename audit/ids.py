"""UUIDv7 (RFC 9562 §5.7), made in the application so that both databases sort alike."""

import os
import time
from datetime import datetime
from uuid import UUID

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62


def uuid7(at: datetime | None = None) -> UUID:
    """Return a fresh UUIDv7 whose 48 time bits are `at` (default: now), in milliseconds UTC.

    The other 74 bits are random, so ids of one millisecond are unordered and unguessable.
    """
    milliseconds = time.time_ns() // 1_000_000 if at is None else int(at.timestamp() * 1000)
    random = int.from_bytes(os.urandom(10), "big")
    high = (random >> 62) & 0xFFF
    low = random & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | _VERSION_7 | (high << 64) | _VARIANT | low)


def uuid7_text() -> str:
    """Return the same as text, of this moment, at half the cost: every answer has one."""
    random = os.urandom(10).hex()
    time_bits = f"{time.time_ns() // 1_000_000:012x}"
    variant = "89ab"[int(random[3], 16) & 3]
    return f"{time_bits[:8]}-{time_bits[8:]}-7{random[:3]}-{variant}{random[4:7]}-{random[7:19]}"
