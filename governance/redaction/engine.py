"""The detector: one text in, the spans of what identifies someone out.

Deterministic and without state. A text longer than `MAX_PIECE` is read line by line; a deadline is
checked between rules, so that no record can hold a worker (every pattern is bounded besides).
"""

import hashlib
import math
import re
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from governance.redaction import credentials, lexicon, names, patterns, places
from governance.redaction.context import LOOSE, Surroundings
from governance.redaction.directory import Directory
from governance.redaction.errors import BudgetExceededError
from governance.redaction.findings import Rule, Span
from governance.redaction.labels import VALUE_ROLES, is_impersonal, type_of_label
from governance.redaction.names import PARTS, PROBE_COUNT, Names, probes
from governance.redaction.normalize import plain
from governance.redaction.prefilter import Prefilter, Probe, prefilter

if TYPE_CHECKING:
    from governance.redaction.ner import Model

VERSION: Final = "remit-redactor/1"
MAX_PIECE: Final = 4096
_RULES: Final[tuple[Rule, ...]] = (*patterns.RULES, *credentials.RULES, *places.RULES)
_DATE: Final = re.compile(rf"(?<!\d){patterns.DATE}(?!\d)", re.ASCII | re.IGNORECASE)
_DATES: Final = PROBE_COUNT
_WORDS: Final = {name: number for number, name in enumerate(LOOSE, start=_DATES + 1)}
_FIRST_RULE: Final = _DATES + 1 + len(LOOSE)
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_BIRTH_YEARS: Final = range(1915, 2010)
_CONTROL_ROLES: Final = frozenset({"menuitem", "button", "tab", "treeitem", "statusbar", "link"})
_RECORD_ROLES: Final = frozenset({"document", "cell", "window"})
_OF_A_PERSON: Final = frozenset(
    {
        "EMAIL",
        "PHONE",
        "NATIONAL_ID",
        "IBAN",
        "EMPLOYEE_ID",
        "DATE_OF_BIRTH",
        "US_SSN",
        "MEDICAL_ID",
        "PASSPORT",
    }
)
_NAME_JOINTS: Final = frozenset({" ", ", ", "+", "-"})
_ADDRESS_GAP: Final = 24
_LONG_WORD: Final = re.compile(r"[a-z]{4,}")


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment a record must be done, on the monotonic clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    def check(self) -> None:
        """Raise `BudgetExceededError` once the time is over."""
        if time.monotonic() > self.at:
            raise BudgetExceededError


NO_DEADLINE: Final = Deadline(math.inf)


@lru_cache(maxsize=8192)
def _plain_label(label: str) -> str:
    return plain(label).text


def all_probes() -> tuple[Probe, ...]:
    """Return every pattern that is tried on a text."""
    rules = (Probe(rule.pattern, rule.needs) for rule in _RULES)
    return (*probes(), Probe(_DATE), *map(Probe, LOOSE.values()), *rules)


@cache
def _prefilter() -> Prefilter:
    return prefilter(all_probes())


