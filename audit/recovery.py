"""Bringing a restored database up to what was signed, from the published leaves.

Promises: the log goes on only when the leaves put back lead to every head that its keys are known
to have signed; then all of it is one transaction, and twice is as good as once. Anything that does
not verify is refused with one line, and nothing is changed. What entries disclosed since the backup
is lost with the database, and a `log:recovered` leaf says for which of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from audit import checkpoint, heads, hold, leaf, lineage, outbox, relinking, tree
from audit.actions import Action
from audit.checkpoint import Head, LogKeys, Signer
from audit.edge import Edge
from audit.errors import ForkError, LeafError, NoteError, RecoveryError, TileError
from audit.heads import Seen
from audit.models import Entry, Leaf, TreeState
from audit.outbox import Waiting
from audit.tiles import ENTRIES, WIDTH, TileStore, tile_path, unbundle
from audit.verifier.errors import NotVerifiedError, UnreachableError
from audit.verifier.mirror import read_bundle, read_checkpoint
from audit.verifier.source import open_source

_CHUNK: Final = 4096
_DEAD: Final = "the log is dead: `manage.py log_rotate --dead` begins the next"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was put back: places start <= index < end; how many entries the database had lost."""

    start: int
    end: int
    lost: int = 0
    events: Counter[str] = field(default_factory=Counter)
    is_signer_advanced: bool = False
    waited_twice: int = 0


def recover(*, tiles: str | None = None) -> Recovered:
    """Put back what the database lost; return what that was, an empty range for nothing.

    `tiles` is a directory or address with a copy of the published log. Raises RecoveryError,
    SequencerBusyError.
    """
    with hold.the_log():
        try:
            return _Recovery(checkpoint.log_keys(), tiles).run()
        except (LeafError, NoteError, TileError, NotVerifiedError) as error:
            raise RecoveryError(str(error).rstrip(".")) from error
        except IntegrityError as error:
            raise RecoveryError("a published leaf has its place or its id already") from error


class _Recovery:
    def __init__(self, keys: LogKeys, tiles: str | None) -> None:
        self.keys = keys
        self.signer = Signer(keys)
        self.store = TileStore(Path(settings.REMIT_LOG_DIR))
        self.mirror = tiles
        self.placed = Leaf.objects.count()
        self.edge = Edge()
        self.missing: list[bytes] = []

    def run(self) -> Recovered:
        # The name may be an earlier one: the backup may be older than new keys.
        state = TreeState.objects.first()
        if (state.size if state else 0) != self.placed:
            raise RecoveryError("the database is not whole: its leaves are not the tree's number")
        seen = self._seen()
        target = max((each.head.size for each in seen), default=0)
        self._read(target)
        self._hold_against(seen)
        waited_twice = outbox.take_out_placed()
        if not self.missing:
            return Recovered(
                self.placed,
                self.placed,
                is_signer_advanced=self._advance_signer(seen),
                waited_twice=waited_twice,
            )
        with transaction.atomic():
            return replace(self._put_back(), waited_twice=waited_twice)

    def _seen(self) -> list[Seen]:
        """Return every head known to be signed: by the signer's memory, and by everyone else's."""
        seen = [Seen(self.signer.last, "the signer's memory"), *heads.elsewhere(self.keys.public)]
        for name in lineage.names():
            seen += heads.in_database(name.keys)
        if self.mirror is not None:
            told = read_checkpoint(open_source(self.mirror))
            seen += heads.in_file(told, self.keys.public, self.mirror)
        return seen

    def _read(self, target: int) -> None:
        """Read the leaves from the end of the database to the target, and what tiles hold more."""
        at = self.placed
        while leaves := self._leaves(at, target):
            self.missing += leaves
            at += len(leaves)
        if at < target:
            raise RecoveryError(
                f"{target} entries were signed, the published files end at {at}; give a mirror "
                f"that has them with --tiles. If there is none, {_DEAD}"
            )

    def _leaves(self, at: int, target: int) -> list[bytes]:
        """Return leaves from `at` on, at most to the end of their bundle; none at the end."""
        number, begun = divmod(at, WIDTH)
        best = _longest(self.store, number)[begun:]
        if self.mirror is None or at >= target:
            return best
        try:
            wanted = min(target, (number + 1) * WIDTH)
            told = _from_mirror(self.mirror, number, wanted)[begun:]
        except UnreachableError:
            return best
        return told if len(told) >= len(best) else best

    def _hold_against(self, seen: Sequence[Seen]) -> None:
        """Raise unless all leaves, old and put back, lead to every signed head."""
        wanted: dict[int, list[Seen]] = {}
        for each in seen:
            wanted.setdefault(each.head.size, []).append(each)
        for hashed in self._hashes():
            self._compare(wanted.get(self.edge.size, ()))
            self.edge.push(hashed)
        self._compare(wanted.get(self.edge.size, ()))

    def _compare(self, seen: Iterable[Seen]) -> None:
        for each in seen:
            if self.edge.root() != each.head.root:
                raise RecoveryError(
                    f"the entries do not lead to the head of {each.head.size} that {each.where} "
                    f"knows; if no other copy of the files does, {_DEAD}"
                )

    def _hashes(self) -> Iterator[bytes]:
        rows = Leaf.objects.order_by("index").values_list("leaf_hash", flat=True)
        yield from map(bytes, rows.iterator(chunk_size=_CHUNK))
        yield from map(tree.leaf_hash, self.missing)

    def _advance_signer(self, seen: Sequence[Seen]) -> bool:
        """Bring a signer whose memory is older than the log up to the newest signed head."""
        newest = max(seen, key=lambda each: each.head.size).head
        if newest.size <= self.signer.last.size:
            return False
        try:
            self.signer.sign(newest, proof_from=self._proof_to(newest))
        except ForkError as error:
            raise RecoveryError(f"{error}; {_DEAD}") from error
        return True

    def _proof_to(self, head: Head) -> Callable[[int], list[bytes]]:
        return lambda old: tree.consistency_proof(self.store.node(head.size), old, head.size)

    def _put_back(self) -> Recovered:
        """Give the missing leaves their entries and places; say so in a leaf; all or nothing."""
        events: Counter[str] = Counter()
        lost: list[Entry] = []
        for start in range(0, len(self.missing), _CHUNK):
            part = self.missing[start : start + _CHUNK]
            rows, fresh, names = _entries(part)
            lost += fresh
            events.update(names)
            _place(rows, part, start=self.placed + start)
        relinking.relink(lost)
        end = self.placed + len(self.missing)
        note = lineage.recovered(start=self.placed, end=end)
        _place([note.pk], [bytes(note.leaf)], start=end)
        TreeState.objects.update(origin=self.keys.origin, size=F("size") + end + 1 - self.placed)
        return Recovered(self.placed, end, len(lost), events)


