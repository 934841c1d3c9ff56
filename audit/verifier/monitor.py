"""Watches a log over time: keeps every signed head, reads every new entry, compares witnesses.

State directory: `checkpoints/` holds the heads that are known to begin this log, `unproved/` those
that a log signed and nobody has yet compared; `frontier.json` the right edge of the tree so that a
round reads only what is new, `ids` the ids of all entries so far (16 bytes each). A head that
contradicts the log never leaves `unproved/`: it is evidence, and every later round says so.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.verifier.checkpoint import Checkpoint, Trust, accept
from audit.verifier.errors import NotVerifiedError, UnreachableError
from audit.verifier.lineage import Names, Present, present
from audit.verifier.merkle import check_consistency
from audit.verifier.mirror import TileTree, read_checkpoint
from audit.verifier.note import LONGEST_NOTE
from audit.verifier.rules import CLOCK_SKEW_SECONDS, Rules
from audit.verifier.scan import Progress, Scan
from audit.verifier.source import UrlSource
from audit.verifier.state import State

if TYPE_CHECKING:
    from pathlib import Path

    from audit.verifier.keys import Key
    from audit.verifier.leaf import Leaf
    from audit.verifier.source import Source
    from audit.verifier.state import Saved


@dataclass(frozen=True)
class Limits:
    """How late, how old and how silent a log may be, in seconds."""

    longest_delay: float
    oldest_signature: float
    longest_silence: float


@dataclass(frozen=True)
class Monitor:
    """What one round needs; rounds share nothing but the state directory."""

    source: Source
    trust: Trust
    state: Path
    limits: Limits
    progress: Progress | None = None

    def round(self, *, now: float | None = None) -> Present:
        """Check what is new and keep the head; raise when the log broke a promise.

        A name that is new is followed, if a trusted one leads to it, and remarked on.
        """
        moment = time.time() if now is None else now
        state = State(self.state)
        head = present(self.source, self.trust)
        checkpoint, trust = head.checkpoint, head.trust
        state.keep(checkpoint)
        saved = state.load()
        self._check_age(checkpoint, moment)
        tree = TileTree(self.source, checkpoint.size)
        self._check_growth(saved, checkpoint, tree)
        witnessed = checkpoint.witnessed_at
        rules = Rules(
            origin=checkpoint.origin,
            longest_delay=self.limits.longest_delay,
            no_later_than=(witnessed or moment) + CLOCK_SKEW_SECONDS,
            no_earlier_than=saved.witnessed_at,
            latest=saved.latest,
            seen=state.ids(saved.frontier.size),
            signers=[signer.key for signer in checkpoint.signers],
            names=Names(origin=saved.origin, closed=saved.closed),
        )
        new_ids: list[bytes] = []

        def visit(_: int, leaf: Leaf) -> None:
            new_ids.append(leaf.id)

        Scan(
            source=self.source,
            checkpoint=checkpoint,
            rules=rules,
            frontier=saved.frontier,
            visit=visit,
            progress=self.progress,
        ).run()
        state.save(checkpoint, saved.frontier, rules, new_ids)
        self._compare_witnesses(checkpoint, state, trust)
        self._prove(checkpoint, tree, state, trust)
        self._check_silence(rules.latest, moment)
        return Present(checkpoint, trust, (*rules.names.remarks, *head.remarks))

    def _check_age(self, checkpoint: Checkpoint, now: float) -> None:
        """Refuse an old head: the witnesses' clocks tell its age."""
        witnessed = checkpoint.witnessed_at
        if witnessed is not None and now - witnessed > self.limits.oldest_signature:
            hours = int((now - witnessed) // 3600)
            raise NotVerifiedError(f"the newest head was witnessed {hours} hours ago")

    def _check_silence(self, latest: float, now: float) -> None:
        """Refuse a log that stands still: an idle one writes a heartbeat each hour."""
        if latest and now - latest > self.limits.longest_silence:
            hours = int((now - latest) // 3600)
            raise NotVerifiedError(f"the newest entry is {hours} hours old: no heartbeat came")

    def _check_growth(self, saved: Saved, checkpoint: Checkpoint, tree: TileTree) -> None:
        """Raise unless the log begins with the entries of the last round."""
        old = saved.frontier
        if old.size > checkpoint.size:
            raise NotVerifiedError(
                f"the log shrank from {old.size} to {checkpoint.size} entries; both heads are kept"
            )
        check_consistency(
            old_size=old.size,
            old_root=old.root(),
            new_size=checkpoint.size,
            new_root=checkpoint.root,
            path=tree.consistency_path(old.size),
        )

    def _compare_witnesses(self, checkpoint: Checkpoint, state: State, trust: Trust) -> None:
        """Ask each witness of the policy what it saw last; two signed trees are evidence."""
        policy = self.trust.policy
        prefix = hashlib.sha256(checkpoint.origin.encode("utf-8")).hexdigest()
        for url in policy.urls.values() if policy else ():
            try:
                data = UrlSource(url).read(f"{prefix}/checkpoint", LONGEST_NOTE)
            except UnreachableError:
                continue  # A silent witness proves nothing; the quorum decides what is enough.
            seen = accept(data, Trust(keys=(*trust.keys, *_logs(trust))))
            if seen.origin != checkpoint.origin:
                raise NotVerifiedError("a witness answers with another log")
            state.keep(seen)
            if seen.size > checkpoint.size:
                newer = accept(read_checkpoint(self.source), trust)
                if newer.size < seen.size:
                    raise NotVerifiedError("a witness saw a longer log than the one served here")

    def _prove(self, checkpoint: Checkpoint, tree: TileTree, state: State, trust: Trust) -> None:
        """Settle every kept head that this log must begin with; contradictions stay, and shout."""
        for path, data in state.unproved():
            head = accept(data, Trust(keys=(*trust.keys, *_logs(trust))))
            if head.size > checkpoint.size:
                continue  # The log will reach it.
            if head.size and tree.node(0, head.size) != head.root:
                raise NotVerifiedError(
                    f"the log signed two different histories of {head.size} entries; the other "
                    f"one is kept in {path}"
                )
            state.settle(path)


def _logs(trust: Trust) -> tuple[Key, ...]:
    return tuple(trust.policy.logs) if trust.policy else ()
