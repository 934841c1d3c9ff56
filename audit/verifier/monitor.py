"""Watches a log over time: keeps every signed head, reads every new entry, compares witnesses.

State directory: `checkpoints/` holds each head ever seen, `frontier.json` the right edge of the
tree so that a round reads only what is new, `ids` the ids of all entries so far (16 bytes each).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.verifier.checkpoint import Checkpoint, Trust, accept
from audit.verifier.encoding import Json, hash_bytes, parse_json
from audit.verifier.errors import NotVerifiedError, UnreachableError
from audit.verifier.mirror import UrlSource, read_checkpoint
from audit.verifier.note import LONGEST_NOTE
from audit.verifier.rules import Rules
from audit.verifier.scan import Frontier, Progress, Scan

if TYPE_CHECKING:
    from pathlib import Path

    from audit.verifier.mirror import Source

_LONGEST_STATE = 8 * 1024 * 1024
_ID_LENGTH = 16
CLOCK_SKEW_SECONDS = 300


@dataclass(frozen=True)
class Monitor:
    """What one round needs; rounds share nothing but the state directory."""

    source: Source
    trust: Trust
    state: Path
    longest_delay: float
    oldest_signature: float
    progress: Progress | None = None

    def round(self, *, now: float | None = None) -> Checkpoint:
        """Check what is new and keep the head; raise when the log broke a promise."""
        moment = time.time() if now is None else now
        checkpoint = accept(read_checkpoint(self.source), self.trust)
        self._keep(checkpoint)
        self._check_age(checkpoint, moment)
        saved = self._saved()
        if saved["origin"] not in (None, checkpoint.origin):
            raise NotVerifiedError("the log changed its name")
        frontier = saved["frontier"]
        if frontier.size == checkpoint.size and frontier.root() != checkpoint.root:
            raise NotVerifiedError(f"two different logs of {checkpoint.size} entries were signed")
        witnessed = checkpoint.witnessed_at
        rules = Rules(
            origin=checkpoint.origin,
            longest_delay=self.longest_delay,
            no_later_than=(witnessed or moment) + CLOCK_SKEW_SECONDS,
            no_earlier_than=saved["witnessed_at"],
            latest=saved["latest"],
            seen=self._ids(frontier.size),
        )
        new_ids: list[bytes] = []
        Scan(
            source=self.source,
            checkpoint=checkpoint,
            rules=rules,
            frontier=frontier,
            visit=lambda _, leaf: new_ids.append(leaf.id),
            progress=self.progress,
        ).run()
        self._compare_witnesses(checkpoint)
        self._save(checkpoint, frontier, rules, new_ids)
        return checkpoint

    def _check_age(self, checkpoint: Checkpoint, now: float) -> None:
        """Refuse an old head: the witnesses' clocks tell its age."""
        witnessed = checkpoint.witnessed_at
        if witnessed is not None and now - witnessed > self.oldest_signature:
            hours = int((now - witnessed) // 3600)
            raise NotVerifiedError(f"the newest head was witnessed {hours} hours ago")

    def _keep(self, checkpoint: Checkpoint) -> None:
        digest = hashlib.sha256(checkpoint.data).hexdigest()[:16]
        folder = self.state / "checkpoints"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(folder / f"{checkpoint.size:012d}-{digest}", checkpoint.data)

    def _compare_witnesses(self, checkpoint: Checkpoint) -> None:
        """Ask each witness of the policy what it saw last; two signed trees are evidence."""
        policy = self.trust.policy
        prefix = hashlib.sha256(checkpoint.origin.encode("utf-8")).hexdigest()
        for url in policy.urls.values() if policy else ():
            try:
                data = UrlSource(url).read(f"{prefix}/checkpoint", LONGEST_NOTE)
            except UnreachableError:
                continue  # A silent witness proves nothing; the quorum decides what is enough.
            seen = accept(data, Trust(keys=(*self.trust.keys, *(policy.logs if policy else ()))))
            self._keep(seen)
            if seen.origin != checkpoint.origin:
                raise NotVerifiedError("a witness answers with another log")
            if seen.size == checkpoint.size and seen.root != checkpoint.root:
                raise NotVerifiedError(
                    f"a witness saw another log of {seen.size} entries; both heads are kept"
                )
            if seen.size > checkpoint.size:
                newer = accept(read_checkpoint(self.source), self.trust)
                if newer.size < seen.size:
                    raise NotVerifiedError("a witness saw a longer log than the one served here")

    def _saved(self) -> dict[str, Json]:
        """Return the state of the last round; an empty one before the first."""
        try:
            with (self.state / "frontier.json").open("rb") as file:
                saved = parse_json(file.read(_LONGEST_STATE), "the monitor's state")
        except FileNotFoundError:
            return {"origin": None, "frontier": Frontier(), "witnessed_at": 0.0, "latest": 0.0}
        levels = [[hash_bytes(text, "a hash") for text in level] for level in saved["levels"]]
        return {
            "origin": saved["origin"],
            "frontier": Frontier(size=saved["size"], levels=levels),
            "witnessed_at": float(saved["witnessed_at"]),
            "latest": saved["latest_ms"] / 1000,
        }

    def _ids(self, count: int) -> set[bytes]:
        """Return the ids seen so far; ids of a round that did not end are not among them."""
        if not count:
            return set()
        data = (self.state / "ids").read_bytes()[: count * _ID_LENGTH]
        if len(data) != count * _ID_LENGTH:
            raise NotVerifiedError("the monitor's own list of ids is incomplete")
        return {data[at : at + _ID_LENGTH] for at in range(0, len(data), _ID_LENGTH)}

    def _save(
        self, checkpoint: Checkpoint, frontier: Frontier, rules: Rules, ids: list[bytes]
    ) -> None:
        known = (frontier.size - len(ids)) * _ID_LENGTH
        with (self.state / "ids").open("ab") as file:
            file.truncate(known)
            file.write(b"".join(ids))
            file.flush()
            os.fsync(file.fileno())
        state = {
            "origin": checkpoint.origin,
            "size": frontier.size,
            "levels": [
                [base64.b64encode(one).decode("ascii") for one in level]
                for level in frontier.levels
            ],
            "witnessed_at": checkpoint.witnessed_at or 0,
            "latest_ms": round(rules.latest * 1000),
        }
        _write(self.state / "frontier.json", json.dumps(state).encode("ascii"))


def _write(path: Path, data: bytes) -> None:
    """Replace a file at once, so that a crash leaves the old or the new one."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
