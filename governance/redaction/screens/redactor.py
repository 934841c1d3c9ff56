"""One picture of a screen in, the same picture out with everyone in it painted over.

Promise: what is shown was read, says nothing of anyone, and was looked at again after painting;
everything else that stands out is covered in the solid colour of what is around it. Nothing of the
original but shown pixels is in what comes out. Leaves to others: which screens may be taken at all
(capture policies), and texts that no eye and no reader sees.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from governance.redaction import sensitive
from governance.redaction.engine import NO_DEADLINE, Deadline, Detector
from governance.redaction.screens import pictures, regions, trees
from governance.redaction.screens.errors import UnreadableScreenError
from governance.redaction.screens.geometry import Box, Painted, Pixels, Word
from governance.redaction.screens.reading import Reader
from governance.redaction.screens.trees import TreeText
from governance.redaction.screens.verdicts import PICTURE, Judge, Verdict, unread

_ROUNDS: Final = 4
_AROUND: Final = 2


@dataclass(frozen=True, slots=True)
class RedactedScreen:
    """A safe picture, what was painted in it and why, and the values that were found."""

    picture: bytes
    width: int
    height: int
    painted: tuple[Painted, ...]
    counts: dict[str, int]
    values: frozenset[str] = field(repr=False)
    # The same with its type, and what was known from elsewhere and stands here too.
    shown: frozenset[tuple[str, str]] = field(repr=False)
    # Whether it tells of somebody's health, belief and the like.
    is_sensitive: bool


class ScreenRedactor:
    """Redacts the screens of one record; what it read of one helps with the next."""

    def __init__(self, detector: Detector) -> None:
        self._reader = Reader()
        self._finder = regions.Finder()
        self._judge = Judge(detector)

    def redact(
        self,
        data: bytes,
        *,
        tree: Sequence[TreeText] = (),
        known: Collection[str] = (),
        deadline: Deadline = NO_DEADLINE,
    ) -> RedactedScreen:
        """Return the picture redacted; `known` are values found elsewhere in the record.

        Raises `PictureError` for bytes that are no bounded picture, `RedactionError` when it
        cannot be made safe.
        """
        pixels = pictures.decode(data)
        height, width = pixels.shape[:2]
        shades = regions.grey(pixels)
        found = self._finder.find(shades)
        coloured = self._finder.find_coloured(pixels, shades)
        places = trees.words(tree)
        by_tree = self._judge.judge(places, known=known, deadline=deadline)
        values = set(known) | by_tree.values
        words = self._reader.read(shades, found.texts, deadline)
        verdict = self._judge.judge(words, known=values, deadline=deadline)
        painted = [
            *(Painted(box, PICTURE) for box in (*found.pictures, *coloured.pictures)),
            *(Painted(places[word], kind) for word, kind in by_tree.found),
            *_boxes(verdict),
            *unread(found.ink, found.texts, verdict.shown),
            *unread(coloured.ink, coloured.texts, ()),
        ]
        paint(pixels, painted)
        painted += self._look_again(pixels, painted, verdict, known=values, deadline=deadline)
        return RedactedScreen(
            picture=pictures.encode(pixels),
            width=width,
            height=height,
            painted=tuple(painted),
            counts=_counts(painted, by_tree, verdict),
            values=frozenset(by_tree.values | verdict.values),
            shown=frozenset(by_tree.said | verdict.said),
            is_sensitive=sensitive.is_met(" ".join(one.text for one in tree))
            or sensitive.is_met(" ".join(word.text for word in words)),
        )

    def _look_again(
        self,
        pixels: Pixels,
        painted: Sequence[Painted],
        verdict: Verdict,
        *,
        known: Collection[str],
        deadline: Deadline,
    ) -> list[Painted]:
        """Read what paint touched once more; paint what is found, until nothing is."""
        more: list[Painted] = []
        touched = [each.box for each in painted]
        shown = list(verdict.shown)
        for _ in range(_ROUNDS):
            beside = _touching(shown, touched)
            lines = regions.rows(word.box for word in beside)
            again = self._reader.read(_grey_at(pixels, lines), lines, deadline)
            rest = [word for word in shown if word not in beside]
            second = self._judge.judge([*rest, *again], known=known, deadline=deadline)
            if not second.found:
                return more
            residue = _boxes(second)
            paint(pixels, residue)
            more += residue
            touched = [each.box for each in residue]
            shown = second.shown
        raise UnreadableScreenError


def paint(pixels: Pixels, painted: Sequence[Painted]) -> None:
    """Cover the boxes, each in the colour that stands around it; in place.

    Never blurred and never mixed with what was there: both can be undone.
    """
    height, width = pixels.shape[:2]
    # One after the other: a box beside another takes its paint, not what was under it.
    for box, _ in painted:
        left, top = max(0, box.x), max(0, box.y)
        right, bottom = min(width, box.right), min(height, box.bottom)
        if left >= right or top >= bottom:
            continue
        across = [left, (left + right) // 2, right - 1]
        above, below = pixels[max(0, top - 1)], pixels[min(height - 1, bottom)]
        around = np.concatenate((above[across], below[across]))
        around.sort(axis=0)
        pixels[top:bottom, left:right] = around[3]


def _grey_at(pixels: Pixels, boxes: Sequence[Box]) -> Pixels:
    """Return the picture in grey at the boxes, and nothing anywhere else."""
    shades = np.zeros(pixels.shape[:2], np.uint8)
    for box in boxes:
        rows, columns = slice(max(0, box.y), box.bottom), slice(max(0, box.x), box.right)
        part = pixels[rows, columns]
        if part.size:
            shades[rows, columns] = regions.grey(part)
    return shades


def _touching(words: Sequence[Word], boxes: Sequence[Box]) -> list[Word]:
    """Return the words on whose line, and near to whom, something was painted."""
    if not boxes or not words:
        return []
    sides = np.array([(box.x, box.y, box.right, box.bottom) for box in boxes])
    found = []
    for word in words:
        box = word.box
        near = (
            (sides[:, 0] <= box.right + box.height)
            & (sides[:, 2] >= box.x - box.height)
            & (sides[:, 1] <= box.bottom)
            & (sides[:, 3] >= box.y)
        )
        if near.any():
            found.append(word)
    return found


def _boxes(verdict: Verdict) -> list[Painted]:
    """Return the boxes of the words that must not stay, a little wider than they were read."""
    return [
        Painted(
            Box(
                word.box.x - _AROUND,
                word.box.y - _AROUND,
                word.box.width + 2 * _AROUND,
                word.box.height + 2 * _AROUND,
            ),
            kind,
        )
        for word, kind in verdict.found
    ]


def _counts(painted: Sequence[Painted], *verdicts: Verdict) -> dict[str, int]:
    """Return findings by type; the tree and the picture tell of the same things, so the most."""
    counts: dict[str, int] = {}
    for verdict in verdicts:
        for kind, count in verdict.counts.items():
            counts[kind] = max(count, counts.get(kind, 0))
    others = Counter(each.type for each in painted if each.type not in counts)
    return dict(sorted((counts | others).items()))
