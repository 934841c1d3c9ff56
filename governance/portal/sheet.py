"""How the form is laid out so that many applications stay readable: search, groups, one row each.

Up to `FEW` applications stand in one table. More are grouped by their kind, what is allowed first,
and a group stands open when something in it is ticked. A search shows what matches and nothing
else; what it leaves out keeps its ticks (`draft.merged`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from governance.policies.categories import Category
from governance.portal.draft import Draft
from governance.portal.form import Row, Section, Slot
from governance.portal.offer import Offer
from governance.web.templatetags.words import icon

FEW: Final = 8
MOST_LETTERS: Final = 80


@dataclass(frozen=True, slots=True)
class Line:
    """One application's row, drawn."""

    row: Row
    cells: SafeString


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that fold together; without a kind they do not fold."""

    kind: str
    lines: tuple[Line, ...]
    ticked: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One purpose: its section, its groups, and the applications that are never captured for it."""

    section: Section
    groups: tuple[Group, ...]
    blocked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole form."""

    parts: tuple[Part, ...]
    shown: tuple[str, ...]
    search: str
    is_long: bool


def lay_out(offer: Offer, draft: Draft, *, search: str) -> Sheet:
    """Return the form as it is drawn."""
    wanted = " ".join(search[:MOST_LETTERS].split())
    is_long = len(offer.applications) > FEW
    pen = _Pen(offer, draft)
    parts = tuple(
        _part(section, pen, search=wanted.casefold(), is_long=is_long) for section in offer.sections
    )
    shown = dict.fromkeys(
        line.row.application for part in parts for group in part.groups for line in group.lines
    )
    return Sheet(parts, tuple(shown), wanted, is_long)


class _Pen:
    """Draws cells; words are looked up once for all of them."""

    def __init__(self, offer: Offer, draft: Draft) -> None:
        self.ticked = draft.ticked
        self.saved = offer.covered
        self.labels = {category.value: str(category.label) for category in Category}
        self.never = _("Never")
        self.unsaved = _("not saved")
        self.lock = icon("lock", 14)

    def line(self, row: Row) -> Line:
        where = _("in %(app)s") % {"app": row.name}
        return Line(
            row, format_html_join("\n", "{}", ((self._cell(slot, where),) for slot in row.slots))
        )

    def _cell(self, slot: Slot, where: str) -> SafeString:
        label = self.labels[slot.category]
        if slot.cell is None:
            return format_html(
                '<td><span class="never">{}<span>{}</span><span class="m-only">{}</span></span>'
                "</td>",
                self.lock,
                self.never,
                label,
            )
        is_ticked = slot.cell in self.ticked
        is_changed = is_ticked != (slot.cell in self.saved)
        mark = format_html('<span class="changed">{}</span>', self.unsaved) if is_changed else ""
        return format_html(
            '<td><label class="cell{}"><input type="checkbox" name="{}"{}>'
            '<span class="cell-label">{}<span class="vh"> {}</span></span>{}</label></td>',
            " is-changed" if is_changed else "",
            slot.name,
            SafeString(" checked") if is_ticked else "",
            label,
            where,
            mark,
        )

    def has_nothing_saved(self, row: Row) -> bool:
        """Tell whether nothing of an application is allowed as it stands."""
        return not any(slot.cell in self.saved for slot in row.slots)

    def count(self, rows: Iterable[Row]) -> int:
        """Return how many of these applications have a tick."""
        return sum(any(slot.cell in self.ticked for slot in row.slots) for row in rows)


def _part(section: Section, pen: _Pen, *, search: str, is_long: bool) -> Part:
    found = [row for row in section.rows if _matches(row, search)]
    rows = [row for row in found if not row.is_blocked]
    if search or not is_long:
        groups = [_group("", rows, pen)] if rows else []
    else:
        kinds = dict.fromkeys(row.kind for row in rows)
        groups = [_group(kind, [row for row in rows if row.kind == kind], pen) for kind in kinds]
    return Part(section, tuple(groups), tuple(row.name for row in found if row.is_blocked))


def _group(kind: str, rows: Sequence[Row], pen: _Pen) -> Group:
    ticked = pen.count(rows)
    # By what is saved, so that no row moves while somebody ticks.
    ordered = sorted(rows, key=pen.has_nothing_saved) if kind else rows
    return Group(kind, tuple(pen.line(row) for row in ordered), ticked, is_open=ticked > 0)


def _matches(row: Row, search: str) -> bool:
    return search in row.name.casefold() or search in row.application