def _place(ids: Sequence[int], leaves: Sequence[bytes], *, start: int) -> None:
    """Place as the sequencer does; what was drawn to wait had its turn before the restore."""
    try:
        outbox.place(Waiting(ids, leaves, list(map(tree.leaf_hash, leaves))), start=start)
    except ForkError as error:
        raise RecoveryError(str(error)) from error


def _entries(leaves: Sequence[bytes]) -> tuple[list[int], list[Entry], list[str]]:
    """Return the row of each leaf's entry, the entries that were lost, and the lost ones' events.

    An entry that was committed before the backup and sequenced after it waits in the outbox: it
    gets its place, not a twin. Raises RecoveryError, LeafError.
    """
    parsed = [_identified(body) for body in leaves]
    known = {
        str(entry.uuid): entry
        for entry in Entry.objects.filter(uuid__in=[uuid for uuid, _ in parsed])
    }
    for (uuid, _), body in zip(parsed, leaves, strict=True):
        if uuid in known and bytes(known[uuid].leaf) != body:
            raise RecoveryError(f"the database holds another entry {uuid}")
    fresh = Entry.objects.bulk_create(
        Entry(uuid=uuid, leaf=body, leaf_hash=tree.leaf_hash(body))
        for (uuid, _), body in zip(parsed, leaves, strict=True)
        if uuid not in known
    )
    rows = {str(entry.uuid): entry.pk for entry in (*known.values(), *fresh)}
    events = [event for uuid, event in parsed if uuid not in known]
    return [rows[uuid] for uuid, _ in parsed], fresh, events


def _identified(body: bytes) -> tuple[str, str]:
    """Return id and event of a leaf. Raises LeafError for what is none."""
    match leaf.parse(body):
        case {"id": str(uuid), "ev": str(event)} if event in set(Action):
            return uuid, event
        case _:
            raise LeafError("A published leaf is none of this log's.")


def _longest(store: TileStore, number: int) -> list[bytes]:
    """Return the leaves of a bundle in its longest readable form; none when there is none."""
    full = store.root / tile_path(ENTRIES, number)
    parts = full.with_name(f"{full.name}.p").glob("[0-9]*")
    for path in (full, *sorted(parts, key=lambda path: int(path.name), reverse=True)):
        try:
            return unbundle(path.read_bytes())[:WIDTH]
        except (FileNotFoundError, TileError):
            continue
    return []


def _from_mirror(place: str, number: int, size: int) -> list[bytes]:
    if Path(place).is_dir():
        return _longest(TileStore(Path(place)), number)
    return read_bundle(open_source(place), number, size)
