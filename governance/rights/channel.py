"""How much of a channel that is open to anybody one place, and one day, may take.

Promises: a place sends `MOST_A_PLACE` reports of pressure, and asks as often about other people's
recordings (`bystanders`), a day through each process of the service; what is
counted lies in this process's memory alone, under a key that is made anew each day and never
written, so that nothing kept tells who wrote, not even to whoever holds every key of the house.
`MOST_A_DAY` reports are taken a day from all places, so that a flood ends with its day and the
next one is open again; the representatives are told that a day was full.
"""

import hmac
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from secrets import token_bytes
from threading import Lock
from typing import Final

from governance.accounts.limits import network_of

MOST_A_PLACE: Final = 20
MOST_A_DAY: Final = 200
# Of so many places at most something is remembered; a flood from more meets the day's bound.
_MOST_PLACES: Final = 10_000


@dataclass
class _Day:
    """What this process has taken today, under today's key."""

    day: date = date.min
    key: bytes = b""
    taken: Counter[bytes] = field(default_factory=Counter)


_today = _Day()
_lock = Lock()


def has_room(address: str, *, day: date, of: str = "pressure") -> bool:
    """Say whether a place may send one more today through a channel, and count it if so."""
    with _lock:
        if _today.day != day:
            _today.day, _today.key = day, token_bytes(32)
            _today.taken.clear()
        place = hmac.digest(_today.key, f"{of}\0{network_of(address)}".encode(), "sha256")
        if _today.taken[place] >= MOST_A_PLACE:
            return False
        if len(_today.taken) <= _MOST_PLACES:
            _today.taken[place] += 1
        return True


def forget() -> None:
    """Begin anew, as after a restart."""
    with _lock:
        _today.day = date.min
