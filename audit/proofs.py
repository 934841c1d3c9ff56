"""One entry's proof as a C2SP tlog-proof file, made from the published tiles alone.

Promises: whoever holds the file and the log's key needs nothing else from us, now or later. The
public form carries the leaf; the form for the person concerned also opens their disclosures.
"""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings

from audit import checkpoint, disclosures, ended, leaf, tree
from audit.actions import Action
from audit.actors import Actor
from audit.errors import NotYetSequencedError, TileError, UnknownEntryError
from audit.models import Entry
from audit.tiles import TileStore
from audit.verifier.checkpoint import parse_tree

FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
# After how many proofs a head lets go of the tiles that it read for them.
_KEPT_FOR: Final = 256
_ACCESSES: Final = frozenset(
    {Action.ACCESS_ALLOWED, Action.ACCESS_DENIED, Action.ACCESS_CLOSED, Action.ACCESS_REQUESTED}
)


def proof(*, uuid: UUID, owner: str | None = None, is_first_name: bool = False) -> bytes:
    """Return the proof file; with `owner`, the disclosures of an entry about that person too.

    With `is_first_name` it ends at a head of the name under which the entry got its place, which
    documents that were signed then speak of; that may be an earlier one than the log's present.
    Raises UnknownEntryError (also when the entry is not about `owner`), NotYetSequencedError.
    """
    entry = (
        Entry.objects.select_related("place").prefetch_related("disclosures").filter(uuid=uuid)
    ).first()
    if entry is None:
        raise UnknownEntryError(uuid)
    opened = _owned(entry, owner) if owner is not None else []
    place = getattr(entry, "place", None)
    if place is None:
        raise NotYetSequencedError(uuid)
    directory = Path(settings.REMIT_LOG_DIR)
    head = Head.published(directory)
    if is_first_name and (note := ended.head_over(place)) is not None:
        head = Head(TileStore(directory), note)
    if head is None or place.index >= head.size:
        raise NotYetSequencedError(uuid)
    try:
        return head.proof(bytes(entry.leaf), place.index, opened)
    except TileError as error:
        raise NotYetSequencedError(uuid) from error


class Head:
    """A published head: every proof that it gives ends at it."""

    def __init__(self, store: TileStore, note: bytes) -> None:
        self.size = parse_tree(checkpoint.parse(note)).size
        self._note = note
        self._store = store
        self._given = 0

    @classmethod
    def published(cls, directory: Path) -> "Head | None":
        """Return the newest head of a log's directory; None before there is one."""
        try:
            return cls(TileStore(directory), (directory / "checkpoint").read_bytes())
        except FileNotFoundError:
            return None

    def proof(self, body: bytes, index: int, opened: Sequence[str] = ()) -> bytes:
        """Return the proof file of a leaf at a place below `size`. Raises TileError."""
        if self._given % _KEPT_FOR == 0:
            self._node = self._store.node(self.size)
        self._given += 1
        path = tree.inclusion_proof(self._node, index, self.size)
        return _file(body, opened, index, path) + b"\n" + self._note


def _owned(entry: Entry, owner: str) -> list[str]:
    opened = disclosures.opened(entry)
    found = dict(leaf.reveal(disclosure) for disclosure in opened)
    if owner not in {found.get("subject"), found.get("actor")}:
        raise UnknownEntryError(entry.uuid)
    if found.get("subject") in {owner, None}:
        return shown_to(owner, entry, opened)
    # The actor of an act about somebody else learns nothing about that person from it.
    return [each for each in opened if leaf.reveal(each)[0] == "actor"]


def shown_to(person: str, entry: Entry, opened: Sequence[str]) -> list[str]:
    """Return what an entry about a person opens to them: for acts of an office, the role alone.

    Who accessed their data stays, as evidence in their own hand; what an office decided, a report
    of pressure before all, is no reason to know the one who held it.
    """
    if entry.event in _ACCESSES:
        return list(opened)
    return [each for each in opened if leaf.reveal(each)[0] != "actor" or _names(each, person)]


def _names(disclosure: str, person: str) -> bool:
    value = leaf.reveal(disclosure)[1]
    return value == person or not Actor(str(value), "").is_person


def _file(body: bytes, opened: Sequence[str], index: int, path: list[bytes]) -> bytes:
    extra = leaf.canonical({"leaf": body.decode("utf-8"), "disclosures": sorted(opened)})
    lines = [
        FIRST_LINE,
        f"extra {base64.b64encode(extra).decode('ascii')}",
        f"index {index}",
        *(base64.b64encode(part).decode("ascii") for part in path),
    ]
    return "".join(f"{line}\n" for line in lines).encode("ascii")
