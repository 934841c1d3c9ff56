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


def settle(observations: Iterable[Observation], *, lag_ns: int = LAG_NS) -> Iterator[Settled]:
    """Yield the observations in order, each once the lag after it has passed."""
    waiting: deque[Settled] = deque()
    changes: deque[tuple[int, set[Surface | None]]] = deque()
    front: Surface | None = None
    has_front = False
    for seen in observations:
        while waiting and waiting[0].observation.t_ns < seen.t_ns - lag_ns:
            yield waiting.popleft()
        while changes and changes[0][0] < seen.t_ns - lag_ns:
            changes.popleft()
        if isinstance(seen, Focus):
            if seen.surface != front or not has_front:
                sides = {front, seen.surface} if has_front else {seen.surface}
                for earlier in waiting:
                    _doubt(earlier, sides)
                changes.append((seen.t_ns, sides))
            front, has_front = seen.surface, True
            waiting.append(Settled(seen))
            continue
        settled = Settled(seen)
        _doubt(settled, {front} if has_front else set())
        for _, sides in changes:
            _doubt(settled, sides)
        waiting.append(settled)
    yield from waiting


def _doubt(settled: Settled, surfaces: set[Surface | None]) -> None:
    # A change of focus is itself certain: it says only that its own surface came to the front.
    if not isinstance(settled.observation, Focus):
        settled.others |= surfaces - {settled.observation.surface}
