"""Who accessed my data: log entries about one person, as sentences with a place in the log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.actions import Action, Verdict
from audit.selectors import OpenedEntry
from governance.accounts import selectors as accounts
from governance.policies import selectors as policies
from governance.web import wording

# What counts as somebody reaching for a person's data. The rest is the person's own history.
OPENED: Final = frozenset(
    {
        Action.ACCESS_ALLOWED,
        Action.ACCESS_DENIED,
        Action.RELEASE_PUBLISHED,
        Action.EXPORT_BUILT,
    }
)
_ACTS: Final[dict[str, str | Promise]] = {
    "read": _("opened"),
    "open": _("opened"),
    "list": _("listed"),
    "redact": _("removed personal details from"),
    "download-release-file": _("downloaded a data set with"),
    "download-release": _("downloaded a data set with"),
    "download-export": _("downloaded a copy of"),
    "delete": _("deleted"),
    "expire": _("deleted"),
    "request": _("asked for"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One access as its subject reads it."""

    uuid: UUID
    index: int | None
    seq: int | None
    at: datetime
    day: date
    kind: str
    who: str
    role: wording.Words
    did: wording.Words
    count: int | None
    cells: tuple[tuple[str, str], ...]
    purpose: wording.Words
    reason: wording.Words | None
    details: dict[str, object]
    leaf_hash: str


def lines_of(entries: Iterable[OpenedEntry], *, viewer: str) -> list[Line]:
    """Return the entries as lines, newest first, with the names that the log itself never holds."""
    entries = list(entries)
    names = accounts.names_of({str(e.details.get("actor", "")) for e in entries})
    purposes = {purpose.key: purpose.name for purpose in policies.purposes()}
    zone = ZoneInfo(settings.REMIT_DISPLAY_TIME_ZONE)
    return [_line(entry, viewer, names, purposes, zone) for entry in entries]


def _line(
    entry: OpenedEntry,
    viewer: str,
    names: dict[str, str],
    purposes: dict[str, str],
    zone: ZoneInfo,
) -> Line:
    actor = str(entry.details.get("actor", ""))
    kind = _kind(entry, actor=actor, viewer=viewer)
    purpose = str(entry.purpose or "")
    return Line(
        uuid=entry.uuid,
        index=entry.index,
        seq=entry.seq,
        at=entry.occurred_at,
        day=entry.occurred_at.astimezone(zone).date(),
        kind=kind,
        who=_who(kind, entry, names.get(actor)),
        role=wording.words(wording.ROLES, entry.role),
        did=wording.words(_ACTS, entry.act or "read"),
        count=entry.count,
        cells=_cells(entry),
        purpose=purposes.get(purpose) or wording.words(wording.PURPOSES, purpose),
        reason=_reason(entry),
        details={name: entry.details[name] for name in sorted(entry.details)},
        leaf_hash=str(entry.leaf_hash),
    )


def _kind(entry: OpenedEntry, *, actor: str, viewer: str) -> str:
    if entry.verdict == Verdict.DENY or entry.action == Action.ACCESS_DENIED:
        return "refused"
    if actor == viewer:
        return "you"
    if actor.startswith(("system:", "device:")) or entry.role in wording.JOBS:
        return "program"
    return "person"


def _who(kind: str, entry: OpenedEntry, name: str | None) -> str:
    if kind == "you":
        return str(_("You"))
    if name is not None:
        return name
    if kind == "program":
        return str(wording.words(wording.ROLES, entry.role)).capitalize()
    return str(_("Somebody who no longer has an account"))


def _cells(entry: OpenedEntry) -> tuple[tuple[str, str], ...]:
    cells = entry.details.get("cells")
    if not isinstance(cells, Sequence) or isinstance(cells, str):
        return ()
    pairs = (str(cell).split("/") for cell in cells)
    return tuple((parts[-2], parts[-1]) for parts in pairs if len(parts) > 1)


def _reason(entry: OpenedEntry) -> wording.Words | None:
    reason = entry.details.get("reason")
    return None if reason is None else wording.words(wording.REASONS, reason)
