"""Which patterns are worth a try on a text: all of them asked at once instead of one by one.

The answer is a superset of the patterns that match, so that it saves time and never decides.
Literals that a match must contain are looked for; with the extra `fast`, once a process has read
enough texts for it to pay, automata of all patterns read the text instead (hyperscan, whose
prefilter mode takes look-arounds as always true).
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Protocol

import ahocorasick

from governance.redaction.findings import DIGIT

try:
    import hyperscan
except ImportError:
    _HAS_HYPERSCAN = False
else:
    _HAS_HYPERSCAN = True

_HAS_DIGIT: Final = re.compile(r"[0-9]")
# Hyperscan knows no possessive quantifiers, and bounds cost it time and space. A greedy and
# unbounded pattern matches wherever the other does.
_POSSESSIVE: Final = re.compile(r"(?<=[*+?}])\+")
_BOUNDED: Final = re.compile(r"\{(\d+),\d{2,}\}")
_MOST_REPEATS: Final = 8
# Two automata are made in half the time that one of both takes, and read nearly as fast.
_AUTOMATA: Final = 2
TEXTS_BEFORE: Final = 4000


@dataclass(frozen=True, slots=True)
class Probe:
    """A pattern over ASCII, and literals in lower case (or `DIGIT`) of which a match needs one."""

    pattern: re.Pattern[str]
    needs: tuple[str, ...] = field(default=())


class Prefilter(Protocol):
    """Says which probes may match a text in plain form, by their position."""

    def possible(self, text: str) -> Collection[int]: ...


class Literals:
    """The prefilter of an installation without extras."""

    def __init__(self, probes: Sequence[Probe]) -> None:
        self._always = frozenset(n for n, probe in enumerate(probes) if not probe.needs)
        self._with_digit = frozenset(n for n, probe in enumerate(probes) if DIGIT in probe.needs)
        wanted: dict[str, set[int]] = {}
        for number, probe in enumerate(probes):
            for literal in probe.needs:
                if literal != DIGIT:
                    wanted.setdefault(literal, set()).add(number)
        self._automaton = ahocorasick.Automaton()
        for literal, numbers in wanted.items():
            self._automaton.add_word(literal, frozenset(numbers))
        self._automaton.make_automaton()

    def possible(self, text: str) -> Collection[int]:
        found = set(self._always)
        if _HAS_DIGIT.search(text):
            found |= self._with_digit
        for _, numbers in self._automaton.iter(text.lower()):
            found |= numbers
        return found


class Automata:
    """The prefilter of the extra `fast`."""

    def __init__(self, probes: Sequence[Probe]) -> None:
        self._databases = [
            _database(probes, range(first, len(probes), _AUTOMATA)) for first in range(_AUTOMATA)
        ]
        self._found: list[int] = []
        # One scratch space and one list of matches for all threads.
        self._lock = Lock()

    def possible(self, text: str) -> Collection[int]:
        data = text.encode("latin-1", "replace")
        with self._lock:
            self._found = []
            for database in self._databases:
                database.scan(data, match_event_handler=self._note)
            return self._found

    def _note(self, number: int, *_: object) -> None:
        self._found.append(number)


class Adaptive:
    """Literals first, automata once as many texts were read as pay for making them."""

    def __init__(self, probes: Sequence[Probe]) -> None:
        self._probes = probes
        self._prefilter: Prefilter = Literals(probes)
        self._texts_left = TEXTS_BEFORE

    def possible(self, text: str) -> Collection[int]:
        if self._texts_left:
            self._texts_left -= 1
            if not self._texts_left:
                self._prefilter = Automata(self._probes)
        return self._prefilter.possible(text)


def _database(probes: Sequence[Probe], numbers: Sequence[int]) -> "hyperscan.Database":
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[_expression(probes[number].pattern) for number in numbers],
        ids=list(numbers),
        flags=[_flags(probes[number].pattern) for number in numbers],
    )
    return database


def _expression(pattern: re.Pattern[str]) -> bytes:
    return _BOUNDED.sub(_unbounded, _POSSESSIVE.sub("", pattern.pattern)).encode("ascii")


def _unbounded(bounds: re.Match[str]) -> str:
    return f"{{{min(int(bounds[1]), _MOST_REPEATS)},}}"


def _flags(pattern: re.Pattern[str]) -> int:
    flags: int = hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_SINGLEMATCH
    if pattern.flags & re.IGNORECASE:
        flags |= hyperscan.HS_FLAG_CASELESS
    if pattern.flags & re.MULTILINE:
        flags |= hyperscan.HS_FLAG_MULTILINE
    return flags


def prefilter(probes: Sequence[Probe]) -> Prefilter:
    """Return the fastest prefilter this installation has."""
    return Adaptive(probes) if _HAS_HYPERSCAN else Literals(probes)
