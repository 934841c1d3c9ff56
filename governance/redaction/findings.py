"""What the detectors say to one another: a span with a type, a rule that finds spans."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from governance.redaction.context import Surroundings


class Span(NamedTuple):
    """A half-open range of a text and the type of entity it holds."""

    start: int
    end: int
    type: str


Range = tuple[int, int] | None
Accept = Callable[[re.Match[str], Surroundings], Range]


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, what must be in a text for it to be worth a try, and what confirms a match.

    `needs` holds lower-case literals of which one must occur, or `DIGIT`; it only saves time.
    """

    type: str
    pattern: re.Pattern[str]
    accept: Accept | None = None
    needs: tuple[str, ...] = field(default=())


DIGIT = "\\d"


def rule(
    kind: str, pattern: str, accept: Accept | None = None, *, needs: str = "", fold: bool = False
) -> Rule:
    """Write a rule in one line; `needs` are literals parted by blanks, `fold` ignores case."""
    compiled = re.compile(pattern, re.IGNORECASE if fold else 0)
    return Rule(kind, compiled, accept, tuple(needs.split()))