class Detector:
    """Finds identifying spans, knowing an organisation's people and its own number shapes."""

    def __init__(
        self,
        directory: Directory | None = None,
        *,
        employee_number: str | None = None,
        model: "Model | None" = None,
    ) -> None:
        self._model = model
        self._names = Names(directory or Directory())
        self._own = (patterns.employee_number_rule(employee_number),) if employee_number else ()

    def spans(
        self, text: str, *, label: str = "", role: str = "", deadline: Deadline = NO_DEADLINE
    ) -> list[Span]:
        """Return sorted, disjoint spans in code points of `text`."""
        if len(text.strip()) < 2:  # noqa: PLR2004  one character identifies no one
            return []
        plain_label = _plain_label(label) if label else ""
        kind = type_of_label(plain_label)
        if kind and role in VALUE_ROLES:
            return [Span(0, len(text), kind)]
        found: list[Span] = []
        for start, piece in _pieces(text):
            normal = plain(piece)
            for span in self._find(normal.text, plain_label, role, deadline):
                begin, end = normal.span(span.start, span.end)
                found.append(Span(start + begin, start + end, span.type))
        return found

    def _find(self, text: str, label: str, role: str, deadline: Deadline) -> list[Span]:
        deadline.check()
        possible = _prefilter().possible(text)
        found: list[Span] = []
        said: dict[str, bool] = {}
        for rule in self._own:
            _match(rule, text, label, found)
        for number in possible:
            if number < _FIRST_RULE:
                continue
            deadline.check()
            rule = _RULES[number - _FIRST_RULE]
            if label or not rule.says or _are_said(rule.says, text, possible, said):
                _match(rule, text, label, found)
        if not is_impersonal(label):
            self._find_people(text, role, possible, found)
        deadline.check()
        merged = merge(text, found)
        if self._model is not None and role == "document" and not is_impersonal(label):
            merged = merge(text, [*merged, *self._read(self._model, text, merged, deadline)])
        if role in ("document", "") and any(span.type == "ADDRESS" for span in merged):
            merged = merge(text, places.block(text, merged))
        return merged

    def _read(
        self, model: "Model", text: str, known: list[Span], deadline: Deadline
    ) -> Iterator[Span]:
        """Yield what the model adds to what is known, but no everyday words, cells or code."""
        if names.is_code(text):
            return
        for span in model.find(text, known, deadline):
            said = text[span.start : span.end]
            is_name = any(self._names.is_likely(word) for word in said.split())
            if "\t" not in said and (is_name or span.type != "PERSON"):
                yield span

    def _find_people(
        self, text: str, role: str, possible: Collection[int], found: list[Span]
    ) -> None:
        """Append the names in a text, and what a row says of the person it is about."""
        if role in _CONTROL_ROLES:
            found.extend(self._names.find_in_control(text, possible=possible))
            return
        found.extend(self._names.find(text, possible=possible, prose=role == "document"))
        if role not in _RECORD_ROLES:
            return
        if PARTS in possible:
            found.extend(self._names.alone(text, surely=self._is_of_a_person(found, role)))
        if _DATES in possible and any(s.type in ("PERSON", "NATIONAL_ID") for s in found):
            found.extend(_birth_dates(text))

    @staticmethod
    def _is_of_a_person(found: list[Span], role: str) -> bool:
        """Tell whether a row is about a person; in a title the application's name stands beside."""
        return any(
            s.type in _OF_A_PERSON or (s.type in ("PERSON", "USERNAME") and role != "window")
            for s in found
        )


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    if len(text) <= MAX_PIECE:
        yield 0, text
        return
    start = 0
    for line in text.splitlines(keepends=True):
        for offset in range(0, len(line), MAX_PIECE):
            yield start + offset, line[offset : offset + MAX_PIECE]
        start += len(line)


def _are_said(
    names: Iterable[str], text: str, possible: Collection[int], said: dict[str, bool]
) -> bool:
    """Tell whether a text has words of one of the groups; `said` remembers it from rule to rule."""
    for name in names:
        if name not in said:
            number = _WORDS.get(name)
            said[name] = number is None or (
                number in possible and LOOSE[name].search(text) is not None
            )
        if said[name]:
            return True
    return False


def _match(rule: Rule, text: str, label: str, found: list[Span]) -> None:
    """Append what a rule finds in a text."""
    accept = rule.accept
    for match in rule.pattern.finditer(text):
        place = match.span()
        if accept is not None:
            accepted = accept(match, Surroundings(text, label, place[0]))
            if accepted is None:
                continue
            place = accepted
        if place[1] > place[0]:
            found.append(Span(place[0], place[1], rule.type))


def _birth_dates(text: str) -> Iterator[Span]:
    """Yield dates that can be birthdays; called where the same row names a person."""
    for match in _DATE.finditer(text):
        year = _YEAR.search(match[0])
        if year and int(year[0]) in _BIRTH_YEARS:
            yield Span(*match.span(), "DATE_OF_BIRTH")


def merge(text: str, spans: Iterable[Span]) -> list[Span]:
    """Unite overlaps (the longer keeps its type), join parts of one name or one address."""
    merged: list[Span] = []
    for span in sorted(set(spans), key=lambda s: (s.start, -s.end, s.type)):
        last = merged[-1] if merged else None
        if last and span.start < last.end:
            if span.end > last.end:
                longer = last if last.end - last.start >= span.end - span.start else span
                merged[-1] = Span(last.start, span.end, longer.type)
        elif last and span.type == last.type and _belongs(text[last.end : span.start], span.type):
            merged[-1] = Span(last.start, span.end, last.type)
        else:
            merged.append(span)
    return merged


def _belongs(between: str, kind: str) -> bool:
    if kind == "PERSON":
        return between in _NAME_JOINTS
    return kind == "ADDRESS" and len(between) <= _ADDRESS_GAP and not _LONG_WORD.search(between)


def patterns_sha256() -> str:
    """Return the digest of everything that decides what is found; it goes into the provenance."""
    digest = hashlib.sha256(VERSION.encode())
    for rule in _RULES:
        digest.update(f"\0{rule.type}\0{rule.pattern.flags}\0{rule.pattern.pattern}".encode())
    for part in lexicon.digest_parts():
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()
