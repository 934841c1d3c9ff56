"""A live recording: from observations to sealed batches, while it happens.

Promises: an observation is kept only under every policy that was in force from its moment until it
was judged, and what is kept is looked at again when the policy changes before it is sealed; a pause
stops it within a tenth of a second and asks nobody; what is not kept is nowhere; a session does not
outlive the consent it was begun under, whose end may destroy what the service knows of it. Leaves
to others: seeing (`x11`), sending (`uplink`).
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from remit_agent.errors import BatchTooLargeError
from remit_agent.filter import Filter, Kept, LeftOut, Outcome
from remit_agent.ids import uuid7
from remit_agent.mapping import FromPolicy
from remit_agent.observed import Observation
from remit_agent.policy import Policy
from remit_agent.replay import within_budget
from remit_agent.seal import Chain, SealedBatch, seal
from remit_agent.sequence import Numbered, Session, Timeline
from remit_agent.session import Agent
from remit_agent.settle import Settled, Settler
from remit_agent.spool import Head, Left, Spool

STRETCH_NS: Final = 5_000_000_000
TYPING_PAUSE_NS: Final = 1_500_000_000
MAX_KEPT: Final = 1500
_TYPED: Final = frozenset({"keystroke-text", "keystroke-timing"})


@dataclass(slots=True)
class Live:
    """One capture session. Times are nanoseconds since `start_ns` (wall) of the session."""

    agent: Agent
    start_ns: int
    sealed: Callable[[], None] = lambda: None
    settler: Settler = field(default_factory=Settler)
    filter: Filter = field(default_factory=lambda: Filter(FromPolicy()))
    spool: Spool | None = None
    session_id: UUID = field(default_factory=uuid7)
    kept: list[Outcome] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    batches: list[UUID] = field(default_factory=list)
    _previous_digest: str | None = None
    _policy: Policy | None = None
    # From when on which policy was in force, as far back as anything still waits.
    _history: deque[tuple[int, Policy | None]] = field(default_factory=deque)
    _session: Session | None = None
    _first_ns: int = 0
    _typed_ns: int | None = None
    _saved: int = 0
    # Why there was no policy the last time that there was none.
    _closed: str = "app_not_allowed"

    @property
    def session(self) -> Session:
        """The numbering of this session."""
        if self._session is None:
            self._session = Session(Timeline(self.start_ns))
        return self._session

    @property
    def is_open(self) -> bool:
        """Whether a policy is in force, as far as the last step knew."""
        return bool(self._history) and self._history[-1][1] is not None

    def step(self, seen: Iterable[Observation], *, now_ns: int) -> None:
        """Take what was seen until now; judge what is settled; seal what is due."""
        self._look_at_policy(now_ns)
        for each in seen:
            self.settler.take(each)
        for settled in self.settler.due(now_ns):
            self._judge(settled)
        while len(self._history) > 1 and self._history[1][0] < now_ns - self._oldest(now_ns):
            self._history.popleft()
        if self._is_due(now_ns):
            self.close_stretch()
        self._save()

    def _save(self) -> None:
        """Put on disk what was kept since the last time, encrypted."""
        if self.spool is None:
            return
        fresh = [each for each in self.kept[self._saved :] if isinstance(each, Kept)]
        self._saved = len(self.kept)
        session = self.session
        head = Head(
            self.session_id,
            self.start_ns,
            session.next_seq,
            session.last_ns,
            self._previous_digest,
            self._policy.document.consent_epoch if self._policy else 0,
        )
        self.spool.append(fresh, head=head)

    def recover(self, left: Left, policy: Policy) -> None:
        """Seal what an agent that was killed had kept, as far as the policy still allows it."""
        waiting = {each.batch_id for each in self.agent.outbox}
        kept = [each for each in left.kept if _is_open(each, policy)]
        if kept and not waiting.intersection(left.sealing):
            session = Session(Timeline(left.head.start_ns))
            if left.head.consent_epoch == policy.document.consent_epoch:
                self.session_id = left.head.session_id
                self._previous_digest = left.head.previous_digest
                session.next_seq, session.last_ns = left.head.next_seq, left.head.last_ns
            outcomes: list[Outcome] = [*kept, LeftOut(kept[-1].t_ns, "agent_fault", "input")]
            events = session.number(outcomes, policy_digest=policy.digest, is_last=True)
            for batch in within_budget(events, policy.document.budgets.max_batch_events):
                for each in self._seal(batch, policy):
                    self.agent.outbox.put(each)
            self._begin_anew()
        left.path.unlink(missing_ok=True)

    def finish(self, *, now_ns: int) -> None:
        """Judge all that waits and seal it: the recording ends."""
        for settled in self.settler.due(now_ns + 2 * self.settler.lag_ns):
            self._judge(settled)
        self.close_stretch(is_last=True)

    def _oldest(self, now_ns: int) -> int:
        waiting = self.settler.waiting
        first = waiting[0].observation.t_ns if waiting else now_ns
        return now_ns - first + 2_000_000_000

    def _look_at_policy(self, now_ns: int) -> None:
        """Note a change of policy; what is kept and not yet sealed must be allowed by the new."""
        policy = self.agent.in_force()
        if self._history and policy is self._history[-1][1]:
            return
        self._history.append((now_ns, policy))
        if policy is None:
            self._closed = "paused" if self.agent.state() == "paused" else "app_not_allowed"
            # What was kept was allowed when it happened; it is sealed as it stands.
            self.close_stretch()
            return
        if self._policy is None and self.spool is not None:
            for left in self.spool.left():
                self.recover(left, policy)
        if self._policy is not None and _epochs(policy) != _epochs(self._policy):
            self._keep_only(policy)
            if policy.document.consent_epoch != self._policy.document.consent_epoch:
                self._begin_anew()
        self._policy = policy
        mapping = self.filter.mapping
        if isinstance(mapping, FromPolicy):
            mapping.policy = policy

    def _begin_anew(self) -> None:
        """Begin another session, which counts from 0: nothing of the former is missing in it."""
        self.session_id, self._previous_digest, self._session = uuid7(), None, None

    def _keep_only(self, policy: Policy) -> None:
        before = len(self.kept)
        self.kept = [
            each for each in self.kept if isinstance(each, LeftOut) or _is_open(each, policy)
        ]
        self.dropped["category_denied"] += before - len(self.kept)
        if self.spool is not None:
            self.spool.end()
        self._saved = 0

    def _policies(self, t_ns: int) -> list[Policy]:
        """Return every policy in force from a moment until now; none when there was none once."""
        found: list[Policy] = []
        for position, (since, policy) in enumerate(self._history):
            is_over = position + 1 < len(self._history) and self._history[position + 1][0] <= t_ns
            if is_over:
                continue
            if policy is None or (position == 0 and since > t_ns):
                return []
            found.append(policy)
        return found

    def _judge(self, settled: Settled) -> None:
        policies = self._policies(settled.observation.t_ns)
        if not policies or not self.agent.has_budget(policies[-1]):
            reason = "budget" if policies else self._closed
            self._add(LeftOut(settled.observation.t_ns, reason, "input"))
            return
        for outcome in self.filter.apply([settled], policies):
            self._add(outcome)

    def _add(self, outcome: Outcome) -> None:
        if isinstance(outcome, LeftOut):
            self.dropped[outcome.reason] += 1
            last = self.kept[-1] if self.kept else None
            if isinstance(last, LeftOut) and last.reason == outcome.reason:
                return
        else:
            if not any(isinstance(each, Kept) for each in self.kept):
                self._first_ns = outcome.t_ns
            if outcome.category in _TYPED:
                self._typed_ns = outcome.t_ns
        self.kept.append(outcome)

    def _is_due(self, now_ns: int) -> bool:
        """Whether a stretch ends: after five seconds, but not while someone types."""
        if not any(isinstance(each, Kept) for each in self.kept):
            return False
        is_resting = self._typed_ns is None or now_ns - self._typed_ns > TYPING_PAUSE_NS
        is_long = now_ns - self._first_ns >= STRETCH_NS
        return len(self.kept) >= MAX_KEPT or (is_long and is_resting)

    def close_stretch(self, *, is_last: bool = False) -> None:
        """Give what is kept its numbers, seal it, and queue it."""
        outcomes, self.kept, self._saved = self.kept, [], 0
        policy = self._policy
        if policy is None:
            return
        events = self.session.number(outcomes, policy_digest=policy.digest, is_last=is_last)
        made: list[SealedBatch] = []
        for batch in within_budget(events, policy.document.budgets.max_batch_events):
            made += self._seal(batch, policy)
        if self.spool is not None:
            self.spool.sealing([each.batch_id for each in made])
        for each in made:
            self.agent.outbox.put(each)
        if self.spool is not None:
            self.spool.end()
        if made:
            self.sealed()

    def _seal(self, events: Sequence[Numbered], policy: Policy) -> list[SealedBatch]:
        chain = Chain(
            device_id=self.agent.identity.device_id,
            session_id=self.session_id,
            previous_digest=self._previous_digest,
        )
        now_ns = self.agent.service.clock.now_ns()
        try:
            batch = seal(events, policy=policy, chain=chain, now_ns=now_ns)
        except BatchTooLargeError:
            if len(events) == 1:
                self.dropped["budget"] += 1
                return []
            half = len(events) // 2
            return [*self._seal(events[:half], policy), *self._seal(events[half:], policy)]
        self.agent.allowance.captured(len(batch.wire))
        self.batches.append(batch.batch_id)
        self._previous_digest = batch.digest
        self.events.update(each.category or "control" for each in events)
        return [batch]


def _epochs(policy: Policy) -> tuple[int, int]:
    return policy.document.policy_epoch, policy.document.consent_epoch


def _is_open(kept: Kept, policy: Policy) -> bool:
    application = policy.application(kept.application)
    return application is not None and kept.category in application.open_categories
