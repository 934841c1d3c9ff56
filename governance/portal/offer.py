"""Puts the consent form together: policies offer, notices explain, the person's answers fill in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language

import consent.selectors
from consent.selectors import Cell, CellState
from consent.status import OPEN, ConsentStatus
from governance.policies import selectors as policies
from governance.policies.categories import offered_categories
from governance.portal.form import Row, Section, Slot, answer_so_far, digest

if TYPE_CHECKING:
    from governance.policies.models import Application


# So long before a consent ends by itself, its person is told (R9), and may agree again.
TOLD_BEFORE: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Offer:
    """The form of one person at one moment."""

    sections: tuple[Section, ...]
    # Every cell that may be answered.
    cells: frozenset[Cell]
    states: Mapping[Cell, CellState]
    covered: frozenset[Cell]
    language: str
    # The name of exactly this form.
    digest: str
    # Purposes whose notice cannot be read in this language: nobody is asked about them in it (R7).
    unread: tuple[str, ...] = ()
    # What ends by itself soon, and when: it may be agreed to again.
    ending: Mapping[Cell, datetime] = field(default_factory=dict)

    @property
    def applications(self) -> frozenset[str]:
        """Every application in which something may be answered."""
        return frozenset(cell.application for cell in self.cells)

    @property
    def was_never_allowed(self) -> bool:
        """Whether the person never said yes to anything, so that nothing was ever captured."""
        return all(state.status in OPEN | {ConsentStatus.REFUSED} for state in self.states.values())

    @property
    def scopes(self) -> dict[Cell, str]:
        """How far a yes to each cell would reach."""
        return {
            slot.cell: slot.scope
            for section in self.sections
            for row in section.rows
            for slot in row.slots
            if slot.cell is not None
        }


def offer_to(*, subject: str, language: str) -> Offer:
    """Return the form for a person in their language."""
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
    soon = timezone.now() + TOLD_BEFORE
    asked = {cell.purpose for cell in offered}
    purposes = [known for known in policies.purposes() if known.key in asked]
    applications = policies.applications()
    found = [_section(known.key, applications, offered, states, language) for known in purposes]
    sections = tuple(section for section in found if section is not None)
    return Offer(
        sections=sections,
        cells=frozenset(cell for section in sections for cell in section.cells),
        states=states,
        covered=covered,
        language=language,
        digest=digest(sections, language=language),
        unread=tuple(
            known.name for known, section in zip(purposes, found, strict=True) if section is None
        ),
        ending={
            cell: end
            for cell in covered
            if (end := states[cell].valid_until) is not None and end <= soon
        },
    )


def purpose_titles() -> dict[str, str]:
    """Return each purpose's title as its notice has it in the page's language, or its name."""
    language = get_language() or settings.LANGUAGE_CODE
    titles = {}
    for purpose in policies.purposes():
        text = consent.selectors.current_notice(purpose=purpose.key, language=language)
        said = text.content.get("purpose") if text else None
        titles[purpose.key] = str(said["title"]) if isinstance(said, Mapping) else purpose.name
    return titles


def _section(
    purpose: str,
    applications: Sequence["Application"],
    offered: Mapping[Cell, policies.OfferedCell],
    states: Mapping[Cell, CellState],
    language: str,
) -> Section | None:
    """Return the part of the form about one purpose; None without a notice to read first."""
    text = consent.selectors.current_notice(purpose=purpose, language=language)
    if text is None:
        return None
    content: Mapping[str, object] = text.content
    words = content.get("purpose")
    words = words if isinstance(words, Mapping) else {}
    rows = tuple(_row(purpose, application, offered) for application in applications)
    cells = [cell for cell in offered if cell.purpose == purpose]
    return Section(
        purpose=purpose,
        title=str(words.get("title", purpose)),
        description=str(words.get("description", "")),
        notice=text.reference,
        kept_days=max((offered[cell].retention_days for cell in cells), default=0),
        recipients=_names(content.get("recipients")),
        withdrawal=str(content.get("withdrawal", "")),
        answer=answer_so_far(states, cells),
        rows=tuple(sorted(rows, key=lambda row: (row.is_blocked, row.name))),
        is_begun=any(cell in states and states[cell].status not in OPEN for cell in cells),
    )


def _names(recipients: object) -> tuple[str, ...]:
    if not isinstance(recipients, list):
        return ()
    return tuple(str(party["name"]) for party in recipients if isinstance(party, Mapping))


def _row(
    purpose: str,
    application: "Application",
    offered: Mapping[Cell, policies.OfferedCell],
) -> Row:
    slots = []
    found = []
    for category in offered_categories():
        cell = Cell(purpose, application.key, category.value)
        if cell in offered:
            found.append(offered[cell])
            slots.append(Slot(category.value, cell, scope=offered[cell].scope_digest))
        else:
            slots.append(Slot(category.value, None))
    return Row(
        application=application.key,
        name=application.name,
        kind=application.kind,
        retention_days=max((one.retention_days for one in found), default=None),
        policy_version=found[0].policy_version if found else None,
        slots=tuple(slots),
    )
