"""The one place where the agent learns what time it is, and where it waits."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """Wall time in nanoseconds UTC, and a way to wait; tests give their own."""

    now_ns: Callable[[], int] = time.time_ns
    sleep: Callable[[float], None] = time.sleep

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.fromtimestamp(self.now_ns() / 1e9, tz=UTC)

    def wait_until(self, t_ns: int) -> None:
        """Return once the wall clock has reached `t_ns`; at once when it has already."""
        while (left := t_ns - self.now_ns()) > 0:
            self.sleep(left / 1e9)
