"""Replays a recording as if it happened now: what the demo, the tests and an evaluation use.

Promises: what a live agent may not send, a replay may not either; the policy is asked for again
while it runs, and an event is kept only under the policies at both ends of its stretch; a batch is
sent only after its last event has happened. A stretch ends at a pause in typing, so that nothing
typed is torn in two before it is redacted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx

from remit_agent import adapters, mapping
from remit_agent.clock import Clock
from remit_agent.errors import AgentError, BatchTooLargeError, PolicyError, RefusedError
from remit_agent.errors import UnreachableError as Unreachable
from remit_agent.filter import Filter, LeftOut, Outcome
from remit_agent.home import Home
from remit_agent.ids import uuid7
from remit_agent.keyboard import Keyboard
from remit_agent.observed import Key, Recording
from remit_agent.policy import Policy
from remit_agent.seal import Chain, seal
from remit_agent.sequence import Numbered, Session, Timeline
from remit_agent.service import BatchStatus, connect
from remit_agent.session import Agent, may_capture
from remit_agent.settle import Settled, settle

STRETCH_NS: Final = 5_000_000_000
TYPING_PAUSE_NS: Final = 1_500_000_000
MAX_OBSERVATIONS: Final = 1500
# A refusal that a fresh policy may cure; consent that was withdrawn is not one of them.
_CURABLE: Final = frozenset({"policy-expired", "consent-required", "policy-violation"})


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What became of a recording: batches made and sent, and what was left out by reason.

    `sent` have a receipt; `pending` wait in the outbox; `refused` counts batches by problem.
    `dropped` counts what never left this device. `statuses` is filled when asked to wait.
    """

    batches: int
    sent: int
    dropped: dict[str, int]
    pending: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    batch_ids: tuple[UUID, ...] = ()
    statuses: tuple[BatchStatus, ...] = ()


def replay(  # noqa: PLR0913 - the first three are the interface; the rest is for tests.
    *,
    home: Path,
    recording: Path,
    speed: float = 1.0,
    wait_s: float = 0.0,
    map_file: Path | None = None,
    transport: httpx.BaseTransport | None = None,
    clock: Clock | None = None,
) -> ReplayReport:
    """Replay a recording through the agent enrolled in `home`; AgentError says what is wrong.

    `wait_s` is how long to wait at the end for the service to say how each batch ended.
    """
    if not 0 < speed <= 10_000:  # noqa: PLR2004 - faster than anything, and finite.
        raise AgentError("--speed takes a number above 0 and up to 10000.")
    state = Home(home)
    identity = state.identity()
    recorded = adapters.read(recording)
    surfaces = mapping.load(recording, file=map_file)
    with (
        state.exclusive(),
        connect(
            identity.server, origin=identity.origin, transport=transport, clock=clock
        ) as service,
    ):
        agent = Agent(state, service, identity)
        agent.flush()
        agent.refresh()
        may_capture(agent)
        timeline = Timeline(service.clock.now_ns(), speed)
        run = _Run(agent, Filter(surfaces), Session(timeline), uuid7())
        run.dropped.update(recorded.left_out)
        run.play(recorded)
        return run.report(wait_s=wait_s)


