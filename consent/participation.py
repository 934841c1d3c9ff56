"""Figures about participation that prove nothing about anybody (the rule of R19).

One figure a month for everybody alike: a band, for the whole population of a purpose, and nothing
finer for anyone. Few people, or few on either side, give no figure. What is published stays until
five people more or fewer agree and ten have acted, and having no figure counts as published too:
otherwise whoever knows who acted between two publications could read what those few chose. (Five
who acted before a figure moved by five have all chosen alike; the simulation found that.)
"""

from dataclasses import dataclass
from typing import Final

SMALLEST: Final = 20
FEWEST: Final = 5
STICKY: Final = 5
FEWEST_ACTED: Final = 10


@dataclass(frozen=True, slots=True)
class Published:
    """What stands published (None: no figure), and how many agreed when it last changed."""

    band: str | None
    agreed: int


def band(*, agreed: int, people: int) -> str | None:
    """Return the band of a share, or None where no figure may be shown."""
    if people < SMALLEST or agreed < FEWEST or people - agreed < FEWEST:
        return None
    tenth = agreed * 10 // people
    if tenth < 2:  # noqa: PLR2004 - the outer bands are merged.
        return "<20%"
    if tenth >= 8:  # noqa: PLR2004
        return ">=80%"
    return f"{tenth * 10}-{tenth * 10 + 9}%"


def publish(before: Published | None, *, agreed: int, people: int, acted: int) -> Published:
    """Return what is published next; `acted` people decided something since `before` was new."""
    if before is not None and (abs(agreed - before.agreed) < STICKY or acted < FEWEST_ACTED):
        return before
    return Published(band(agreed=agreed, people=people), agreed)
