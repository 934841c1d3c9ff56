"""What a person takes home of the log: all own entries proved, and the key that finds them.

Promises: with the tag key the person finds every entry about themselves in the public files,
without the service; with the disclosures they see that the numbers run 1, 2, 3, ... and so notice
one that was hidden. Nothing here is given to anybody else: callers ask for the person who is here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from audit import disclosures, ports
from audit.errors import NotYetSequencedError
from audit.models import Entry, Leaf, SubjectIndex, TreeState
from audit.proofs import proof, shown_to

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that has its number among the person's, and none in the tree yet."""

    entry: UUID
    number: int


@dataclass(slots=True)
class OwnProofs:
    """Own entries, newest first; `next` is the cursor of the older ones.

    A proof is a tlog-proof file without its checkpoint, which is the same for nearly all: `proofs`
    names the checkpoint by its place in `heads`.
    """

    heads: list[str] = field(default_factory=list)
    proofs: list[tuple[int, str]] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    next: int | None = None

    def document(self) -> dict[str, object]:
        """Return the file that the browser and people's own copies hold (docs/log-format.md)."""
        return {
            "heads": self.heads,
            "proofs": [{"head": head, "proof": text} for head, text in self.proofs],
            "waiting": [{"entry": str(one.entry), "number": one.number} for one in self.waiting],
            "next": self.next,
        }

    def add(self, file: bytes) -> None:
        """Take one proof file in."""
        text, _, head = file.decode("utf-8").partition("\n\n")
        if head not in self.heads:
            self.heads.append(head)
        self.proofs.append((self.heads.index(head), f"{text}\n"))


@dataclass(frozen=True, slots=True)
class Numbered:
    """The disclosures of own entries up to the first that has no place in the tree yet."""

    disclosures: list[str]
    entries: int
    waiting: int


def tag_key(*, subject: str) -> bytes:
    """Return the key that finds the person's tags; it opens nothing."""
    return ports.keys().tag_key(owner=subject)


def proofs_of(*, subject: str, before: int | None = None, limit: int | None = None) -> OwnProofs:
    """Return proofs of a person's own entries below the number `before`, newest first."""
    found = OwnProofs()
    for row in _rows(subject, before=before)[:limit].iterator(chunk_size=_PAGE):
        try:
            found.add(proof(uuid=row.entry.uuid, owner=subject))
        except NotYetSequencedError:
            found.waiting.append(Waiting(row.entry.uuid, row.seq))
        if limit is not None and len(found.proofs) + len(found.waiting) == limit:
            found.next = row.seq if row.seq > 1 else None
    return found


def numbered(*, subject: str) -> Numbered:
    """Return the disclosures by which the person's entries can be counted without the service.

    They end before the first entry that waits for its place: with later ones, an honest delay
    (shy acts wait on purpose) would look like an entry that was hidden.
    """
    opened: list[str] = []
    entries = waiting = 0
    state = TreeState.objects.filter(pk=settings.REMIT_LOG_ORIGIN).first()
    for entry in _oldest_first(subject):
        place: Leaf | None = getattr(entry, "place", None)
        if waiting or state is None or place is None or place.index >= state.published_size:
            waiting += 1
            continue
        entries += 1
        opened += shown_to(subject, entry, disclosures.opened(entry))
    return Numbered(opened, entries, waiting)


def _oldest_first(subject: str) -> Iterator[Entry]:
    rows = _rows(subject).order_by("seq").prefetch_related("entry__disclosures")
    for row in rows.iterator(chunk_size=_PAGE):
        yield row.entry


def _rows(subject: str, *, before: int | None = None) -> QuerySet[SubjectIndex]:
    rows = SubjectIndex.objects.filter(token=ports.keys().token(owner=subject))
    if before is not None:
        rows = rows.filter(seq__lt=before)
    return rows.select_related("entry__place").order_by("-seq")
