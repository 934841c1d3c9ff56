"""Whether database, files and signatures still tell one story: the deep check of `log_check`.

Promises: it trusts no column. Leaves are held against columns, hashes and places (audit.leafcheck),
the tree against everything published and signed (audit.headcheck), disclosures against the digests
in the leaves, people's numbers against each other, and the key store's journal against the log. It
may run beside the sequencer: what is compared was complete before it began.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db.models import Count, F, Max, Min, OuterRef, Subquery
from django.db.models.functions import Coalesce

from audit import disclosures, findings, headcheck, leafcheck, tally, tree
from audit.errors import LeafError, NoteError, TileError
from audit.findings import Finding
from audit.headcheck import Roots
from audit.models import (
    Checkpoint,
    Entry,
    Leaf,
    Outbox,
    SubjectCounter,
    SubjectIndex,
    TreeState,
)
from audit.tiles import TileStore

Progress = Callable[[int], None]

_CHUNK: Final = 500
_NEWEST: Final = 100


class InspectionError(Exception):
    """Something does not agree; the text is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Report:
    """How many entries the log holds, and what does not agree."""

    size: int
    findings: list[Finding]


def inspect(*, progress: Progress = lambda _: None) -> int:
    """Return how many entries agree with everything. Raises InspectionError at the first fault."""
    report = examine(progress=progress)
    for finding in report.findings:
        raise InspectionError(finding.text)
    return report.size


def examine(*, quick: bool = False, progress: Progress = lambda _: None) -> Report:
    """Return what does not agree, a few of each kind. `quick` leaves out the entries."""
    # One statement, so that a sequencer at work between two is no fault.
    states = TreeState.objects.annotate(
        last=Subquery(Leaf.objects.order_by("-index").values("index")[:1]),
        highest=Subquery(Checkpoint.objects.order_by("-size").values("size")[:1]),
    )
    state = states.filter(pk=settings.REMIT_LOG_ORIGIN).first()
    if state is None:
        return Report(0, [Finding("state", "the log has never been sequenced")])
    placed = 0 if state.last is None else state.last + 1
    found = chain(
        _check_sizes(state, placed, state.highest or 0),
        _all(state, quick=quick, progress=progress),
    )
    return Report(state.size, findings.few_of_each(_readable(found)))


def _readable(found: Iterator[Finding]) -> Iterator[Finding]:
    """Yield the findings; what cannot be read at all is the last of them."""
    try:
        yield from found
    except (LeafError, NoteError, TileError) as error:
        yield Finding("unreadable", str(error).rstrip("."))


def _all(state: TreeState, *, quick: bool, progress: Progress) -> Iterator[Finding]:
    store = TileStore(Path(settings.REMIT_LOG_DIR))
    if quick:
        yield from _check_newest_root(state, store)
    else:
        yield from leafcheck.check_places(
            size=state.size,
            store=store,
            published=state.published_size,
            visit=Roots().visit,
            progress=progress,
        )
        yield from leafcheck.check_waiting()
    yield from _check_outbox()
    yield from headcheck.check_notes(size=state.size, newest=_NEWEST if quick else None)
    yield from headcheck.check_published(store.root / "checkpoint", size=state.published_size)
    yield from _check_numbers()
    if not quick:
        yield from _check_disclosures()
        yield from _check_tally()
    yield from findings.registered()


def _check_sizes(state: TreeState, placed: int, highest: int) -> Iterator[Finding]:
    if placed != state.size:
        text = f"the tree says {state.size} entries, there are {placed} places"
        yield Finding("size", text)
    if highest > state.size:
        yield Finding("checkpoint", f"checkpoint {highest}: it is larger than the tree")


def _check_newest_root(state: TreeState, store: TileStore) -> Iterator[Finding]:
    for row in Checkpoint.objects.filter(size__lte=state.published_size).order_by("-size")[:1]:
        if tree.root(store.node(row.size), row.size) != bytes(row.root):
            yield Finding("root", f"checkpoint {row.size}: its root is not the tree's")


def _check_outbox() -> Iterator[Finding]:
    for lost in Entry.objects.filter(place=None, outbox=None)[:_CHUNK]:
        yield Finding("lost", f"entry {lost.uuid}: it has no place and waits for none")
    for both in Outbox.objects.exclude(entry__place=None)[:_CHUNK]:
        yield Finding("outbox", f"entry {both.entry_id}: it has a place and still waits for one")


def _check_numbers() -> Iterator[Finding]:
    """Each person's entries are numbered 1, 2, 3, ... up to the person's counter.

    Tokens name nobody, so the first entry does. Each question is one statement: people act on.
    """
    numbered = SubjectIndex.objects.values("token").annotate(
        least=Min("seq"), most=Max("seq"), held=Count("seq"), first=Min("entry")
    )
    for row in numbered.exclude(least=1, most=F("held"))[:_CHUNK]:
        first = Entry.objects.get(pk=row["first"])
        yield Finding(
            "number",
            f"entry {first}: the entries about its subject are not numbered 1 to {row['held']}",
        )
    held = SubjectIndex.objects.filter(token=OuterRef("token")).order_by("-seq").values("seq")[:1]
    counters = SubjectCounter.objects.annotate(held=Coalesce(Subquery(held), 0))
    for counter in counters.exclude(last=F("held"))[:_CHUNK]:
        yield Finding(
            "number", f"a person's counter says {counter.last}, the last entry is {counter.held}"
        )
    stray = SubjectIndex.objects.exclude(token__in=SubjectCounter.objects.values("token"))
    for one in stray.select_related("entry")[:_CHUNK]:
        yield Finding("number", f"entry {one.entry.uuid}: its subject has no counter")


def _check_disclosures() -> Iterator[Finding]:
    rows = Entry.objects.filter(disclosures__isnull=False).distinct().order_by("id")
    for entry in rows.prefetch_related("disclosures").iterator(chunk_size=_CHUNK):
        try:
            disclosures.opened(entry)
        except LeafError as error:
            yield Finding("disclosure", str(error).rstrip("."))


def _check_tally() -> Iterator[Finding]:
    for segment in tally.drifted():
        yield Finding(
            "tally", f"segment {segment}: the tally counts something else than its leaves"
        )
