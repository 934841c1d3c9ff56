"""What the accessibility tree says stands where: words with places, before anything is read.

The tree knows its texts to the letter but can be older than the picture, so that it only ever adds
to what is painted: nothing is shown because of it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from governance.redaction.screens.geometry import Box, Word

_TOKEN: Final = re.compile(r"\S+")
_SURE: Final = 100.0
# A text of so many letters in so narrow a box stands on several lines: each of its words may be
# anywhere in it.
_NARROWEST_LETTER: Final = 0.25
_TALLEST_LINE: Final = 2.2
_AROUND: Final = 0.8


@dataclass(frozen=True, slots=True)
class TreeText:
    """One text of the tree: where it stands and what it says."""

    text: str
    box: Box


def words(texts: Iterable[TreeText], line_height: int = 20) -> dict[Word, Box]:
    """Return the tree's texts as words with the places they are likely to have.

    The box beside each word is the one to paint: wider where the place is a guess.
    """
    found: dict[Word, Box] = {}
    for one in texts:
        if one.box.width <= 0 or one.box.height <= 0:
            continue
        folded = (
            one.box.width < _NARROWEST_LETTER * one.box.height * len(one.text)
            or one.box.height > _TALLEST_LINE * line_height
        )
        for match in _TOKEN.finditer(one.text):
            box = one.box if folded else _part(one, *match.span())
            found[Word(match[0], box, _SURE)] = one.box if folded else _wide(one, box)
    return found


def _part(one: TreeText, start: int, end: int) -> Box:
    """Return where a part of a text stands, were all its letters of one width."""
    letter = one.box.width / len(one.text)
    left = one.box.x + round(start * letter)
    return Box(left, one.box.y, max(1, round((end - start) * letter)), one.box.height)


def _wide(one: TreeText, part: Box) -> Box:
    """Return a part with room for letters wider than the average, within the text's own box."""
    more = round(_AROUND * one.box.height)
    left = max(one.box.x, part.x - more)
    right = min(one.box.right, part.right + more)
    return Box(left, part.y, right - left, part.height)
