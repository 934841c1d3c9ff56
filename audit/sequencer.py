"""Gives entries their places, grows the tree, signs its head and publishes it.

Promises: each committed entry gets exactly one place; a crash between any two steps loses nothing,
repeats nothing and forks nothing; a database that is behind or beside what was signed halts the log
(ForkError). The steps, in order, each harmless to repeat:

    sequence   entries leave the outbox and get places     one transaction
    integrate  full tiles, then the parts for a head       a pure function of the places
    intend     the checkpoint row, one root per size       one insert
    sign       the signer's own memory, then the note      a file, then one insert
    witness    all witnesses are asked, in threads         the network alone
    release    the file `checkpoint`                       one rename, again for late lines

Witnesses are asked before publication, so that readers see heads with their cosignatures. A head
waits a moment for those that answered in time before, and for nobody else; lines that come later
are added under the same body. audit.pace says when which step happens.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Case, F, When
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from audit import (
    checkpoint,
    files,
    genesis,
    hold,
    lineage,
    outbox,
    pruning,
    quorum,
    restart,
    tally,
    telling,
    tree,
)
from audit.checkpoint import Head, LogKeys
from audit.circulation import Answer, Circulating, Circulation
from audit.errors import ForkError
from audit.frontier import Frontier
from audit.models import Checkpoint, Cosignature, Note, TreeState
from audit.outbox import Waiting
from audit.tiles import TileStore

BATCH: Final = 4096
_REPUBLISH: Final = timedelta(minutes=10)
_WITNESS_RETRY_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did."""

    sequenced: int
    published: int | None


@contextmanager
def opened(*, wake: Callable[[], None] = lambda: None) -> Iterator["Sequencer"]:
    """Hold the log, recover it, and give its sequencer; a ForkError halts it for everyone.

    `wake` is called, from any thread, when a witness has answered. Raises SequencerBusyError,
    ForkError.
    """
    with hold.the_log():
        sequencer = Sequencer(Circulation(wake=wake))
        try:
            sequencer.recover()
            yield sequencer
        except ForkError as error:
            sequencer.halt(str(error))
            raise
        finally:
            sequencer.circulation.close()


