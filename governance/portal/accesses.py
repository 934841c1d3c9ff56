"""Who accessed my data: accesses as sentences, each with its place in the log.

The accessor stands by role and a pseudonym that stays the same for one accessor: accessors are
data subjects too (CJEU C-579/21). The service's own jobs are named, since they are nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.actions import Verdict
from governance.policies import selectors as policies
from governance.rights.accesses import AccessLine
from governance.web import wording

_ACTS: Final[dict[str, str | Promise]] = {
    "read": _("opened"),
    "open": _("opened"),
    "list": _("listed"),
    "download-release": _("downloaded a data set with"),
    "download-release-file": _("downloaded a data set with"),
    "download-export": _("downloaded a copy of"),
}
# What a job does to records has its own word, whichever way it opened them.
_JOB_ACTS: Final[dict[str, str | Promise]] = {
    "redaction": _("removed personal details from"),
    "retention": _("deleted or re-locked"),
    "export": _("put into your copy"),
    "release-build": _("put into a data set"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One access as its subject reads it."""

    access: AccessLine
    day: date
    kind: str
    who: wording.Words
    did: wording.Words
    cells: tuple[tuple[str, str], ...]
    purpose: wording.Words
    reason: wording.Words | None


def lines_of(found: Iterable[AccessLine]) -> list[Line]:
    """Return accesses as lines, in the order given."""
    purposes = {purpose.key: purpose.name for purpose in policies.purposes()}
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


def _did(access: AccessLine, kind: str) -> wording.Words:
    if kind == "program" and access.purpose in _JOB_ACTS:
        return _JOB_ACTS[access.purpose]
    return wording.words(_ACTS, access.act or "read")


def _cells(access: AccessLine) -> tuple[tuple[str, str], ...]:
    pairs = (cell.split("/") for cell in access.cells)
    return tuple((pair[-2], pair[-1]) for pair in pairs if len(pair) > 1)
