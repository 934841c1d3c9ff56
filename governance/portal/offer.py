"""Puts the consent form together: policies offer, notices explain, the person's answers fill in."""

from collections.abc import Mapping
from dataclasses import dataclass

import consent.selectors
from consent.selectors import Cell, CellState
from governance.policies import selectors as policies
from governance.policies.categories import OFFERED
from governance.portal.form import Row, Section, Slot, answer_so_far

LANGUAGE_OF_LAST_RESORT = "en"


@dataclass(frozen=True, slots=True)
class Offer:
    """The form of one person at one moment."""

    sections: tuple[Section, ...]
    states: Mapping[Cell, CellState]
    covered: frozenset[Cell]
    language: str

    @property
    def cells(self) -> frozenset[Cell]:
        """Every cell that may be answered."""
        return frozenset(cell for section in self.sections for cell in section.cells)


def offer_to(*, subject: str, language: str) -> Offer:
    """Return the form for a person, in the language that every notice of it can be read in."""
    offered = {
        Cell(cell.purpose, cell.application, cell.category): cell
        for cell in policies.offered_cells()
    }
    states = consent.selectors.states(subject=subject)
    covered = frozenset(
        cell
        for cell, state in states.items()
        if state.is_valid and cell in offered and offered[cell].scope_digest == state.scope_digest
    )
    asked = {cell.purpose for cell in offered}
    purposes = [known.key for known in policies.purposes() if known.key in asked]
    spoken = _language(purposes, language)
    sections = tuple(_section(purpose, offered, states, covered, spoken) for purpose in purposes)
    return Offer(sections, states, covered, spoken)


def _language(purposes: list[str], wished: str) -> str:
    """Return the language of the whole form: the one its notices are in."""
    spoken = [set(consent.selectors.notice_languages(purpose=purpose)) for purpose in purposes]
    if spoken and all(wished in languages for languages in spoken):
        return wished
    return LANGUAGE_OF_LAST_RESORT


def _section(
    purpose: str,
    offered: Mapping[Cell, policies.OfferedCell],
    states: Mapping[Cell, CellState],
    covered: frozenset[Cell],
    language: str,
) -> Section:
    text = consent.selectors.current_notice(purpose=purpose, language=language)
    content: Mapping[str, object] = {} if text is None else text.content
    words = content.get("purpose")
    words = words if isinstance(words, Mapping) else {}
    rows = tuple(
        _row(purpose, application.key, application.name, offered, covered)
        for application in policies.applications()
    )
    cells = [cell for cell in offered if cell.purpose == purpose]
    return Section(
        purpose=purpose,
        title=str(words.get("title", purpose)),
        description=str(words.get("description", "")),
        notice=None if text is None else text.reference,
        kept_days=max((offered[cell].retention_days for cell in cells), default=0),
        recipients=_names(content.get("recipients")),
        withdrawal=str(content.get("withdrawal", "")),
        answer=answer_so_far(states, cells),
        rows=tuple(sorted(rows, key=lambda row: (row.is_blocked, row.name))),
    )


def _names(recipients: object) -> tuple[str, ...]:
    if not isinstance(recipients, list):
        return ()
    return tuple(str(party["name"]) for party in recipients if isinstance(party, Mapping))


def _row(
    purpose: str,
    application: str,
    name: str,
    offered: Mapping[Cell, policies.OfferedCell],
    covered: frozenset[Cell],
) -> Row:
    slots = []
    found = []
    for category in OFFERED:
        cell = Cell(purpose, application, category.value)
        if cell in offered:
            found.append(offered[cell])
            slots.append(Slot(category.value, cell, ticked=cell in covered))
        else:
            slots.append(Slot(category.value, None))
    return Row(
        application=application,
        name=name,
        retention_days=max((one.retention_days for one in found), default=None),
        policy_version=found[0].policy_version if found else None,
        slots=tuple(slots),
    )
