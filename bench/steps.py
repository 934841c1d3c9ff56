"""Which step takes how much of the work: CPU of each named function, what it calls included."""

import contextlib
import functools
import importlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from unittest import mock

from bench.rounds import Row


def shares(steps: Mapping[str, Sequence[str]], work: Callable[[], object]) -> list[Row]:
    """Do the work once; return one row for each step with its share of the CPU.

    A step names functions as `module:attribute.attribute`. What one step calls of another counts
    for the inner one alone, so the shares and "the rest" make 100 %.
    """
    spent = dict.fromkeys(steps, 0.0)
    inner = [0.0]
    with contextlib.ExitStack() as stack:
        for step, places in steps.items():
            for place in places:
                stack.enter_context(_timed(place, step, spent, inner))
        start = time.thread_time()
        work()
        total = time.thread_time() - start
    rest = total - sum(spent.values())
    return [
        {"side": f"  {step}", "share": f"{seconds / total:.0%}"}
        for step, seconds in [*spent.items(), ("the rest", rest)]
    ]


@contextlib.contextmanager
def _timed(place: str, step: str, spent: dict[str, float], inner: list[float]) -> Iterator[None]:
    module, _, path = place.partition(":")
    *above, name = path.split(".")
    holder: Any = functools.reduce(getattr, above, importlib.import_module(module))
    real = getattr(holder, name)

    @functools.wraps(real)
    def timed(*args: object, **named: object) -> object:
        before, start = inner[0], time.thread_time()
        try:
            return real(*args, **named)
        finally:
            took = time.thread_time() - start
            spent[step] += took - (inner[0] - before)
            inner[0] = before + took

    with mock.patch.object(holder, name, timed):
        yield