@dataclass(slots=True)
class _Run:
    """One replay under way."""

    agent: Agent
    filter: Filter
    session: Session
    session_id: UUID
    previous_digest: str | None = None
    consent_epoch: int | None = None
    answers: dict[UUID, str] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)

    def play(self, recording: Recording) -> None:
        """Send the recording stretch by stretch, each at its time."""
        clock = self.agent.service.clock
        timeline = self.session.timeline
        self._tell()
        for stretch, is_last in stretches(settle(recording.observations), speed=timeline.speed):
            before = self.agent.in_force()
            clock.wait_until(timeline.wall(stretch[-1].observation.t_ns))
            self._ask()
            after = self.agent.in_force()
            policies = [before, after] if before and after else []
            self._send_stretch(stretch, policies, is_last=is_last)
        self._tell()

    def _ask(self, *, force: bool = False) -> None:
        """Refresh the policy; without a good answer there is none, and nothing is kept."""
        try:
            self.agent.refresh(force=force)
        except (PolicyError, RefusedError, Unreachable):
            self.agent.policy = None

    def _tell(self) -> None:
        """Send a heartbeat; capture does not depend on it being heard."""
        try:
            self.agent.heartbeat()
        except (RefusedError, Unreachable):
            return

    def _send_stretch(
        self, stretch: Sequence[Settled], policies: list[Policy], *, is_last: bool
    ) -> None:
        self._follow(policies)
        keyboard, application = self._filter_state()
        session = self.session.copy()
        outcomes = self._judge(stretch, policies)
        if self._send(outcomes, policies, is_last=is_last) is None:
            return
        # The service knows better than our policy: ask it again, judge the same stretch again.
        self._ask(force=True)
        fresh = self.agent.in_force()
        self.filter.keyboard, self.filter.application = keyboard, application
        self.session = session
        again = [fresh] if fresh else []
        self._follow(again)
        self._send(self._judge(stretch, again), again, is_last=is_last)

    def _follow(self, policies: list[Policy]) -> None:
        """Begin another session where consent changed: its end may destroy the former one."""
        if not policies:
            return
        epoch = policies[-1].document.consent_epoch
        if self.consent_epoch not in {None, epoch}:
            self.session_id, self.previous_digest = uuid7(), None
            self.session = Session(self.session.timeline)
        self.consent_epoch = epoch

    def _filter_state(self) -> tuple[Keyboard, str | None]:
        keyboard = self.filter.keyboard
        copy = Keyboard(list(keyboard.held), dict(keyboard.typed))
        return copy, self.filter.application

    def _judge(self, stretch: Sequence[Settled], policies: list[Policy]) -> list[Outcome]:
        if policies and self.agent.has_budget(policies[-1]):
            return list(self.filter.apply(stretch, policies))
        reason = self._closed_reason()
        return [LeftOut(each.observation.t_ns, reason, "input") for each in stretch]

    def _closed_reason(self) -> str:
        if self.agent.state() == "paused":
            return "paused"
        return "budget" if self.agent.in_force() else "app_not_allowed"

    def _send(
        self, outcomes: Sequence[Outcome], policies: list[Policy], *, is_last: bool
    ) -> str | None:
        """Seal and send what was kept; return the problem when all of it may be tried again."""
        left_out = Counter(each.reason for each in outcomes if isinstance(each, LeftOut))
        if not policies:
            self.session.number(outcomes, policy_digest="", is_last=is_last)
            self.dropped.update(left_out)
            return None
        policy = policies[-1]
        events = self.session.number(outcomes, policy_digest=policy.digest, is_last=is_last)
        before = len(self.answers)
        problem = None
        for batch in within_budget(events, policy.document.budgets.max_batch_events):
            problem = self._send_batch(batch, policy) or problem
        taken = {"sent", "pending"}.intersection(list(self.answers.values())[before:])
        if problem in _CURABLE and not taken:
            return problem
        self.dropped.update(left_out)
        return None

    def _send_batch(self, events: Sequence[Numbered], policy: Policy) -> str | None:
        chain = Chain(
            device_id=self.agent.identity.device_id,
            session_id=self.session_id,
            previous_digest=self.previous_digest,
        )
        try:
            batch = seal(events, policy=policy, chain=chain, now_ns=self._now_ns())
        except BatchTooLargeError:
            if len(events) == 1:
                self.dropped["budget"] += 1
                return None
            half = len(events) // 2
            first = self._send_batch(events[:half], policy)
            return self._send_batch(events[half:], policy) or first
        self.agent.allowance.captured(len(batch.wire))
        answer = self.agent.send(batch)
        self.answers[batch.batch_id] = answer
        if answer not in {"sent", "pending"}:
            return answer
        self.previous_digest = batch.digest
        self.events.update(each.category or "control" for each in events)
        return None

    def _now_ns(self) -> int:
        return self.agent.service.clock.now_ns()

    def report(self, *, wait_s: float) -> ReplayReport:
        """Say what became of it all, after waiting for the service as long as asked."""
        answers = Counter(self.answers.values())
        sent, pending = answers.pop("sent", 0), answers.pop("pending", 0)
        return ReplayReport(
            batches=len(self.answers),
            sent=sent,
            dropped=dict(sorted(self.dropped.items())),
            pending=pending,
            refused=dict(sorted(answers.items())),
            events=dict(sorted(self.events.items())),
            batch_ids=tuple(self.answers),
            statuses=self._statuses(wait_s),
        )

    def _statuses(self, wait_s: float) -> tuple[BatchStatus, ...]:
        found: dict[UUID, BatchStatus] = {}
        waiting = [each for each, answer in self.answers.items() if answer == "sent"]
        until = self._now_ns() + int(wait_s * 1e9)
        while waiting and self._now_ns() < until:
            for batch_id in list(waiting):
                try:
                    found[batch_id] = self.agent.status(batch_id)
                except (RefusedError, Unreachable):
                    continue
                if found[batch_id].is_final:
                    waiting.remove(batch_id)
            if waiting:
                self.agent.service.clock.sleep(0.25)
        return tuple(found.values())


def stretches(settled: Iterable[Settled], *, speed: float) -> Iterator[tuple[list[Settled], bool]]:
    """Yield (observations, whether it is the last) in portions of about five seconds of wall time.

    A portion does not end while someone types, unless it grows beyond MAX_OBSERVATIONS.
    """
    stretch: list[Settled] = []
    typed_ns: int | None = None
    for each in settled:
        t_ns = each.observation.t_ns
        is_resting = typed_ns is None or t_ns - typed_ns > TYPING_PAUSE_NS
        is_long = bool(stretch) and (t_ns - stretch[0].observation.t_ns) / speed >= STRETCH_NS
        if len(stretch) >= MAX_OBSERVATIONS or (is_long and is_resting):
            yield stretch, False
            stretch = []
        if isinstance(each.observation, Key):
            typed_ns = t_ns
        stretch.append(each)
    if stretch:
        yield stretch, True


def within_budget(events: Sequence[Numbered], most: int) -> Iterator[Sequence[Numbered]]:
    """Yield the events in batches of at most `most`; a batch of control alone says nothing."""
    size = min(most, 5000)
    for start in range(0, len(events), size):
        batch = events[start : start + size]
        if any(each.category is not None for each in batch):
            yield batch
