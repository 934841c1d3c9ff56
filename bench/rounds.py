"""Alternating rounds: each side in turn, medians, and the ratio between them."""

import statistics
import time
from collections.abc import Callable, Mapping

Row = dict[str, object]


def rates(
    sides: Mapping[str, Callable[[], int]],
    *,
    rounds: int = 5,
    before: Callable[[], object] = lambda: None,
) -> dict[str, float]:
    """Return the median units per second of each side; a side returns how many units it did.

    `before` prepares each round of each side, off the clock.
    """
    seen: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, work in sides.items():
            before()
            start = time.perf_counter()
            units = work()
            seen[name].append(units / (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in seen.items()}


def table(medians: Mapping[str, float], *, limit: str, unit: str) -> list[Row]:
    """Return rows with each side's rate and its ratio to `limit`."""
    return [
        {"side": name, unit: round(rate), "ratio": round(rate / medians[limit], 2)}
        for name, rate in medians.items()
    ]
