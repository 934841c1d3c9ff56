"""What of a screen may be shown: a word that was read, that nothing flags, and that is no one's.

Everything else that stands out on the screen is painted: what the detector found, what a label
announced, words found in another modality of the same record, what could not be read, and words
that are in no list and stand among others that are not either.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from governance.redaction.engine import NO_DEADLINE, Deadline, Detector
from governance.redaction.findings import Span
from governance.redaction.flagging import values_pattern
from governance.redaction.screens import vocabulary
from governance.redaction.screens.geometry import Box, Painted, Pixels, Word
from governance.redaction.screens.lines import Labels, Segment, segments

UNKNOWN: Final = "UNKNOWN_TEXT"
PICTURE: Final = "PICTURE"
_REPEATED: Final = "REPEATED"
_SURE: Final = 55
_REVEALED_AROUND: Final = 3
_NARROWEST: Final = 3
_SHORTEST_VALUE: Final = 4


class Found(NamedTuple):
    """A word that must not stay, and why."""

    word: Word
    type: str


@dataclass(slots=True)
class Verdict:
    """What was found on a screen: flagged words, words that may stay, counts, the values found."""

    found: list[Found] = field(default_factory=list)
    shown: list[Word] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    values: set[str] = field(default_factory=set)
    # What was said of somebody, by type.
    said: set[tuple[str, str]] = field(default_factory=set)


class Judge:
    """Judges the words of screens; remembers what it said of a text for as long as it lives."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._known: dict[tuple[str, str], list[Span]] = {}
        self._harmless: dict[str, bool] = {}

    def judge(
        self,
        words: Iterable[Word],
        *,
        known: Collection[str] = (),
        deadline: Deadline = NO_DEADLINE,
    ) -> Verdict:
        """Return what these words of one screen say; `known` are values found elsewhere."""
        verdict = Verdict()
        found = segments(words)
        labels = Labels(found)
        pattern = values_pattern(known)
        for segment in found:
            spans = self._spans(segment.text, labels.label_of(segment), deadline)
            flagged: set[int] = set()
            for start, end, kind in spans:
                owners = {segment.owners[position] for position in range(start, end)}
                flagged |= owners
                verdict.counts[kind] = verdict.counts.get(kind, 0) + 1
                verdict.values.add(segment.text[start:end])
                verdict.said.add((kind, segment.text[start:end]))
                verdict.found += (Found(segment.words[i], kind) for i in owners)
            for match in pattern.finditer(segment.text) if pattern else ():
                owners = {segment.owners[i] for i in range(*match.span())} - flagged
                flagged |= owners
                verdict.said.add((_REPEATED, match[0]))
                if owners:
                    verdict.counts[_REPEATED] = verdict.counts.get(_REPEATED, 0) + 1
                verdict.found += (Found(segment.words[i], _REPEATED) for i in owners)
            verdict.shown += _shown(segment, flagged, self._is_harmless)
        return verdict

    def _is_harmless(self, text: str) -> bool:
        if text not in self._harmless:
            self._harmless[text] = vocabulary.is_harmless(text)
        return self._harmless[text]

    def _spans(self, text: str, label: str, deadline: Deadline) -> list[Span]:
        key = (text, label)
        if key not in self._known:
            self._known[key] = self._detector.spans(
                text, label=label, role="cell" if label else "document", deadline=deadline
            )
        return self._known[key]


def _shown(
    segment: Segment, flagged: Collection[int], is_harmless: Callable[[str], bool]
) -> Iterable[Word]:
    """Yield the words of a segment that may stay."""
    read = [
        index not in flagged and word.confidence >= _SURE
        for index, word in enumerate(segment.words)
    ]
    harmless = [is_harmless(word.text) for word in segment.words]
    mostly = sum(harmless) * 2 >= len(harmless)
    for index, word in enumerate(segment.words):
        if read[index] and (harmless[index] or (mostly and _is_ordinary(word.text))):
            yield word


def _is_ordinary(text: str) -> bool:
    """Tell whether a word in no list may stay among words that are: no name, no code."""
    bare = text.strip("\"'(),.:;!?")
    return bare.isalpha() and bare.islower()


def unread(ink: Pixels, regions: Iterable[Box], shown: Iterable[Word]) -> list[Painted]:
    """Return the parts of regions that no shown word covers: nobody knows what they say."""
    left = ink.copy()
    for word in shown:
        box = word.box
        left[
            max(0, box.y - _REVEALED_AROUND) : box.bottom + _REVEALED_AROUND + 1,
            max(0, box.x - _REVEALED_AROUND) : box.right + _REVEALED_AROUND,
        ] = 0
    found: list[Painted] = []
    for box in regions:
        ink_left = left[box.y : box.bottom, box.x : box.right]
        if not ink_left.any():
            continue
        part = ink_left > 0
        for top, bottom in _runs(part.any(axis=1)):
            found += (
                Painted(
                    Box(box.x + start - 1, box.y + top - 1, end - start + 2, bottom - top + 2),
                    UNKNOWN,
                )
                for start, end in _runs(part[top:bottom].any(axis=0))
            )
    return found


def _runs(line: NDArray[np.bool_] | np.bool_) -> list[tuple[int, int]]:
    """Return the runs of true values, as half-open spans, those of a hair's breadth left out."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], line, [False]))))
    spans = [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
    return [(start, end) for start, end in spans if end - start >= _NARROWEST]
