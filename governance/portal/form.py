"""The consent form as values: what is offered, what was chosen, what would change.

Promises: a purpose without an answer changes nothing; "No" changes every offered cell of the
purpose to no; "Yes, only what I tick" allows the ticked cells, ends those whose tick is gone, and
answers no other. Nothing is chosen beforehand but what the person answered: a form sent back as it
came changes nothing. The digest names exactly what was shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from consent import notice
from consent.selectors import Cell, CellState
from consent.status import OPEN, VALID, ConsentStatus

FORM = "consent-matrix/4"


class Answer(StrEnum):
    """The two radios of a purpose."""

    NO = "no"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Slot:
    """One square of the matrix: offered and perhaps ticked, or never."""

    category: str
    cell: Cell | None
    # How far a yes would reach: the digest of what the policy in force captures.
    scope: str = ""

    @property
    def name(self) -> str:
        """The checkbox's field name."""
        return "" if self.cell is None else field_name(self.cell)


@dataclass(frozen=True, slots=True)
class Row:
    """One application of one purpose."""

    application: str
    name: str
    kind: str
    retention_days: int | None
    policy_version: str | None
    slots: tuple[Slot, ...]

    @property
    def is_blocked(self) -> bool:
        """Whether nothing of it may ever be captured for this purpose."""
        return all(slot.cell is None for slot in self.slots)


@dataclass(frozen=True, slots=True)
class Section:
    """One purpose: its words, its notice, the answer given so far and its matrix."""

    purpose: str
    title: str
    description: str
    notice: str
    kept_days: int
    recipients: tuple[str, ...]
    withdrawal: str
    answer: Answer | None
    rows: tuple[Row, ...]
    # Whether any cell was ever answered.
    is_begun: bool = False

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every offered cell, in the order of the page."""
        return tuple(slot.cell for row in self.rows for slot in row.slots if slot.cell is not None)


@dataclass(frozen=True, slots=True)
class Change:
    """One cell whose answer would become another."""

    cell: Cell
    was: ConsentStatus
    will: ConsentStatus


def field_name(cell: Cell) -> str:
    """Return the checkbox name of a cell; keys hold no dot."""
    return "cell." + ".".join(cell)


def answer_so_far(states: Mapping[Cell, CellState], cells: Iterable[Cell]) -> Answer | None:
    """Return the radio that a person's earlier decisions amount to, or None before any.

    It is a no only where every cell was answered: one no is not a no to what nobody answered.
    """
    found = [states.get(cell) for cell in cells]
    if any(state is not None and state.is_valid for state in found):
        return Answer.YES
    is_answered = found and all(state is not None and state.status not in OPEN for state in found)
    return Answer.NO if is_answered else None


def wanted(
    section: Section,
    *,
    answer: Answer | None,
    ticked: frozenset[Cell],
    covered: frozenset[Cell],
) -> dict[Cell, bool]:
    """Return the yes or no meant for each cell; none for what the person left as it was.

    `covered` are the cells that were ticked to begin with.
    """
    if answer is None:
        return {}
    if answer is Answer.NO:
        return dict.fromkeys(section.cells, False)
    return {cell: cell in ticked for cell in section.cells if cell in ticked or cell in covered}


def changes(
    wishes: Mapping[Cell, bool],
    states: Mapping[Cell, CellState],
    *,
    covered: frozenset[Cell] = frozenset(),
) -> tuple[Change, ...]:
    """Return what has to be written so that the record says what was wished.

    `covered` are the cells whose consent reaches as far as what is offered today; a yes that was
    given for less has to be given again.
    """
    found = []
    for cell, yes in wishes.items():
        state = states.get(cell)
        was = ConsentStatus.UNKNOWN if state is None else state.status
        will = _yes(was, covered=cell in covered) if yes else _no(was)
        if will is not None:
            found.append(Change(cell, was, will))
    return tuple(found)


def _yes(was: ConsentStatus, *, covered: bool) -> ConsentStatus | None:
    if was in VALID:
        return None if covered else ConsentStatus.RENEWED
    return ConsentStatus.GIVEN


def _no(was: ConsentStatus) -> ConsentStatus | None:
    if was in VALID:
        return ConsentStatus.WITHDRAWN
    return ConsentStatus.REFUSED if was in OPEN else None


def digest(sections: Iterable[Section], *, language: str) -> str:
    """Return the name of exactly this form: each cell and its reach, each notice, the language."""
    return notice.digest(
        {
            "form": FORM,
            "language": language,
            "sections": [
                {
                    "purpose": section.purpose,
                    "notice": section.notice,
                    "cells": [
                        [*slot.cell, slot.scope]
                        for row in section.rows
                        for slot in row.slots
                        if slot.cell is not None
                    ],
                }
                for section in sections
            ],
        }
    )
