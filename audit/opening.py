"""Opening an entry: what an office may know of it, and the entry that says that it was opened.

Promises: no disclosure is decrypted for an office before `log:opened` has been committed; nothing
that is shown names the person concerned, nor who acted, nor anything that a shy entry hides.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from audit import disclosures, journal
from audit.actions import SHY, Action
from audit.actors import Actor
from audit.errors import UnknownEntryError
from audit.models import Entry, Leaf
from audit.selectors import OpenedEntry, opened_entry

# What an officer or auditor may see of an entry's disclosures. Everything else names, or may
# link to, a person: who acted, frames, batches, devices, receipts, orders, requests.
OFFICER_DETAILS: Final = frozenset(
    {
        "application",
        "applications",
        "category",
        "categories",
        "contributors",
        "format",
        "kind",
        "language",
        "notice",
        "policy",
        "reason",
        "release",
        "state",
        "status",
        "version",
    }
)


@dataclass(frozen=True, slots=True)
class Opening:
    """An opened entry, its public leaf, its neighbours in the tree, and the receipt."""

    shown: OpenedEntry
    leaf: str
    before: UUID | None
    after: UUID | None
    header: str


def open_entry(*, uuid: UUID, viewer: Actor, request_id: UUID | None = None) -> Opening:
    """Write down that the viewer opens an entry, then open it. Raises UnknownEntryError.

    Every role gets the same view; the person concerned asks `selectors.entries_about` instead.
    """
    entry = Entry.objects.select_related("place").filter(uuid=uuid).first()
    place: Leaf | None = getattr(entry, "place", None)
    # A shy act shows once it has its delayed place: before, it would tell its moment.
    if entry is None or (place is None and entry.event in SHY):
        raise UnknownEntryError(uuid)
    record = journal.append_now(
        Action.LOG_OPENED,
        actor=viewer,
        act="open",
        private={"opened": str(uuid)},
        request_id=request_id,
    )
    found = {} if entry.event in SHY else disclosures.details(entry)
    details = {name: value for name, value in found.items() if name in OFFICER_DETAILS}
    return Opening(
        shown=opened_entry(entry, seq=None, details=details),
        leaf=bytes(entry.leaf).decode("utf-8"),
        before=_at(place.index - 1) if place else None,
        after=_at(place.index + 1) if place else None,
        header=record.header,
    )


def _at(index: int) -> UUID | None:
    return Leaf.objects.filter(pk=index).values_list("entry__uuid", flat=True).first()
