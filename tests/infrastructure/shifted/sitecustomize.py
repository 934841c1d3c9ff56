"""Under libfaketime Python's sleep, which waits for a moment, fails; a wait for a span does not."""

import select
import time
from typing import SupportsIndex


def _sleep(seconds: "float | SupportsIndex", /) -> None:
    select.select([], [], [], max(0.0, float(seconds)))


time.sleep = _sleep
