"""Whether database, files and signatures still tell one story: the deep check of `log_check`.

Promises: it trusts no column. Query columns are recomputed from the leaves, leaf hashes from their
bytes, the tree from the hashes, and what is published is held against all of that. It finds what
an insider edits in the database, which the published tree alone would not show to a page's reader.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db.models import F

from audit import checkpoint, leaf, quorum, tree
from audit.errors import LeafError, NoteError, TileError
from audit.leaf import Json
from audit.models import Checkpoint, Cosignature, Entry, Leaf, Note, Outbox, TreeState
from audit.tiles import WIDTH, TileStore
from audit.verifier.checkpoint import parse_tree
from audit.verifier.errors import NotVerifiedError

Progress = Callable[[int], None]

# Query column -> name in the leaf.
_COLUMNS: Final = {
    "event": "ev",
    "verdict": "dec",
    "purpose": "pur",
    "role": "role",
    "act": "act",
}
_CHUNK: Final = 2048


class InspectionError(Exception):
    """Something does not agree; the text is one line for the operator."""


def inspect(*, progress: Progress = lambda _: None) -> int:
    """Return how many entries agree with everything. Raises InspectionError at the first fault."""
    state = TreeState.objects.filter(pk=settings.REMIT_LOG_ORIGIN).first()
    if state is None:
        raise InspectionError("the log has never been sequenced")
    try:
        _check_entries(progress)
        _check_places(state)
        _check_tiles(state)
        _check_checkpoints(state)
    except (LeafError, NoteError, TileError, NotVerifiedError) as error:
        raise InspectionError(str(error)) from error
    return state.size


def _check_entries(progress: Progress) -> None:
    checked = 0
    for entry in Entry.objects.order_by("id").iterator(chunk_size=_CHUNK):
        body = leaf.parse(bytes(entry.leaf))
        if tree.leaf_hash(bytes(entry.leaf)) != bytes(entry.leaf_hash):
            raise InspectionError(f"entry {entry.uuid}: the leaf hash is not that of the leaf")
        if fault := _wrong_column(entry, body):
            raise InspectionError(f"entry {entry.uuid}: the column {fault} is not the leaf's")
        checked += 1
        if checked % _CHUNK == 0:
            progress(checked)
    progress(checked)
    lost = Entry.objects.filter(place=None, outbox=None).first()
    if lost is not None:
        raise InspectionError(f"entry {lost.uuid}: it has no place and waits for none")


def _wrong_column(entry: Entry, body: dict[str, Json]) -> str | None:
    if body.get("id") != str(entry.uuid):
        return "uuid"
    if body.get("t") != leaf.time_text(_aware(entry.occurred_at)):
        return "occurred_at"
    if body.get("n") != entry.count:
        return "count"
    for column, name in _COLUMNS.items():
        if getattr(entry, column) != body.get(name, ""):
            return column
    return None


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _check_places(state: TreeState) -> None:
    expected = 0
    places = Leaf.objects.order_by("index").annotate(of_entry=F("entry__leaf_hash"))
    for place in places.iterator(chunk_size=_CHUNK):
        if place.index != expected:
            raise InspectionError(f"index {expected}: no entry has this place")
        if bytes(place.leaf_hash) != bytes(place.of_entry):
            raise InspectionError(f"index {expected}: the place holds another hash than its entry")
        expected += 1
    if expected != state.size:
        raise InspectionError(f"the tree says {state.size} entries, there are {expected} places")
    both = Outbox.objects.exclude(entry__place=None).first()
    if both is not None:
        raise InspectionError(f"entry {both.entry_id}: it has a place and still waits for one")


def _check_tiles(state: TreeState) -> None:
    """Hold bundles and level-0 tiles against the places; the roots cover the levels above."""
    store = TileStore(Path(settings.REMIT_LOG_DIR))
    for number, rows in _tiles_of_places(state.size):
        width = len(rows)
        if store.leaves(number, width) != [body for body, _ in rows]:
            raise InspectionError(f"entry bundle {number}: it holds other entries")
        if store.hashes(0, number, width) != [hashed for _, hashed in rows]:
            raise InspectionError(f"tile {number} of level 0: it holds other hashes")
    level = 1
    while state.size >> (8 * level):
        _check_level(store, level, state.size >> (8 * level))
        level += 1


def _check_level(store: TileStore, level: int, count: int) -> None:
    for at in range(count):
        expected = tree.perfect_root(store.hashes(level - 1, at, WIDTH))
        if store.hashes(level, at // WIDTH, at % WIDTH + 1)[-1] != expected:
            raise InspectionError(f"tile {at // WIDTH} of level {level}: it holds other hashes")


def _tiles_of_places(size: int) -> Iterator[tuple[int, list[tuple[bytes, bytes]]]]:
    for start in range(0, size, WIDTH):
        rows = Leaf.objects.filter(index__gte=start, index__lt=start + WIDTH).order_by("index")
        both = rows.values_list("entry__leaf", "leaf_hash")
        yield start // WIDTH, [(bytes(body), bytes(hashed)) for body, hashed in both]


def _check_checkpoints(state: TreeState) -> None:
    keys = checkpoint.log_keys()
    store = TileStore(Path(settings.REMIT_LOG_DIR))
    for row in Checkpoint.objects.order_by("size").iterator(chunk_size=_CHUNK):
        if row.size > state.size:
            raise InspectionError(f"checkpoint {row.size}: it is larger than the tree")
        if tree.root(store.node(state.size), row.size) != bytes(row.root):
            raise InspectionError(f"checkpoint {row.size}: its root is not the tree's")
    witnesses = list(quorum.read().witnesses.values())
    for signed in Note.objects.select_related("checkpoint").iterator(chunk_size=_CHUNK):
        lines = Cosignature.objects.filter(checkpoint_id=signed.pk).values_list("line", flat=True)
        note = checkpoint.parse((signed.text + "".join(lines[:16])).encode("utf-8"))
        head = parse_tree(note)
        if checkpoint.Head(head.size, head.root) != checkpoint.Head(
            signed.pk, bytes(signed.checkpoint.root)
        ):
            raise InspectionError(f"checkpoint {signed.pk}: the note states another head")
        found = checkpoint.signers(note, [*keys.public, *witnesses], head)
        if not set(keys.public) <= set(found):
            raise InspectionError(f"checkpoint {signed.pk}: a signature of the log is missing")
    _check_published(state, store)


def _check_published(state: TreeState, store: TileStore) -> None:
    keys = checkpoint.log_keys()
    try:
        note = checkpoint.parse((store.root / "checkpoint").read_bytes())
    except FileNotFoundError:
        if state.published_size == 0:
            return
        raise InspectionError("the published checkpoint is missing") from None
    head = parse_tree(note)
    if not set(keys.public) <= set(checkpoint.signers(note, keys.public, head)):
        raise InspectionError("the published checkpoint is not signed by both keys of the log")
    row = Checkpoint.objects.filter(pk=head.size).first()
    if row is None or bytes(row.root) != head.root:
        raise InspectionError(f"the published checkpoint of {head.size} is not the one intended")
