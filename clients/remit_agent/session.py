"""The agent at work: session keys, the policy in force, batches on their way.

Promises: without a policy in force nothing is captured, and an unanswered poll never prolongs one;
a higher epoch is remembered before the policy is used, so that no older one is followed again;
batches go out in order, each until it has a final answer. Leaves to others: what to capture.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeVar
from uuid import UUID

from remit_agent import VERSION
from remit_agent.allowance import Allowance
from remit_agent.errors import AgentError, PolicyError, RefusedError, UnreachableError
from remit_agent.home import Home, Identity, Seen
from remit_agent.machine import Machine
from remit_agent.outbox import Outbox
from remit_agent.policy import Budgets, Policy, read
from remit_agent.seal import SealedBatch
from remit_agent.service import BatchStatus, Service
from remit_agent.signing import DeviceSigner, SessionSigner

T = TypeVar("T")
ATTEMPTS: Final = 6
LONGEST_WAIT_S: Final = 30.0
# What a heartbeat says this device does, and what its person reads.
STATES: Final = {
    "capturing": "Capturing",
    "paused": "Paused",
    "not-allowed": "Not allowed here",
    "no-policy": "Cannot reach policy",
}
LARGEST_STEP_NS: Final = 5_000_000_000
_MARGIN: Final = timedelta(seconds=30)


@dataclass(slots=True)
class Agent:
    """One enrolled device talking to its service."""

    home: Home
    service: Service
    identity: Identity
    policy: Policy | None = None
    # After how long to ask again when the service could not hold the question open.
    ask_again_s: float | None = None
    # Whether the last question found no service: only then does an offline lease count.
    is_offline: bool = False
    machine: Machine = field(default_factory=Machine)
    # Wall and steady time when the policy came: a lease ends by both.
    _came_ns: tuple[int, int] = (0, 0)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _session: SessionSigner | None = None
    _session_ends_ns: int = 0
    _asked_ns: int | None = None
    # Before this time the service wants no batch.
    _patient_ns: int = 0
    _allowance: Allowance | None = None
    refusals: dict[UUID, str] = field(default_factory=dict)

    @property
    def allowance(self) -> Allowance:
        """What may still be captured and sent."""
        if self._allowance is None:
            # Before the first question of a new start, what was signed last still limits it.
            limits = self.home.kept("budgets", Budgets) or Budgets()
            self._allowance = Allowance(self.home, self.service.clock, self.machine, limits)
        return self._allowance

    @property
    def outbox(self) -> Outbox:
        """The batches that wait for a final answer."""
        return Outbox(self.home.outbox)

    def has_budget(self, policy: Policy) -> bool:
        """Whether the policy's budgets leave room for more."""
        return self.allowance.has_room(policy)

    def in_force(self) -> Policy | None:
        """Return the policy that may be followed this moment: signed, current, not paused."""
        policy, now = self.policy, self.service.clock.now()
        if policy is None or self.home.is_paused or policy.is_paused(now):
            return None
        is_in_force = policy.is_in_force(now, is_offline=self.is_offline)
        return policy if is_in_force and self._has_lease(policy) else None

    def _has_lease(self, policy: Policy) -> bool:
        """Whether the lease holds by a clock that nobody can set, and the wall clock agrees."""
        wall_ns, steady_ns = self._came_ns
        passed = self.service.clock.steady() - steady_ns
        if abs(self.service.clock.now_ns() - wall_ns - passed) > LARGEST_STEP_NS:
            return False
        left = policy.ends_at(is_offline=self.is_offline).timestamp() * 1e9 - wall_ns
        return passed < left

    def state(self) -> str:
        """Return what this device is doing, in the words of a heartbeat."""
        now = self.service.clock.now()
        if self.home.is_paused or (self.policy and self.policy.is_paused(now)):
            return "paused"
        policy = self.in_force()
        if policy is None:
            return "no-policy"
        open_somewhere = any(each.open_categories for each in policy.document.applications)
        return "capturing" if open_somewhere else "not-allowed"

    def refresh(self, *, force: bool = False, wait_s: int = 0) -> None:
        """Ask for the policy when the poll interval has passed; a refused one is dropped.

        A service that cannot be reached leaves the old policy in force until its lease ends. A
        policy that may not be followed leaves none (PolicyError). `wait_s` lets the service hold
        the question open until something changes.
        """
        if self.policy is not None and not self._has_lease(self.policy):
            # Expired, or the clock was set: only a whole new answer helps, no 304.
            self.policy = None
        now_ns = self.service.clock.now_ns()
        interval_s = self.policy.document.poll.interval_s if self.policy else 0
        if not force and self._asked_ns and now_ns - self._asked_ns < interval_s * 10**9:
            return
        self._asked_ns = now_ns
        try:
            etag = self.policy.etag if self.policy else None
            answer = self._in_session(
                lambda key: self.service.policy(signer=key, etag=etag, wait_s=wait_s)
            )
        except UnreachableError as error:
            self.is_offline = error.is_away
            if self.policy is None:
                raise
            return
        except RefusedError:
            self.policy = None
            raise
        self.is_offline = False
        self.ask_again_s = answer.ask_again_s
        if answer.envelope is not None:
            self._follow(answer.envelope, answer.etag)

    def _follow(self, envelope: bytes, etag: str | None) -> None:
        clock = self.service.clock
        try:
            policy = read(
                envelope,
                etag=etag,
                keys=self.home.verify_keys(),
                device_id=self.identity.device_id,
                seen=self.home.seen(),
                now=clock.now(),
            )
        except PolicyError:
            self.policy = None
            raise
        document = policy.document
        self.home.remember(
            Seen(document.policy_epoch, document.consent_epoch, document.issued_at.timestamp())
        )
        self._came_ns = (clock.now_ns(), clock.steady())
        # Rotation: a document signed by a pinned key says which keys are pinned next.
        if any(key.alg == "ed25519" for key in document.verify_keys):
            self.home.pin(document.verify_keys)
        if document.budgets != self.home.kept("budgets", Budgets):
            self.home.keep("budgets", document.budgets)
        self.policy = policy
        self.allowance.budgets = document.budgets

    def session(self) -> SessionSigner:
        """Return a session key that holds a while longer, opening one when needed."""
        with self._lock:
            if self._session is None or self.service.clock.now_ns() >= self._session_ends_ns:
                self._session, ends = self.service.open_session(signer=self.device())
                self._session_ends_ns = int((ends - _MARGIN).timestamp() * 1e9)
            return self._session

    def _in_session(self, ask: Callable[[SessionSigner], T]) -> T:
        """Ask under the session key; once more under a new one when the service forgot the old."""
        self.allowance.check_network()
        try:
            return ask(self.session())
        except RefusedError as error:
            if error.problem != "signature-invalid":
                raise
        self._session = None
        return ask(self.session())

    def device(self) -> DeviceSigner:
        """Return the device's own key as a signer."""
        return DeviceSigner(self.identity.device_id, self.home.device_key())

    def heartbeat(self, *, state: str | None = None) -> None:
        """Tell the service what this device does; ask for the policy when it has moved on."""
        seen = self.home.seen()
        body: dict[str, str | int] = {
            "policy_epoch": seen.policy_epoch,
            "consent_epoch": seen.consent_epoch,
            "state": state or self.state(),
            "agent_version": VERSION,
        }
        epochs = self._in_session(lambda key: self.service.heartbeat(signer=key, body=body))
        current = (epochs.policy_epoch, epochs.consent_epoch)
        if current != (seen.policy_epoch, seen.consent_epoch):
            self.refresh(force=True)

    def send(self, batch: SealedBatch) -> str:
        """Send a batch after all that waited before it; return sent, pending, or the problem."""
        self.outbox.put(batch)
        self.flush()
        if batch.batch_id in self.refusals:
            return self.refusals[batch.batch_id]
        waiting = {each.batch_id for each in self.outbox}
        return "pending" if batch.batch_id in waiting else "sent"

    def flush(self) -> int:
        """Send what waits, oldest first, and return how many were taken.

        It stops at no answer, and where a budget says so; what is left goes out another time.
        """
        sent = 0
        if self.service.clock.now_ns() < self._patient_ns:
            return sent
        for waiting in self.outbox:
            try:
                if not self._upload(waiting.batch_id, waiting.wire()):
                    return sent
            except UnreachableError:
                return sent
            except RefusedError as error:
                self.refusals[waiting.batch_id] = error.problem
                waiting.done()
                if error.problem == "consent-withdrawn":
                    # What waited was captured under the consent that ended (standards.md §7.3).
                    for each in self.outbox:
                        self.refusals[each.batch_id] = error.problem
                    self.outbox.destroy()
                    return sent
                continue
            waiting.done()
            sent += 1
        return sent

    def _upload(self, batch_id: UUID, wire: bytes) -> bool:
        """Send one batch until there is an answer; False when the day's volume has no room."""
        for attempt in range(ATTEMPTS):
            self.allowance.check_network()
            if not self.allowance.may_send(len(wire)):
                return False
            was_sent = True
            try:
                self.service.upload(signer=self.device(), batch_id=batch_id, wire=wire)
            except UnreachableError as error:
                was_sent = error.was_sent
                if attempt == ATTEMPTS - 1 or self._is_put_off(error):
                    raise
                self.service.clock.sleep(_pause_s(attempt, error.retry_after_s))
            else:
                return True
            finally:
                if was_sent:
                    self.allowance.sent(len(wire))
        return False

    def _is_put_off(self, error: UnreachableError) -> bool:
        """Whether the service wants nothing for longer than one waits; remember until when."""
        if error.retry_after_s is None or error.retry_after_s <= LONGEST_WAIT_S:
            return False
        self._patient_ns = self.service.clock.now_ns() + int(error.retry_after_s * 1e9)
        return True

    def status(self, batch_id: UUID) -> BatchStatus:
        """Return how a batch ended, or that it has not yet."""
        return self._in_session(lambda key: self.service.status(signer=key, batch_id=batch_id))


def _pause_s(attempt: int, asked_s: float | None) -> float:
    """Return how long to wait: what the service asked, else doubling; jitter spreads a crowd."""
    base = asked_s if asked_s is not None else 0.25 * 2.0**attempt
    return min(LONGEST_WAIT_S, base) * (1 + secrets.randbelow(250) / 1000)


def may_capture(agent: Agent) -> Policy:
    """Return the policy in force, or raise the one line that says why there is none."""
    if agent.home.is_paused:
        raise AgentError("Capture is paused on this device: `remit-agent resume` ends it.")
    if agent.policy and agent.policy.is_paused(agent.service.clock.now()):
        raise AgentError("Capture is paused in the portal.")
    policy = agent.in_force()
    if policy is None:
        raise PolicyError("No policy is in force, so nothing is captured.")
    return policy
