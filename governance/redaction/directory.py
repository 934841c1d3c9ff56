"""The organisation's own people, found in one pass however many there are (Aho-Corasick)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import ahocorasick

from governance.redaction.findings import Span
from governance.redaction.normalize import plain

_SHORTEST_FORM = 4


@dataclass(frozen=True, slots=True)
class Employee:
    """One entry of the employee directory: what a text may call this person."""

    given: str
    surname: str
    login: str = ""
    email: str = ""


class Directory:
    """Find every spelling of every employee's name in a text; know the words names are made of."""

    def __init__(self, employees: Iterable[Employee] = ()) -> None:
        self._automaton = ahocorasick.Automaton()
        self.words: frozenset[str] = frozenset()
        words: set[str] = set()
        for employee in employees:
            for form, kind in _forms(employee):
                if len(form) >= _SHORTEST_FORM:
                    self._automaton.add_word(form, (len(form), kind))
            words.update(_lower(employee.given).split(), [_lower(employee.surname)])
        self.words = frozenset(words)
        self._has_forms = len(self._automaton) > 0
        if self._has_forms:
            self._automaton.make_automaton()

    def find(self, text: str) -> Iterator[Span]:
        """Yield the employees named in a text in plain form, whole words only."""
        if not self._has_forms:
            return
        lower = text.lower()
        for last, (length, kind) in self._automaton.iter(lower):
            start, end = last - length + 1, last + 1
            before = start == 0 or not lower[start - 1].isalnum()
            after = end == len(lower) or not lower[end].isalpha()
            if before and after:
                yield Span(start, end, kind)


def _lower(text: str) -> str:
    return plain(text).text.lower().strip()


def _forms(employee: Employee) -> Iterator[tuple[str, str]]:
    given, surname = _lower(employee.given), _lower(employee.surname)
    if given and surname:
        for form in (
            f"{given} {surname}",
            f"{surname} {given}",
            f"{surname}, {given}",
            f"{given}.{surname}",
            f"{given}_{surname}",
            f"{given}+{surname}",
            f"{given}-{surname}",
            f"{given}{surname}",
            f"{surname}{given}",
            f"{given[0]}. {surname}",
        ):
            yield form, "PERSON"
    if employee.email:
        yield _lower(employee.email), "EMAIL"
    if employee.login:
        yield _lower(employee.login), "USERNAME"
