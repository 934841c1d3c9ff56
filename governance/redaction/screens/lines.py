"""Words of a screen put together as a person reads them: lines, cut where a new cell begins.

A column header or the label of a form stands above its values with the same left edge; what it
announces ("IBAN", "Date of birth") decides what a value is, whatever the value looks like.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from governance.redaction.labels import type_of_label
from governance.redaction.normalize import plain
from governance.redaction.screens.geometry import Word

_LINES_BEHIND: Final = 12
_SAME_LINE: Final = 0.5
# In widths of a character; a blank in a monospaced line is up to one and a half.
_CELL_GAP: Final = 2.2
_SMALLEST_GAP: Final = 8
_TORN_GAP: Final = 0.3
_LONGEST_LABEL: Final = 28
_SAME_EDGE: Final = 14
_FAR: Final = 900
_ABOVE: Final = 4
# A label of a form stands within so many heights of a line above its field, or so far left of it.
_NEAR: Final = 5
_BESIDE: Final = 260
_COLUMNS: Final = 2


@dataclass(frozen=True, slots=True)
class Segment:
    """The words of one cell or one line, and the text they make: `owners` is a word a character."""

    words: tuple[Word, ...]
    text: str
    owners: tuple[int, ...]
    line: int
    x: int
    y: int
    right: int
    height: int


@dataclass(slots=True)
class _Line:
    middle: float
    height: int
    words: list[Word]

    def takes(self, word: Word) -> bool:
        """Tell whether the word stands on this line; if so, it is on it from now on."""
        reach = _SAME_LINE * max(self.height, word.box.height)
        if abs(self.middle - word.box.middle) >= reach:
            return False
        self.words.append(word)
        self.middle += (word.box.middle - self.middle) / len(self.words)
        return True


def segments(words: Iterable[Word]) -> list[Segment]:
    """Return the words as segments, top to bottom, each left to right."""
    lines: list[_Line] = []
    for word in sorted(words, key=lambda word: (word.box.middle, word.box.x)):
        if not any(line.takes(word) for line in reversed(lines[-_LINES_BEHIND:])):
            lines.append(_Line(word.box.middle, word.box.height, [word]))
    return [
        _segment(part, number) for number, line in enumerate(lines) for part in _cells(line.words)
    ]


def _cells(words: list[Word]) -> list[list[Word]]:
    ordered = sorted(words, key=lambda word: word.box.x)
    cells = [[ordered[0]]]
    for before, word in pairwise(ordered):
        gap = _CELL_GAP * max(_character(before), _character(word))
        if word.box.x - before.box.right > max(_SMALLEST_GAP, gap):
            cells.append([])
        cells[-1].append(word)
    return cells


def _character(word: Word) -> float:
    """Return how wide a character of the word is, and never wider than it is high by half."""
    return min(word.box.width / len(word.text), 1.5 * word.box.height)


def _segment(words: list[Word], line: int) -> Segment:
    text = ""
    owners: list[int] = []
    for index, word in enumerate(words):
        if index and not _is_torn(words[index - 1], word):
            text += " "
            owners.append(index)  # The blank before a word goes with it.
        text += word.text
        owners += [index] * len(word.text)
    first = words[0].box
    return Segment(
        words=tuple(words),
        text=text,
        owners=tuple(owners),
        line=line,
        x=first.x,
        y=first.y,
        right=max(word.box.right for word in words),
        height=max(word.box.height for word in words),
    )


def _is_torn(before: Word, word: Word) -> bool:
    """Tell whether two words touch: a reader tears codes apart where no blank is."""
    width = min(_character(before), _character(word))
    return word.box.x - before.box.right < _TORN_GAP * width


class Labels:
    """The labels and column headers of a screen, and which segments they speak for."""

    def __init__(self, found: Sequence[Segment]) -> None:
        self._lines: dict[int, list[Segment]] = {}
        # Whether the second line is a row of the table that the first one heads.
        self._tables: dict[tuple[int, int], bool] = {}
        for segment in found:
            self._lines.setdefault(segment.line, []).append(segment)
        self._headers = [
            (segment, words) for segment in found if (words := announced(segment.text)) is not None
        ]
        self._own = {id(segment) for segment, _ in self._headers}
        self._edges = {
            segment.line: [(each.x, each.right) for each in self._lines[segment.line]]
            for segment, _ in self._headers
        }

    def label_of(self, segment: Segment) -> str:
        """Return what is announced to the left of a segment, or next above it, or nothing."""
        if id(segment) in self._own:
            return ""
        beside = [
            (segment.x - label.right, words)
            for label, words in self._headers
            if label.line == segment.line and 0 < segment.x - label.right < _BESIDE
        ]
        above = [
            (segment.y - label.y, words)
            for label, words in self._headers
            if _ABOVE < segment.y - label.y < _FAR
            and _is_under(segment, label.x, label.right)
            and self._speaks(label, segment)
        ]
        nearest = min(beside, default=None) or min(above, default=None)
        return nearest[1] if nearest else ""

    def _speaks(self, label: Segment, segment: Segment) -> bool:
        """Tell whether a label near above means a segment, or a header far above its row."""
        if segment.y - label.y <= _NEAR * max(label.height, segment.height):
            return True
        lines = (label.line, segment.line)
        if lines not in self._tables:
            edges = self._edges[label.line]
            under = sum(
                any(_is_under(each, *edge) for edge in edges) for each in self._lines[segment.line]
            )
            self._tables[lines] = len(edges) >= _COLUMNS and under >= _COLUMNS
        return self._tables[lines]


def _is_under(segment: Segment, left: int, right: int) -> bool:
    return abs(segment.x - left) <= _SAME_EDGE or abs(segment.right - right) <= _SAME_EDGE // 2


def announced(text: str) -> str | None:
    """Return the label a text is, or None when it is none that announces something personal."""
    if len(text) > _LONGEST_LABEL or any(character.isdigit() for character in text):
        return None
    label = text.rstrip(":*")
    return label if type_of_label(plain(label).text) else None
