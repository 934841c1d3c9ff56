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


class Shown(NamedTuple):
    """What identified somebody, of which type, and in which cell of the record it was shown.

    In memory alone: it says whom a record shows.
    """

    application: str
    category: str
    type: str
    value: str


Range = tuple[int, int] | None
Accept = Callable[[re.Match[str], Surroundings], Range]


@dataclass(frozen=True, slots=True)
class Where:
    """Accept a match where the words before it say what it is, and none says that it is not."""

    names: tuple[str, ...]
    but: str | None = None
    digits: int = 0

    def __call__(self, match: re.Match[str], around: Surroundings) -> Range:
        if self.but and around.says(self.but):
            return None
        if self.digits and sum(map(str.isdigit, match[0])) < self.digits:
            return None
        return match.span() if around.says(*self.names) else None


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, what must be in a text for it to be worth a try, and what confirms a match.

    `needs` holds lower-case literals of which one must occur, or `DIGIT`; `says` names the groups
    of words of which one must stand in the text or its label. Both only save time.
    """

    type: str
    pattern: re.Pattern[str]
    accept: Accept | None = None
    needs: tuple[str, ...] = field(default=())
    says: tuple[str, ...] = field(default=())


DIGIT = "\\d"


def rule(
    kind: str, pattern: str, accept: Accept | None = None, *, needs: str = "", fold: bool = False
) -> Rule:
    """Write a rule in one line; `needs` are literals parted by blanks, `fold` ignores case."""
    compiled = re.compile(pattern, re.ASCII | (re.IGNORECASE if fold else 0))
    says = accept.names if isinstance(accept, Where) else ()
    return Rule(kind, compiled, accept, tuple(needs.split()), says)
