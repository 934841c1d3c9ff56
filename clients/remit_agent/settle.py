"""Focus lag: which windows an observation may really belong to (infra.md §6, fact 1).

Recorders poll the window in front, so what happens shortly before or after a change carries the
wrong window's name now and then. Promise: whatever lies within the lag of a change, or is labelled
with another window than the one in front, comes out with every window it may belong to; `filter`
drops it when one of them is denied. Recorded geometry is not consulted: it lags too.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from remit_agent.observed import Focus, Observation, Surface

LAG_NS: Final = 250_000_000


@dataclass(slots=True)
class Settled:
    """An observation and the other surfaces it may belong to."""

    observation: Observation
    others: set[Surface | None] = field(default_factory=set)


@dataclass(slots=True)
class Settler:
    """Holds observations back until the lag after them has passed."""

    lag_ns: int = LAG_NS
    waiting: deque[Settled] = field(default_factory=deque)
    _changes: deque[tuple[int, set[Surface | None]]] = field(default_factory=deque)
    _front: Surface | None = None
    _has_front: bool = False

    def take(self, seen: Observation) -> None:
        """Take the next observation, in order of time."""
        while self._changes and self._changes[0][0] < seen.t_ns - self.lag_ns:
            self._changes.popleft()
        settled = Settled(seen)
        if isinstance(seen, Focus):
            self._change(seen)
        else:
            _doubt(settled, {self._front} if self._has_front else set())
            for _, sides in self._changes:
                _doubt(settled, sides)
        self.waiting.append(settled)

    def _change(self, seen: Focus) -> None:
        if seen.surface != self._front or not self._has_front:
            sides = {self._front, seen.surface} if self._has_front else {seen.surface}
            for earlier in self.waiting:
                _doubt(earlier, sides)
            self._changes.append((seen.t_ns, sides))
        self._front, self._has_front = seen.surface, True

    def due(self, t_ns: int) -> Iterator[Settled]:
        """Yield what no change of window from `t_ns` on can put in doubt any more."""
        while self.waiting and self.waiting[0].observation.t_ns < t_ns - self.lag_ns:
            yield self.waiting.popleft()


def settle(observations: Iterable[Observation], *, lag_ns: int = LAG_NS) -> Iterator[Settled]:
    """Yield the observations of a recording in order, each once the lag after it has passed."""
    settler = Settler(lag_ns)
    for seen in observations:
        yield from settler.due(seen.t_ns)
        settler.take(seen)
    yield from settler.waiting


def _doubt(settled: Settled, surfaces: set[Surface | None]) -> None:
    # A change of focus is itself certain: it says only that its own surface came to the front.
    if not isinstance(settled.observation, Focus):
        settled.others |= surfaces - {settled.observation.surface}
