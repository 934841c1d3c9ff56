"""A signed head among the witnesses: all are asked at once, and nobody holds up publication.

Promises: a line counts only when it verifies (audit.witnessing); a witness has one question at a
time, always about the newest head when it was asked; one that contradicts the log, however late,
raises WitnessConflictError. Nothing here touches the database, so that threads may wait for
the network.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Final

from audit.checkpoint import Head
from audit.verifier.keys import Key
from audit.verifier.policy import Policy
from audit.witnessing import TIMEOUT_SECONDS, Cosigned, Proof, Witnesses

# How long a head waits for the witnesses that answered in time before.
GRACE_SECONDS: Final = 0.2
# A question and the one repetition that a 409 allows, each with its own timeout.
PATIENCE_SECONDS: Final = 2 * TIMEOUT_SECONDS + 1
_MOST_AT_ONCE: Final = 16


@dataclass
class Circulating:
    """A head, its note, and the lines under it so far; `lines` may hold those of earlier times."""

    head: Head
    note: str
    policy: Policy
    proof_from: Proof
    began_at: float = field(default_factory=time.monotonic)
    asked: set[str] = field(default_factory=set)
    awaited: set[str] = field(default_factory=set)
    lines: dict[str, str] = field(default_factory=dict)
    fresh: dict[str, Key] = field(default_factory=dict)
    is_released: bool = False

    @property
    def has_quorum(self) -> bool:
        """Whether as many have answered this time as the policy wants."""
        return self.policy.is_satisfied(list(self.fresh.values()))

    @property
    def text(self) -> str:
        """Return the checkpoint with the lines so far, in the order of the policy."""
        return self.note + "".join(
            self.lines[name] for name in self.policy.urls if name in self.lines
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness said about a head: one line, or nothing."""

    about: Circulating
    cosigned: list[Cosigned]


class Circulation:
    """Asks witnesses in threads of their own, and remembers who answers in time."""

    def __init__(self, *, wake: Callable[[], None] = lambda: None) -> None:
        self._wake = wake
        self._witnesses = Witnesses()
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="witness")
        self._open: dict[str, tuple[Circulating, Future[list[Cosigned]]]] = {}
        self._late: set[str] = set()

    def ask(self, about: Circulating) -> None:
        """Ask every witness that is free and was not asked about this head yet."""
        for name, url in about.policy.urls.items():
            if name in self._open or name in about.asked:
                continue
            about.asked.add(name)
            about.awaited.add(name)
            alone = replace(about.policy, urls={name: url})
            asked = self._threads.submit(
                self._witnesses.ask, about.note, policy=alone, proof_from=about.proof_from
            )
            self._open[name] = (about, asked)
            asked.add_done_callback(lambda _: self._wake())

    def answers(self) -> list[Answer]:
        """Return what came since the last call. Raises WitnessConflictError."""
        found: list[Answer] = []
        for name, (about, asked) in list(self._open.items()):
            if not asked.done():
                continue
            del self._open[name]
            about.awaited.discard(name)
            if time.monotonic() - about.began_at <= GRACE_SECONDS:
                self._late.discard(name)
            cosigned = asked.result()
            for each in cosigned:
                about.lines[each.witness] = each.line
                about.fresh[each.witness] = each.key
            found.append(Answer(about, cosigned))
        return found

    def waits_seconds(self, about: Circulating) -> float:
        """Return how long the head should still wait for lines; 0 when it should go out."""
        left = about.began_at + GRACE_SECONDS - time.monotonic()
        if left <= 0:
            # Whoever was slow once is waited for again only after an answer in time.
            self._late |= about.awaited
        if about.has_quorum or not about.awaited - self._late:
            return 0
        return max(0.0, left)

    def wait(self, about: Circulating) -> None:
        """Wait until every witness has answered, or for as long as an answer may take."""
        questions = [asked for other, asked in self._open.values() if other is about]
        wait(questions, timeout=PATIENCE_SECONDS)

    def close(self) -> None:
        """Give up what is still open."""
        self._threads.shutdown(wait=False, cancel_futures=True)
