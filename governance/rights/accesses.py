"""Who accessed a person's data: each line as the person may see it (R31), and where it is logged.

The accessor is shown by role and a pseudonym that stays the same for one accessor: accessors are
data subjects too (CJEU C-579/21). The service's own jobs are named, since they are nobody.
"""

import base64
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit import ports
from audit.actions import Action
from audit.leaf import Json
from audit.selectors import OpenedEntry, entries_about

ACCESSES = (Action.ACCESS_ALLOWED, Action.ACCESS_DENIED)
_PSEUDONYM = b"remit accessor pseudonym v1"


@dataclass(frozen=True, slots=True)
class AccessLine:
    """One access. `seq` is the person's own numbering, and the cursor of the next page."""

    entry: UUID
    index: int | None
    seq: int | None
    occurred_at: datetime
    action: str
    verdict: str
    purpose: str
    role: str
    accessor: str
    is_own: bool
    act: str
    count: int | None
    cells: list[str]
    reason: str | None
    release: str | None
    leaf_hash: str

    @property
    def proof_url(self) -> str:
        """Where the proof of the entry is."""
        return f"/api/v1/audit/entries/{self.entry}/proof"


def lines(
    *,
    subject: str,
    before: int | None = None,
    limit: int = 50,
    events: Collection[Action] = ACCESSES,
) -> list[AccessLine]:
    """Return the accesses to a person's data, allowed and refused, newest first.

    After an erasure there are none: the keys that could open them are gone.
    """
    entries = entries_about(subject=subject, events=events, before=before, limit=limit)
    return [_line(entry, subject) for entry in entries]


def pseudonym(actor: str) -> str:
    """Return a short name that is stable for one accessor and leads to no one."""
    if actor.startswith("system:"):
        return actor.removeprefix("system:")
    tag = ports.keys().tag(owner=actor, nonce=_PSEUDONYM)
    return base64.b32encode(tag[:5]).decode("ascii").lower()


def _line(entry: OpenedEntry, subject: str) -> AccessLine:
    actor = _text(entry.details.get("actor")) or "unknown"
    is_own = actor == subject
    cells = entry.details.get("cells")
    return AccessLine(
        entry=entry.uuid,
        index=entry.index,
        seq=entry.seq,
        occurred_at=entry.occurred_at,
        action=entry.action.value,
        verdict=entry.verdict.value,
        purpose=entry.purpose,
        role=entry.role,
        accessor="you" if is_own else pseudonym(actor),
        is_own=is_own,
        act=entry.act,
        count=entry.count,
        cells=[str(cell) for cell in cells] if isinstance(cells, list) else [],
        reason=_text(entry.details.get("reason")),
        release=_text(entry.details.get("release")),
        leaf_hash=base64.b64encode(entry.leaf_hash).decode("ascii"),
    )


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
