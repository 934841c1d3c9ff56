"""One entry's proof as a C2SP tlog-proof file, made from the published tiles alone.

Promises: whoever holds the file and the log's key needs nothing else from us, now or later. The
public form carries the leaf; the form for the person concerned also opens their disclosures.
"""

import base64
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings

from audit import checkpoint, disclosures, leaf, tree
from audit.errors import NotYetSequencedError, TileError, UnknownEntryError
from audit.models import Entry
from audit.tiles import TileStore
from audit.verifier.checkpoint import parse_tree

FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"


def proof(*, uuid: UUID, owner: str | None = None) -> bytes:
    """Return the proof file; with `owner`, the disclosures of an entry about that person too.

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
    store = TileStore(Path(settings.REMIT_LOG_DIR))
    note = _head(store, uuid)
    size = parse_tree(checkpoint.parse(note)).size
    if place.index >= size:
        raise NotYetSequencedError(uuid)
    try:
        path = tree.inclusion_proof(store.node(size), place.index, size)
    except TileError as error:
        raise NotYetSequencedError(uuid) from error
    return _file(bytes(entry.leaf), opened, place.index, path) + b"\n" + note


def _head(store: TileStore, uuid: UUID) -> bytes:
    try:
        return (store.root / "checkpoint").read_bytes()
    except FileNotFoundError as error:
        raise NotYetSequencedError(uuid) from error


def _owned(entry: Entry, owner: str) -> list[str]:
    opened = disclosures.opened(entry)
    found = dict(leaf.reveal(disclosure) for disclosure in opened)
    if owner not in {found.get("subject"), found.get("actor")}:
        raise UnknownEntryError(entry.uuid)
    if found.get("subject") in {owner, None}:
        return opened
    # The actor of an act about somebody else learns nothing about that person from it.
    return [each for each in opened if leaf.reveal(each)[0] == "actor"]


def _file(body: bytes, opened: list[str], index: int, path: list[bytes]) -> bytes:
    extra = leaf.canonical({"leaf": body.decode("utf-8"), "disclosures": sorted(opened)})
    lines = [
        FIRST_LINE,
        f"extra {base64.b64encode(extra).decode('ascii')}",
        f"index {index}",
        *(base64.b64encode(part).decode("ascii") for part in path),
    ]
    return "".join(f"{line}\n" for line in lines).encode("ascii")
