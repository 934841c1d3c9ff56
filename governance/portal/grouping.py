"""Many cells in few lines: one line for all kinds of data that share an application and an answer.

A form of sixteen cells is read by the person as "all of Freight desk", not as sixteen sentences.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from consent.selectors import Cell, PastEvent
from consent.status import ConsentStatus
from governance.policies.categories import Category
from governance.portal.form import Change

_ORDER = {category.value: number for number, category in enumerate(Category)}


@dataclass(frozen=True, slots=True)
class Group:
    """The kinds of data of one purpose and application that went, or would go, the same way."""

    purpose: str
    application: str
    was: ConsentStatus | None
    will: ConsentStatus
    until: datetime | None
    notice: str | None
    categories: tuple[str, ...]


def of_changes(changes: Iterable[Change]) -> list[Group]:
    """Return changes that are not yet saved, in the order of the form."""
    return _grouped((change.cell, change.was, change.will, None, None) for change in changes)


def of_events(events: Iterable[PastEvent]) -> list[Group]:
    """Return what one decision holds, by purpose, application and answer."""
    return _grouped(
        (event.cell, None, event.status, event.valid_until, event.notice_version)
        for event in sorted(events, key=lambda event: event.cell)
    )


def _grouped(
    found: Iterable[tuple[Cell, ConsentStatus | None, ConsentStatus, datetime | None, str | None]],
) -> list[Group]:
    groups: dict[tuple[object, ...], tuple[Group, list[str]]] = {}
    for cell, was, will, until, notice in found:
        group = Group(cell.purpose, cell.application, was, will, until, notice, ())
        key = (cell.purpose, cell.application, was, will, until, notice)
        groups.setdefault(key, (group, []))[1].append(cell.category)
    purposes = list(dict.fromkeys(group.purpose for group, _ in groups.values()))
    return [
        replace(group, categories=tuple(sorted(categories, key=_ORDER.__getitem__)))
        for purpose in purposes
        for group, categories in groups.values()
        if group.purpose == purpose
    ]