class Sequencer:
    """One log's sequencer; whoever makes one holds the log (see `opened`)."""

    def __init__(self, circulation: Circulation, keys: LogKeys | None = None) -> None:
        self.keys = keys or checkpoint.log_keys()
        self.signer = checkpoint.Signer(self.keys)
        self.tiles = TileStore(Path(settings.REMIT_LOG_DIR))
        self.frontier = Frontier(self.tiles)
        self.circulation = circulation
        self.current: Circulating | None = None
        # After a halt the first head waits for every witness: one of them may be the reason.
        self.was_halted = False
        self._pruned_at: datetime | None = None
        if keys is None:
            quorum.ensure()

    @property
    def size(self) -> int:
        """Return how many entries have places."""
        return self.frontier.size

    # The whole of it.

    def recover(self) -> None:
        """Bring files and memory up to what the database says, or halt. Safe at any time."""
        state = restart.recover(self.frontier, keys=self.keys, signed=self.signer.last)
        self.was_halted = bool(state.halted)
        self._pruned_at = state.published_at

    def turn(self, *, batches: int = 8) -> Turn:
        """Sequence what waits; publish, with every witness, when the head is due."""
        self.begin()
        genesis.heartbeat(now=timezone.now())
        telling.tell(now=timezone.now())
        sequenced = 0
        for _ in range(batches):
            taken = self.sequence()
            sequenced += taken
            if taken < BATCH:
                break
        published = self.publish() if self.is_due() else None
        self.live()
        return Turn(sequenced, published)

    def publish(self) -> int:
        """Sign the head of the tree, ask every witness and wait for them; return its size."""
        current = self.circulate()
        self.circulation.wait(current)
        self.attend(is_last=True)
        return current.head.size

    def circulate(self) -> Circulating:
        """Sign the head of the tree and ask the witnesses; `attend` publishes it."""
        self.attend(is_last=True)
        self.frontier.lay_parts()
        head = self.intend()
        self.current = self.witness(head, self.sign(head))
        return self.current

    def attend(self, *, is_last: bool = False) -> float:
        """Keep the lines that came; release the head once it need not wait, or must not.

        Return the seconds it should still wait.
        """
        answers = self.circulation.answers()
        self._keep(answers)
        current = self.current
        if current is None:
            return 0
        is_longer = any(each.about is current and each.cosigned for each in answers)
        if current.is_released:
            if is_longer:
                self._write(current)
            self.circulation.ask(current)
            return 0
        left = 0 if is_last else self.circulation.waits_seconds(current)
        if not left:
            self.release(current)
        return left

    # The steps.

    def begin(self) -> None:
        """Give the genesis leaf index 0, before anything that already waits in the outbox."""
        if self.size:
            if lineage.successor(self.size) is not None:
                raise ForkError("the log was closed under this name; see log_rotate")
            return
        with hold.its_turn():
            self._require_unmoved()
            first = genesis.write(self.keys)
            only = Waiting([first.pk], [bytes(first.leaf)], [bytes(first.leaf_hash)])
            self._place(only)
        self.integrate(only)

    def sequence(self, *, limit: int = BATCH) -> int:
        """Give the next entries their places and write their tiles; return how many."""
        outbox.draw_delays()
        waiting = outbox.pick(limit)
        if waiting:
            with hold.its_turn():
                self._require_unmoved()
                self._place(waiting)
            self.integrate(waiting)
        return len(waiting)

    def integrate(self, placed: Waiting) -> None:
        """Grow the tree by what was just placed; full tiles are written."""
        self.frontier.append(placed.leaves, placed.hashes)

    def intend(self) -> Head:
        """Write down which root is about to be signed; another one for its size is a fork."""
        head = Head(self.size, self.frontier.root())
        try:
            with hold.its_turn():
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
        # The proof comes from the files, so that files which do not lead to the root are noticed.
        note = self.signer.sign(head, proof_from=self.proof_to(head.size))
        if stored is None:
            with hold.its_turn():
                Note.objects.create(checkpoint_id=head.size, text=note)
        return note

    def witness(self, head: Head, note: str) -> Circulating:
        """Ask the witnesses to cosign; their answers come to `attend`."""
        rows = Cosignature.objects.filter(checkpoint_id=head.size).order_by("id")
        asked = Circulating(
            head=head,
            note=note,
            policy=quorum.read(),
            proof_from=self.proof_to(head.size),
            # A head that is published again keeps its lines until there are newer ones.
            lines=dict(rows.values_list("witness", "line")),
        )
        self.circulation.ask(asked)
        return asked

    def release(self, current: Circulating) -> None:
        """Put the checkpoint where readers find it."""
        self._write(current)
        current.is_released = True
        self._note_down(
            published_size=current.head.size,
            published_at=Now(),
            quorum_at=Now() if current.has_quorum else F("quorum_at"),
            behind_since=Case(When(size=current.head.size, then=None), default=Now()),
            halted="",
        )
        self.was_halted = False

    def halt(self, reason: str) -> None:
        """Say in the database that the log has stopped; access closes everywhere."""
        self._note_down(halted=reason)

    def live(self) -> None:
        """Leave a sign of life; count for searches what has filled up."""
        with hold.its_turn():
            tally.extend(size=self.size)
        self._note_down(heartbeat_at=Now())

    def prune(self) -> None:
        """Remove parts of tiles that are no longer needed."""
        now = timezone.now()
        published = self.current.head.size if self.current else 0
        pruning.prune(self.tiles, size=published, since=self._pruned_at, until=now)
        self._pruned_at = now

    # Questions.

    def is_due(self) -> bool:
        """Whether the tree grew, its head grew old, or witnesses were silent."""
        state = TreeState.objects.get(pk=self.keys.origin)
        if state.published_at is None or state.published_size != self.size or state.halted:
            return True
        if timezone.now() - state.published_at > _REPUBLISH:
            return True
        if self.current is None and not self._is_out(self.size):
            return True
        return self._lacks_quorum()

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` leaves, from the tiles."""
        return tree.root(self.tiles.node(size), size)

    def proof_to(self, size: int) -> "_ProofTo":
        """Return old -> consistency proof from `old` to `size`."""
        return _ProofTo(self.tiles.node(size), size)

    def _lacks_quorum(self) -> bool:
        current = self.current
        if current is None:
            return bool(quorum.read().urls)
        waited = time.monotonic() - current.began_at
        return (
            not current.has_quorum
            and bool(current.policy.urls or quorum.read().urls)
            and waited > _WITNESS_RETRY_SECONDS
        )

    def _keep(self, answers: list[Answer]) -> None:
        """Store the lines that came, however late."""
        rows = [
            Cosignature(checkpoint_id=answer.about.head.size, witness=each.witness, line=each.line)
            for answer in answers
            for each in answer.cosigned
        ]
        if not rows:
            return
        with hold.its_turn():
            Cosignature.objects.bulk_create(rows)
            if any(answer.cosigned and answer.about.has_quorum for answer in answers):
                self._note_down(quorum_at=Now())

    def _is_out(self, size: int) -> bool:
        """Whether readers find the whole head of this size; a failing disk may have torn it."""
        note = Note.objects.filter(pk=size).first()
        path = self.tiles.root / "checkpoint"
        held = path.read_bytes() if path.exists() else b""
        is_whole = held.endswith(b"\n")
        return is_whole and note is not None and held.startswith(note.text.encode())

    def _write(self, current: Circulating) -> None:
        files.make_directory(self.tiles.root)
        files.replace(self.tiles.root / "checkpoint", current.text.encode("utf-8"))

    def _note_down(self, **values: object) -> None:
        with hold.its_turn():
            TreeState.objects.filter(pk=self.keys.origin).update(**values)

    def _require_unmoved(self) -> None:
        """Lock the tree's row for this transaction. Raises ForkError when the tree moved."""
        state = TreeState.objects.select_for_update().get(pk=self.keys.origin)
        if state.size != self.size:
            raise ForkError(f"another sequencer moved the tree to {state.size}")

    def _place(self, waiting: Waiting) -> None:
        outbox.place(waiting, start=self.size)
        TreeState.objects.filter(pk=self.keys.origin).update(
            size=F("size") + len(waiting), behind_since=Coalesce("behind_since", Now())
        )


class _ProofTo:
    """Consistency proofs that end at one size."""

    def __init__(self, node: tree.Node, size: int) -> None:
        self._node = node
        self._size = size

    def __call__(self, old: int) -> list[bytes]:
        return tree.consistency_proof(self._node, old, self._size)
