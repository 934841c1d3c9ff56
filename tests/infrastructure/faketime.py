"""Another time for a process: libfaketime, which Debian packages, steps its wall clock.

Timers stay: only what asks for the date is told another one.
"""

from pathlib import Path

import pytest

_PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


def library() -> str | None:
    """Return the library to preload, or None where it is not installed."""
    found = [str(path) for place in _PLACES for path in Path("/").glob(place[1:])]
    return found[0] if found else None


def shifted(by: str) -> dict[str, str]:
    """Return the environment of a process whose clock is off, by "+1d" or "-3600"."""
    preload = library()
    assert preload is not None
    own = Path(__file__).with_name("shifted")
    return {
        "LD_PRELOAD": preload,
        "FAKETIME": by,
        "DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": f"{own}:clients:.",
    }


needed = pytest.mark.skipif(library() is None, reason="There is no libfaketime on this machine.")
