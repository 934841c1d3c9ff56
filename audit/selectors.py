"""Questions to the log, each answered only as far as the asker may know.

A person sees everything about themselves; an officer sees acts, never whom they concerned (and
opens one through audit.opening); the vault sees what a grant allows.
"""

import base64
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Max
from django.db.models.functions import Now
from django.utils import timezone

from audit import disclosures, health, ports, quorum, sql
from audit.actions import Action, Verdict
from audit.errors import NoteError
from audit.leaf import Json
from audit.models import Checkpoint, Cosignature, Entry, Leaf, Outbox, SubjectIndex, TreeState
from audit.proofs import proof
from audit.search import EntryRow, SearchFilters, SearchPage, search

_CHUNK = 500
# Asked before every key that is given away, hence a plain statement.
_GRANT = """
    SELECT occurred_at, event, verdict, purpose, act, leaf, slot, owner, sealed
    FROM audit_entry LEFT JOIN audit_disclosure ON entry_id = audit_entry.id WHERE uuid = %s
"""

__all__ = [
    "EntryRow",
    "Grant",
    "LogState",
    "OpenedEntry",
    "SearchFilters",
    "SearchPage",
    "entries_about",
    "grant",
    "log_state",
    "not_allowing",
    "proof",
    "search",
    "told",
]


@dataclass(frozen=True, slots=True)
class OpenedEntry:
    """An entry with what the asker may know of it; `index` is None until it is sequenced."""

    uuid: UUID
    index: int | None
    seq: int | None
    occurred_at: datetime
    action: Action
    verdict: Verdict
    purpose: str
    role: str
    act: str
    count: int | None
    details: Mapping[str, Json]
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Grant:
    """A committed entry as the vault reads it before it gives a key away."""

    uuid: UUID
    occurred_at: datetime
    action: Action
    verdict: Verdict
    purpose: str
    act: str
    subject: str | None
    details: Mapping[str, Json]

    def covers(self, subject: str | None) -> bool:
        """Whether the entry is about exactly this person (None: about nobody)."""
        return self.subject == subject


@dataclass(frozen=True, slots=True)
class LogState:
    """How the log stands; `signed_at` is when the head was last published.

    What waits on purpose is not pending: its number would tell the moment of a shy act.
    """

    origin: str
    size: int
    root_b64: str
    signed_at: datetime | None
    entries_pending: int
    witnesses: list[tuple[str, datetime | None]]
    is_open: bool
    why_closed: str | None


def entries_about(
    *,
    subject: str,
    events: Collection[Action] | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[OpenedEntry]:
    """Return the entries that concern a person, newest first, opened with the person's keys.

    `before` is the `seq` of the last entry of the page before.
    """
    rows = SubjectIndex.objects.filter(token=ports.keys().token(owner=subject))
    if events is not None:
        rows = rows.filter(entry__event__in=list(events))
    if before is not None:
        rows = rows.filter(seq__lt=before)
    rows = rows.select_related("entry__place").prefetch_related("entry__disclosures")
    return [
        opened_entry(row.entry, seq=row.seq, details=disclosures.details(row.entry))
        for row in rows.order_by("-seq")[:limit]
    ]


def grant(uuid: UUID, *, about: str = "") -> Grant | None:
    """Return what a committed entry allows; None when there is none.

    Only outside a transaction does a row that is found mean a row that is committed: the vault
    asks there. Who knows whom it should be `about` spares a read of keys.
    """
    found = sql.rows(_GRANT, [uuid])
    if not found:
        return None
    occurred_at, event, verdict, purpose, act, body, *_ = found[0]
    halves = [row[-3:] for row in found if row[-3] is not None]
    details = disclosures.details_of(uuid, bytes(body), halves, about=about)
    subject = details.pop("subject", None)
    return Grant(
        uuid=uuid,
        occurred_at=sql.moment(occurred_at),
        action=Action(event),
        verdict=Verdict(verdict),
        purpose=purpose,
        act=act,
        subject=subject if isinstance(subject, str) else None,
        details=details,
    )


def told(action: Action, *, since: datetime | None = None) -> Iterator[OpenedEntry]:
    """Return every entry of one action, oldest first, with what can still be opened of it."""
    rows = Entry.objects.filter(event=action).order_by("id").prefetch_related("disclosures")
    if since is not None:
        rows = rows.filter(occurred_at__gte=since)
    for entry in rows.select_related("place").iterator(chunk_size=_CHUNK):
        yield opened_entry(entry, seq=None, details=disclosures.details(entry))


def not_allowing(entries: Collection[UUID]) -> set[UUID]:
    """Return those that are no committed permission with a place, or on its way to one."""
    rows = Entry.objects.filter(
        uuid__in=entries, event=Action.ACCESS_ALLOWED, verdict=Verdict.ALLOW
    ).exclude(place=None, outbox=None)
    return set(entries) - set(rows.values_list("uuid", flat=True))


def log_state() -> LogState:
    """Return how the log stands, for anyone."""
    state = TreeState.objects.filter(pk=settings.REMIT_LOG_ORIGIN).first()
    reason = health.why_closed()
    return LogState(
        origin=settings.REMIT_LOG_ORIGIN,
        size=state.published_size if state else 0,
        root_b64=_root_text(state),
        signed_at=state.published_at if state else None,
        entries_pending=Outbox.objects.filter(not_before__lte=Now()).count(),
        witnesses=_witnesses(),
        is_open=reason is None,
        why_closed=reason,
    )


def _root_text(state: TreeState | None) -> str:
    head = Checkpoint.objects.filter(pk=state.published_size).first() if state else None
    return base64.b64encode(bytes(head.root)).decode("ascii") if head else ""


def _witnesses() -> list[tuple[str, datetime | None]]:
    try:
        names = list(quorum.read().witnesses)
    except NoteError:
        return []
    seen = dict(
        Cosignature.objects.filter(witness__in=names)
        .values_list("witness")
        .annotate(at=Max("received_at"))
    )
    return [(name, seen.get(name)) for name in names]


def opened_entry(entry: Entry, *, seq: int | None, details: Mapping[str, Json]) -> OpenedEntry:
    """Return an entry with the details that its reader may know."""
    place: Leaf | None = getattr(entry, "place", None)
    action, occurred_at = _happened(entry, details)
    return OpenedEntry(
        uuid=entry.uuid,
        index=place.index if place else None,
        seq=seq,
        occurred_at=occurred_at.astimezone(timezone.get_default_timezone()),
        action=action,
        verdict=Verdict(entry.verdict),
        purpose=entry.purpose,
        role=entry.role,
        act=entry.act,
        count=entry.count,
        details=details,
        leaf_hash=bytes(entry.leaf_hash),
    )


def _happened(entry: Entry, details: Mapping[str, Json]) -> tuple[Action, datetime]:
    """Return what happened and when: of a private entry, as far as its reader may know."""
    event, at = details.get("event"), details.get("at")
    if entry.event == Action.PRIVATE_TOLD and isinstance(event, str) and isinstance(at, str):
        return Action(event), datetime.fromisoformat(at)
    return Action(entry.event), entry.occurred_at
