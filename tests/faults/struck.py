"""Ends a real worker at numbered points of named work, as orders in files say.

Imported by the worker under test (`--include`). An order is [words, number]: the process that does
the work dies (SIGKILL) at the number-th point whose label has these words; each start of the work
takes one order, and without one it goes on to its end.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from governance.jobs import services as jobs
from governance.rights import renewal
from tests.faults.crashpoints import Points, die, watched

if TYPE_CHECKING:
    from tests.faults.service import Service

VARIABLE: Final = "TEST_ORDERS"
RENEWAL: Final = "renew keys"
_OUTLIVED: Final = "outlived"
Order = Sequence[Any]


class _At(Points):
    """Acts at the number-th of the points whose label has some words."""

    def __init__(self, words: str, number: int) -> None:
        super().__init__(do=die)
        self._words = words
        self._left = number

    def passes(self, label: str) -> None:
        """Pass one point."""
        if self._words in label:
            self._left -= 1
            if not self._left:
                self.do()


def give(folder: Path, work: str, orders: Iterable[Order]) -> None:
    """Order that whoever does this work dies, once for each order."""
    _file(folder, work).write_text(json.dumps(list(orders)))


def outlived(folder: Path) -> str:
    """Return the orders that were taken and met no such point, a line each."""
    path = folder / _OUTLIVED
    return path.read_text() if path.exists() else ""


def left(folder: Path, work: str) -> int:
    """Return how many orders nobody took yet."""
    with _file(folder, work).open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        return len(json.load(file))


def obeyed(service: "Service", folder: Path, work: str) -> None:
    """Wait until somebody died for every order, and the work is done."""

    def is_over() -> bool:
        service.hurry()
        return not left(folder, work)

    service.wait(is_over, what=f"the deaths in {work}", seconds=120)
    service.settle(seconds=90, in_haste=True)


def _file(folder: Path, work: str) -> Path:
    return folder / f"orders {work}"


def _take(work: str) -> Order | None:
    path = _file(Path(os.environ[VARIABLE]), work)
    if not path.exists():
        return None
    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        orders = json.load(file)
        file.seek(0)
        file.truncate()
        json.dump(orders[1:], file)
    return orders[0] if orders else None


def _struck(work: str, do: Callable[..., Any]) -> Callable[..., Any]:
    def act(*given: Any, **named: Any) -> Any:
        order = _take(work)
        if order is None:
            return do(*given, **named)
        with watched(_At(*order)):
            answer = do(*given, **named)
        with (Path(os.environ[VARIABLE]) / _OUTLIVED).open("a") as file:
            file.write(f"{work}: {order}\n")
        return answer

    return act


class _Works(dict[str, Any]):
    """The works by kind, each ready to be struck."""

    def get(self, kind: str, default: Any = None) -> Any:
        """Return the work of a kind."""
        work = super().get(kind, default)
        return work and _struck(kind, work)


if VARIABLE in os.environ:
    vars(jobs)["_works"] = _Works(jobs._works)
    vars(renewal)["renew"] = _struck(RENEWAL, renewal.renew)
