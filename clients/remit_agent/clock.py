"""The one place where the agent learns what time it is, and where it waits."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """Wall time in nanoseconds UTC, and a way to wait; tests give their own.

    `steady_ns` counts what really passed, sleep of the machine included; nobody can set it. Where
    only a wall time is given, it is both.
    """

    now_ns: Callable[[], int] = time.time_ns
    sleep: Callable[[float], None] = time.sleep
    steady_ns: Callable[[], int] | None = None

    def steady(self) -> int:
        """Return nanoseconds since some moment, which never go back."""
        if self.steady_ns is not None:
            return self.steady_ns()
        return _steady() if self.now_ns is time.time_ns else self.now_ns()

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.fromtimestamp(self.now_ns() / 1e9, tz=UTC)

    def wait_until(self, t_ns: int) -> None:
        """Return once the wall clock has reached `t_ns`; at once when it has already."""
        while (left := t_ns - self.now_ns()) > 0:
            self.sleep(left / 1e9)


def _steady() -> int:
    # Python names the clock that counts suspended time on Linux only.
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.monotonic_ns()
