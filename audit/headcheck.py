"""Holds every head that was ever signed against the tree, and every signature against its head.

Promises: each checkpoint's root is that of the leaves; each note states that head under the name
the log then had and bears both signatures of that name's keys; each cosignature is by the witness
it is filed under and holds for that very text; what is published is what was signed.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from django.db.models import QuerySet

from audit import checkpoint, lineage, quorum
from audit.edge import Edge
from audit.errors import NoteError
from audit.findings import Finding
from audit.lineage import Name
from audit.models import Checkpoint, Cosignature, Note
from audit.verifier.checkpoint import parse_tree
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import Key
from audit.verifier.note import Tree

_CHUNK: Final = 500
# A note with more lines is refused as a whole.
_LINES_AT_ONCE: Final = 12


class Roots:
    """Compares the checkpoints' roots while the leaves pass by."""

    def __init__(self) -> None:
        self._edge = Edge()
        rows = Checkpoint.objects.order_by("size").values_list("size", "root")
        self._rows = rows.iterator(chunk_size=_CHUNK)
        self._next = next(self._rows, None)

    def visit(self, size: int, hashed: bytes) -> Iterator[Finding]:
        """Add the leaf hash that makes the tree `size` long."""
        self._edge.push(hashed)
        while self._next is not None and self._next[0] <= size:
            if self._next[0] == size and bytes(self._next[1]) != self._edge.root():
                yield Finding("root", f"checkpoint {size}: its root is not the tree's")
            self._next = next(self._rows, None)


def check_notes(*, size: int, newest: int | None = None) -> Iterator[Finding]:
    """Check the notes of sizes up to `size`, or the newest few of them."""
    names = lineage.names()
    witnesses = quorum.read().witnesses
    rows = Note.objects.filter(pk__lte=size).select_related("checkpoint").order_by("pk")
    if newest is not None:
        rows = rows.reverse()[:newest]
    for notes in _chunks(rows):
        by_size: dict[int, list[Cosignature]] = defaultdict(list)
        for cosignature in Cosignature.objects.filter(checkpoint__in=[note.pk for note in notes]):
            by_size[cosignature.checkpoint_id].append(cosignature)
        for note in notes:
            try:
                yield from _check_note(note, names, by_size[note.pk], witnesses)
            except (NoteError, NotVerifiedError) as error:
                text = str(error).rstrip(".")
                yield Finding("note", f"checkpoint {note.pk}: {text}")


def _chunks(rows: QuerySet[Note]) -> Iterator[list[Note]]:
    notes = rows.iterator(chunk_size=_CHUNK)
    while part := list(islice(notes, _CHUNK)):
        yield part


def _check_note(
    note: Note, names: Sequence[Name], cosignatures: list[Cosignature], witnesses: dict[str, Key]
) -> Iterator[Finding]:
    where = f"checkpoint {note.pk}"
    parsed = checkpoint.parse(note.text.encode("utf-8"))
    head = parse_tree(parsed)
    name = [each for each in names if each.since < note.pk][-1:]
    if not name or head.origin != name[0].origin:
        yield Finding("note", f"{where}: the note bears another name than the log had")
        return
    if head != Tree(head.origin, note.pk, bytes(note.checkpoint.root)):
        yield Finding("note", f"{where}: the note states another head")
    if not set(name[0].keys) <= set(checkpoint.signers(parsed, name[0].keys, head)):
        yield Finding("note", f"{where}: a signature of the log is missing")
    known = [each for each in cosignatures if each.witness in witnesses]
    for at in range(0, len(known), _LINES_AT_ONCE):
        part = known[at : at + _LINES_AT_ONCE]
        yield from _check_cosignatures(where, note.text, part, witnesses)


def _check_cosignatures(
    where: str, text: str, part: Sequence[Cosignature], witnesses: dict[str, Key]
) -> Iterator[Finding]:
    """Check lines of witnesses of the policy; those who left it are nobody's business any more."""
    for each in part:
        if not each.line.startswith(f"\u2014 {each.witness} "):
            yield Finding("cosignature", f"{where}: a line filed under {each.witness} is another's")
    body = text[: text.rindex("\n\n") + 2]
    signed = checkpoint.parse((body + "".join(each.line for each in part)).encode("utf-8"))
    keys = [witnesses[each.witness] for each in part]
    found = checkpoint.signers(signed, keys, parse_tree(signed))
    for each in part:
        if witnesses[each.witness] not in found:
            yield Finding("cosignature", f"{where}: {each.witness} signed with another key")


def check_published(path: Path, *, size: int) -> Iterator[Finding]:
    """Hold the published checkpoint against its note; it is at least of `size` by now."""
    try:
        published = path.read_bytes()
    except FileNotFoundError:
        if size:
            yield Finding("published", "the published checkpoint is missing")
        return
    try:
        parsed = checkpoint.parse(published)
        head = parse_tree(parsed)
        known = [*checkpoint.log_keys().public, *quorum.read().witnesses.values()]
        checkpoint.signers(parsed, known, head)
    except (NoteError, NotVerifiedError) as error:
        yield Finding("published", f"the published checkpoint: {str(error).rstrip('.')}")
        return
    note = Note.objects.filter(pk=head.size).first()
    if note is None or not published.startswith(note.text.encode("utf-8")):
        yield Finding("published", f"the published checkpoint of {head.size} is not the one signed")
    elif head.size < size:
        yield Finding("published", f"the published checkpoint is of {head.size}, not of {size}")
