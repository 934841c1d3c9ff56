"""Who accessed my data: accesses as sentences, each with its place in the log.

The accessor stands by role and a pseudonym that stays the same for one accessor: accessors are
data subjects too (CJEU C-579/21). The service's own jobs are named, since they are nobody.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from audit.actions import Verdict
from governance.policies.categories import Category
from governance.portal.offer import purpose_titles
from governance.rights.accesses import AccessLine
from governance.web import wording

# What was done, with its object in the place where the language puts it.
_ACTS: Final[dict[str, str | Promise]] = {
    "read": _("opened %(records)s"),
    "open": _("opened %(records)s"),
    "list": _("looked through a list of %(records)s"),
    "download-release": _("downloaded a data set with %(records)s"),
    "download-release-file": _("downloaded a data set with %(records)s"),
    "download-export": _("downloaded a copy of your data"),
    "name-computer": _("looked up whose computer yours is"),
}
# What a job does to records has its own word, whichever way it opened them.
_JOB_ACTS: Final[dict[str, str | Promise]] = {
    "redactor": _("removed personal details from %(records)s"),
    "expiry": _("deleted or re-locked %(records)s"),
    "erasure": _("deleted or re-locked %(records)s"),
    "export": _("put %(records)s into your copy"),
    "release-builder": _("put %(records)s into a data set"),
}
# Looking at one's own data is the most frequent access of all, and the least interesting.
FOLDED_FROM: Final = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One access as its subject reads it."""

    access: AccessLine
    day: date
    kind: str
    who: wording.Words
    did: str
    cells: tuple[tuple[str, tuple[str, ...]], ...]
    purpose: wording.Words
    reason: wording.Words | None

    @property
    def shown(self) -> str:
        """Return what the line tells, for the browser to hold against the entry itself."""
        access = self.access
        told = {
            "dec": access.verdict,
            "pur": access.purpose,
            "role": access.role,
            "act": access.act,
            "n": access.count,
            "own": access.is_own,
            "cells": access.cells,
            "reason": access.reason,
            "release": access.release,
        }
        return json.dumps(told, sort_keys=True)


def lines_of(found: Iterable[AccessLine]) -> list[Line]:
    """Return accesses as lines, in the order given."""
    purposes = purpose_titles()
    zone = ZoneInfo(settings.REMIT_DISPLAY_TIME_ZONE)
    return [_line(access, purposes, zone) for access in found]


def _line(access: AccessLine, purposes: dict[str, str], zone: ZoneInfo) -> Line:
    kind = _kind(access)
    return Line(
        access=access,
        day=access.occurred_at.astimezone(zone).date(),
        kind=kind,
        who=_("You") if access.is_own else wording.words(wording.ROLES, access.role),
        did=_did(access, kind),
        cells=_cells(access),
        purpose=purposes.get(access.purpose) or wording.words(wording.PURPOSES, access.purpose),
        reason=None if access.reason is None else wording.words(wording.REASONS, access.reason),
    )


def _kind(access: AccessLine) -> str:
    if access.verdict == Verdict.DENY:
        return "refused"
    if access.is_own:
        return "you"
    return "program" if access.role in wording.JOBS else "person"


def _did(access: AccessLine, kind: str) -> str:
    if kind == "program" and access.role in _JOB_ACTS:
        pattern = _JOB_ACTS[access.role]
    else:
        pattern = _ACTS.get(access.act or "read", _ACTS["read"])
    return str(pattern) % {"records": _records(access.count)}


def _records(count: int | None) -> str:
    if count is None:
        return gettext("records")
    if count == 0:
        return gettext("no records")
    return ngettext("%(count)d record", "%(count)d records", count) % {"count": count}


def _cells(access: AccessLine) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the kinds of data by application, in the order in which kinds stand everywhere."""
    pairs = [cell.split("/")[-2:] for cell in access.cells if "/" in cell]
    found: dict[str, set[str]] = {}
    for application, category in pairs:
        found.setdefault(application, set()).add(category)
    return tuple(
        (application, tuple(key.value for key in Category if key.value in kinds))
        for application, kinds in sorted(found.items())
    )


@dataclass(frozen=True, slots=True)
class Fold:
    """Neighbouring lines of one day: shown one by one, or folded when they are one's own looks."""

    lines: tuple[Line, ...]
    is_folded: bool


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the timeline."""

    day: date
    folds: tuple[Fold, ...]


def by_day(lines: Iterable[Line]) -> list[Day]:
    """Return lines by day, with runs of the reader's own looks folded into one item."""
    days = []
    for day, of_day in groupby(lines, key=lambda line: line.day):
        folds: list[Fold] = []
        for is_own, run in groupby(of_day, key=lambda line: line.kind == "you"):
            found = tuple(run)
            if is_own and len(found) >= FOLDED_FROM:
                folds.append(Fold(found, is_folded=True))
            else:
                folds += [Fold((line,), is_folded=False) for line in found]
        days.append(Day(day, tuple(folds)))
    return days


def first_page(found: Sequence[Line], *, items: int, lines: int) -> list[Line]:
    """Return the lines of one page: a run of the reader's own looks counts as one item."""
    shown: list[Line] = []
    before = None
    for line in found[:lines]:
        here = (line.day, line.kind)
        items -= line.kind != "you" or here != before
        if items < 0:
            break
        shown.append(line)
        before = here
    return shown
