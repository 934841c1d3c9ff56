"""When the sequencer does what: entries as they come, a head about once a second, little when idle.

Promises: while acts keep coming, heads are cut one interval apart, whatever witnesses do; after a
quiet moment an entry is published at once; asking an empty outbox is all an idle log costs.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from django.utils import timezone

from audit import genesis, telling
from audit.sequencer import BATCH, Sequencer

_POLL_SECONDS: Final = 0.2
_LIVE_SECONDS: Final = 5.0
_CARE_SECONDS: Final = 60.0
_LONG_AGO: Final = float("-inf")


@dataclass
class Pace:
    """One run of one sequencer."""

    log: Sequencer
    interval: float
    wake: threading.Event = field(default_factory=threading.Event)
    _cut_at: float = _LONG_AGO
    _asked_at: float = _LONG_AGO
    _lived_at: float = _LONG_AGO
    _cared_at: float = _LONG_AGO

    def run(self, is_over: Callable[[], bool]) -> None:
        """Go on until it is over, and publish what is left then."""
        self.log.begin()
        while not is_over():
            self.wake.clear()
            self.step(time.monotonic())
            self.wake.wait(self._pause(time.monotonic()))
        self.log.turn()

    def step(self, now: float) -> None:
        """Do what is due at `now`."""
        if now - self._cared_at >= _CARE_SECONDS:
            self._cared_at = now
            genesis.heartbeat(now=timezone.now())
            telling.tell(now=timezone.now())
            self.log.prune()
        if now - self._cut_at >= self.interval:
            self._cut(now)
        self.log.attend()
        if now - self._lived_at >= _LIVE_SECONDS:
            self._lived_at = now
            self.log.live()

    def _cut(self, now: float) -> None:
        """Sequence what waits, for one interval at most; sign and circulate the head."""
        taken = self.log.sequence()
        is_more = taken == BATCH
        while is_more and time.monotonic() - now < self.interval:
            self.log.attend()
            is_more = self.log.sequence() == BATCH
        if not taken and now - self._asked_at < max(self.interval, 1.0):
            return
        self._asked_at = now
        if not self.log.is_due():
            return
        self._cut_at = now
        if self.log.was_halted:
            # One of the witnesses may have been the reason, so this head waits for all of them.
            self.log.publish()
        else:
            self.log.circulate()

    def _pause(self, now: float) -> float:
        """Return how long nothing needs to be done."""
        next_cut = self._cut_at + self.interval - now
        pause = next_cut if next_cut > 0 else min(_POLL_SECONDS, self.interval)
        waits = self.log.attend()
        return min(pause, waits) if waits else pause
