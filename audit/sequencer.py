"""Gives entries their places, grows the tree, signs its head and publishes it.

Promises: each committed entry gets exactly one place; a crash between any two steps loses nothing,
repeats nothing and forks nothing; a database that is behind or beside what was signed halts the log
(ForkError). The steps, in order, each harmless to repeat:

    sequence   entries leave the outbox and get places     one transaction
    integrate  bundles and tiles                           a pure function of the places
    intend     the checkpoint row, one root per size       one insert
    sign       the signer's own memory, then the note      a file, then one insert
    witness    cosignatures of whoever answers in 2 s      inserts
    publish    the file `checkpoint`                       one rename

Witnesses are asked before publication, so that readers see heads with their cosignatures; when they
are silent the head is published without, and they are asked again.
"""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from audit import checkpoint, files, genesis, hold, quorum, tree
from audit.checkpoint import Head
from audit.errors import ForkError, TileError
from audit.models import Checkpoint, Cosignature, Entry, Leaf, Note, Outbox, TreeState
from audit.tiles import WIDTH, TileStore
from audit.witnessing import Witnesses

# An entry's id, leaf and leaf hash.
_Waiting = tuple[int, bytes, bytes]

BATCH: Final = 4096
_REPUBLISH: Final = timedelta(minutes=10)
_WITNESS_RETRY_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did."""

    sequenced: int
    published: int | None


@contextmanager
def opened() -> Iterator["Sequencer"]:
    """Hold the log, recover it, and give its sequencer; a ForkError halts it for everyone.

    Raises SequencerBusyError, ForkError.
    """
    with hold.the_log():
        sequencer = Sequencer()
        try:
            sequencer.recover()
            yield sequencer
        except ForkError as error:
            sequencer.halt(str(error))
            raise


class Sequencer:
    """One log's sequencer; whoever makes one holds the log (see `opened`)."""

    def __init__(self) -> None:
        self.keys = checkpoint.log_keys()
        self.signer = checkpoint.Signer(self.keys)
        self.tiles = TileStore(Path(settings.REMIT_LOG_DIR))
        self.witnesses = Witnesses()
        self.policy = quorum.ensure()
        self.size = 0
        self._asked_at = float("-inf")
        TreeState.objects.get_or_create(origin=self.keys.origin)

    # The whole of it.

    def recover(self) -> None:
        """Bring files and memory up to what the database says, or halt. Safe at any time."""
        state = self._state()
        highest = Leaf.objects.aggregate(last=Max("index"))["last"]
        self.size = 0 if highest is None else highest + 1
        if state.size != self.size:
            raise ForkError(f"the tree says {state.size}, its leaves say {self.size}")
        signed = self.signer.last
        if self.size < signed.size:
            raise ForkError(f"the database ends at {self.size}, {signed.size} were signed")
        self._restore_tiles(published=state.published_size)
        # Read through the newest tiles: an older part of a tile may still hold the signed past.
        if tree.root(self.tiles.node(self.size), signed.size) != signed.root:
            raise ForkError(f"the tree of {signed.size} is not the one that was signed")
        TreeState.objects.filter(pk=self.keys.origin).update(halted="")

    def turn(self, *, batches: int = 8) -> Turn:
        """Sequence what waits, and publish when the tree grew or its head grew old."""
        self.begin()
        genesis.heartbeat(now=timezone.now())
        sequenced = 0
        for _ in range(batches):
            taken = self.sequence()
            sequenced += taken
            if taken < BATCH:
                break
        published = self.publish() if self._is_due() else None
        TreeState.objects.filter(pk=self.keys.origin).update(heartbeat_at=Now())
        return Turn(sequenced, published)

    def publish(self) -> int:
        """Sign, witness and publish the head of the tree; return its size."""
        head = self.intend()
        note = self.sign(head)
        lines = self.witness(head, note)
        self.release(head, note, lines)
        return head.size

    # The steps.

    def begin(self) -> None:
        """Give the genesis leaf index 0, before anything that already waits in the outbox."""
        if self.size:
            return
        with transaction.atomic():
            state = self._locked_state()
            first = genesis.write(self.keys)
            _place([(first.pk, bytes(first.leaf), bytes(first.leaf_hash))], 0)
            self._grow(state, 1)
        self.integrate()

    def sequence(self, *, limit: int = BATCH) -> int:
        """Give the next entries their places and write their tiles; return how many."""
        _draw_delays()
        with transaction.atomic():
            state = self._locked_state()
            picked = _pick(limit)
            if picked:
                _place(picked, self.size)
                self._grow(state, len(picked))
        if picked:
            self.integrate()
        return len(picked)

    def integrate(self) -> None:
        """Write the tiles of every place that has none yet."""
        self._integrate_from(self.size)

    def intend(self) -> Head:
        """Write down which root is about to be signed; another one for its size is a fork."""
        head = Head(self.size, self.root(self.size))
        try:
            with transaction.atomic():
                row, _ = Checkpoint.objects.get_or_create(
                    size=head.size, defaults={"root": head.root}
                )
        except IntegrityError as error:
            raise ForkError(f"the checkpoint of {head.size} exists already") from error
        if bytes(row.root) != head.root:
            raise ForkError(f"another root was meant for {head.size}")
        return head

    def sign(self, head: Head) -> str:
        """Return the signed note of the head, the stored one when there is one."""
        stored = Note.objects.filter(pk=head.size).first()
        if stored is not None and self.signer.last == head:
            return stored.text
        note = self.signer.sign(head, proof_from=self.proof_to(head.size))
        if stored is None:
            Note.objects.create(checkpoint_id=head.size, text=note)
        return note

    def witness(self, head: Head, note: str) -> list[str]:
        """Return the cosignature lines of the witnesses that answered."""
        self.policy = quorum.read()
        self._asked_at = time.monotonic()
        cosigned = self.witnesses.ask(note, policy=self.policy, proof_from=self.proof_to(head.size))
        Cosignature.objects.bulk_create(
            Cosignature(checkpoint_id=head.size, witness=each.witness, line=each.line)
            for each in cosigned
        )
        if self.policy.is_satisfied([each.key for each in cosigned]):
            TreeState.objects.filter(pk=self.keys.origin).update(quorum_at=Now())
            self._asked_at = float("inf")
        return [each.line for each in cosigned]

    def release(self, head: Head, note: str, lines: Sequence[str]) -> None:
        """Put the checkpoint where readers find it."""
        files.make_directory(self.tiles.root)
        files.replace(self.tiles.root / "checkpoint", (note + "".join(lines)).encode("utf-8"))
        TreeState.objects.filter(pk=self.keys.origin).update(
            published_size=head.size, published_at=Now(), behind_since=None
        )

    def halt(self, reason: str) -> None:
        """Say in the database that the log has stopped; access closes everywhere."""
        TreeState.objects.filter(pk=self.keys.origin).update(halted=reason)

    # Questions.

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` leaves, from the tiles."""
        return tree.root(self.tiles.node(size), size)

    def proof_to(self, size: int) -> "_ProofTo":
        """Return old -> consistency proof from `old` to `size`."""
        return _ProofTo(self.tiles.node(size), size)

    def _state(self) -> TreeState:
        return TreeState.objects.get(pk=self.keys.origin)

    def _locked_state(self) -> TreeState:
        state = TreeState.objects.select_for_update().get(pk=self.keys.origin)
        if state.size != self.size:
            raise ForkError(f"another sequencer moved the tree to {state.size}")
        return state

    def _grow(self, state: TreeState, count: int) -> None:
        TreeState.objects.filter(pk=state.pk).update(
            size=state.size + count, behind_since=Coalesce("behind_since", Now())
        )

    def _is_due(self) -> bool:
        state = self._state()
        if state.published_at is None or state.published_size != self.size:
            return True
        if timezone.now() - state.published_at > _REPUBLISH:
            return True
        # A published head without its quorum: the witnesses were silent, so ask again.
        waited = time.monotonic() - self._asked_at
        return bool(quorum.read().urls) and waited > _WITNESS_RETRY_SECONDS

    def _restore_tiles(self, *, published: int) -> None:
        try:
            if published:
                index, offset = divmod(published - 1, WIDTH)
                self.tiles.leaves(index, offset + 1)
            self._integrate_from(published)
            self.root(self.size)
        except TileError:
            # The directory was lost or cut: lay it anew, it is a function of the leaves.
            self._integrate_from(0)

    def _integrate_from(self, old: int) -> None:
        end = Leaf.objects.aggregate(last=Max("index"))["last"]
        size = 0 if end is None else end + 1
        while old < size:
            start = old - old % WIDTH
            rows = list(
                Leaf.objects.filter(index__gte=start, index__lt=start + WIDTH + BATCH)
                .order_by("index")
                .values_list("entry__leaf", "leaf_hash")
            )
            old = self.tiles.integrate(
                old=old,
                leaves=[bytes(body) for body, _ in rows],
                hashes=[bytes(hashed) for _, hashed in rows],
            )
        self.size = size


class _ProofTo:
    """Consistency proofs that end at one size."""

    def __init__(self, node: tree.Node, size: int) -> None:
        self._node = node
        self._size = size

    def __call__(self, old: int) -> list[bytes]:
        return tree.consistency_proof(self._node, old, self._size)


def _draw_delays() -> None:
    """Give each shy entry that just arrived its own random wait."""
    delay = settings.REMIT_LOG_DELAY_SECONDS
    waiting = Outbox.objects.filter(not_before=None)
    if not delay:
        waiting.update(not_before=Now())
        return
    # The operating system's source: a predictable wait would hide nothing.
    source = random.SystemRandom()
    for row in waiting[:BATCH]:
        wait = timedelta(milliseconds=source.randrange(delay * 1000 + 1))
        waiting.filter(pk=row.pk).update(not_before=Now() + wait)


def _pick(limit: int) -> list[_Waiting]:
    """Return (id, leaf, leaf hash) of the entries that are due, in the order of their ids."""
    due = Outbox.objects.filter(not_before__lte=Now()).order_by("entry_id")
    rows = Entry.objects.filter(pk__in=due.values("entry_id")[:limit]).order_by("id")
    return [
        (key, bytes(body), bytes(hashed))
        for key, body, hashed in rows.values_list("id", "leaf", "leaf_hash")
    ]


def _place(waiting: Sequence[_Waiting], start: int) -> None:
    for key, body, hashed in waiting:
        # SQLite cannot check this itself; a wrong hash must never become part of the tree.
        if tree.leaf_hash(body) != hashed:
            raise ForkError(f"entry {key} does not hold the leaf its hash says")
    with connection.cursor() as cursor:
        cursor.executemany(
            'INSERT INTO audit_leaf ("index", entry_id, leaf_hash) VALUES (%s, %s, %s)',
            [(start + offset, key, hashed) for offset, (key, _, hashed) in enumerate(waiting)],
        )
        cursor.execute(
            "DELETE FROM audit_outbox WHERE entry_id IN "
            '(SELECT entry_id FROM audit_leaf WHERE "index" >= %s)',
            [start],
        )
