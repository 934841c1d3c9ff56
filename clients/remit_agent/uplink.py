"""The agent's talk with its service while it records: two threads beside the recording.

Promises: one thread holds the question for the policy open (long poll), so that a withdrawal is
known here as soon as the service says so; the other sends what waits and says what this device
does; neither ever holds up the recording or a pause. Without an answer the old policy runs out by
itself. Leaves to others: what a policy allows.
"""

import contextlib
import threading
from collections.abc import Callable
from typing import Final

from remit_agent.errors import AgentError, PolicyError, RefusedError, UnreachableError
from remit_agent.session import Agent

HEARTBEAT_S: Final = 15.0
_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 20.0
_SOONEST_S: Final = 0.2


class Uplink:
    """Polls, sends and says. `is_reachable` tells whether the last question was answered."""

    def __init__(self, agent: Agent, state: Callable[[], str]) -> None:
        self.agent = agent
        self.state = state
        self.is_reachable = True
        self.is_refused = False
        self.changed = threading.Event()
        self._stop = threading.Event()
        self._work = threading.Event()
        self._threads = [
            threading.Thread(target=each, name=f"remit-{each.__name__.strip('_')}", daemon=True)
            for each in (self._poll, self._send)
        ]

    def start(self) -> None:
        """Begin to talk."""
        for each in self._threads:
            each.start()

    def stop(self, *, wait_s: float) -> None:
        """Send what can still be sent, and end."""
        self._stop.set()
        self._work.set()
        self._threads[1].join(wait_s)

    def wake(self) -> None:
        """Say that a batch waits, or that this device's state changed."""
        self._work.set()

    def _poll(self) -> None:
        pause_s = _FIRST_WAIT_S
        while not self._stop.is_set():
            before = self.agent.policy
            wait_s = before.document.poll.wait_s if before else 0
            asked_ns = self.agent.service.clock.steady()
            try:
                self.agent.refresh(force=True, wait_s=wait_s)
            except UnreachableError:
                self.is_reachable = False
            except (PolicyError, RefusedError) as error:
                self.is_reachable = True
                self.is_refused = isinstance(error, RefusedError)
            else:
                self.is_reachable, self.is_refused, pause_s = True, False, _SOONEST_S
                if self.agent.policy is before and before is not None:
                    # The question was not held open: ask again as often as the policy says.
                    took_s = (self.agent.service.clock.steady() - asked_ns) / 1e9
                    pause_s = max(_SOONEST_S, self._interval() - took_s)
            self.changed.set()
            self._stop.wait(pause_s)
            pause_s = min(_LONGEST_WAIT_S, max(_FIRST_WAIT_S, pause_s * 2))

    def _interval(self) -> float:
        policy = self.agent.policy
        if self.agent.ask_again_s is not None:
            return max(_SOONEST_S, self.agent.ask_again_s)
        return float(policy.document.poll.interval_s) if policy else _FIRST_WAIT_S

    def _send(self) -> None:
        told = ""
        while True:
            is_last = self._stop.is_set()
            is_due = not self._work.wait(0 if is_last else HEARTBEAT_S)
            self._work.clear()
            with contextlib.suppress(AgentError):
                self.agent.flush()
            state = self.state()
            if is_due or state != told:
                with contextlib.suppress(AgentError):
                    self.agent.heartbeat(state=state)
                    told = state
            if is_last:
                return
