"""`remit-agent record`: this desktop, for as long as the process runs.

Promises: the recording stops within a second of a pause, of an ended policy and of a signal; what
is shown of its state is what is true of it. Leaves to others: everything else, by name.
"""

import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from remit_agent.live import Live
from remit_agent.observed import Observation
from remit_agent.session import Agent
from remit_agent.spool import Spool
from remit_agent.uplink import Uplink
from remit_agent.x11 import accessible
from remit_agent.x11.camera import Camera
from remit_agent.x11.desk import Desk, Heard
from remit_agent.x11.display import Display
from remit_agent.x11.indicator import Indicator
from remit_agent.x11.tap import Tap
from remit_agent.x11.watch import Watch

_TICK_S: Final = 0.1
# What was seen is placed at once, and judged this often: judging each event apart costs more.
_JUDGE_NS: Final = 60_000_000
_MOST_AT_ONCE: Final = 200
# So much may wait before the newest is dropped: minutes of work of a stalled machine.
_MOST_WAITING: Final = 20_000
_LAST_WAIT_S: Final = 5.0


@dataclass(slots=True)
class Recorder:
    """One recording under way."""

    agent: Agent
    live: Live
    desk: Desk
    camera: Camera
    uplink: Uplink
    heard: "queue.Queue[Heard]"
    show: Callable[[str], None]
    indicator: Indicator
    stopping: threading.Event
    judged_ns: int = 0

    def run(self) -> None:
        """Record until told to stop."""
        self.uplink.start()
        shown = ""
        try:
            while not self.stopping.is_set():
                if not self._step():
                    continue
                self.indicator.tick()
                if (state := self.state()) != shown:
                    shown = state
                    self.show(state)
                    self.indicator.show(state)
                    self.uplink.wake()
        finally:
            self.live.finish(now_ns=self._now())
            self.uplink.stop(wait_s=_LAST_WAIT_S)

    def _step(self) -> bool:
        """Take what was heard; whether it was judged, too."""
        try:
            self.desk.hear(self.heard.get(timeout=_TICK_S))
            for _ in range(_MOST_AT_ONCE):
                self.desk.hear(self.heard.get_nowait())
        except queue.Empty:
            pass
        now_ns = time.monotonic_ns()
        if now_ns - self.judged_ns < _JUDGE_NS:
            return False
        self.judged_ns = now_ns
        was_open = self.live.is_open
        seen = [*self.desk.due(now_ns), *self._look(now_ns)]
        self.live.step(sorted(seen, key=lambda each: each.t_ns), now_ns=self._now())
        if self.live.is_open and not was_open:
            # What is in front was left out until now.
            self.desk.announce(time.monotonic_ns())
        return True

    def _look(self, now_ns: int) -> Iterator[Observation]:
        policy = self.agent.in_force()
        mapped = self.live.filter.mapping.find(self.desk.front) if policy else None
        own = policy.application(mapped.application) if policy and mapped else None
        if policy is not None and not self.agent.has_budget(policy):
            own = None
        return self.camera.due(now_ns, policy=policy, own=own)

    def _now(self) -> int:
        return time.monotonic_ns() - self.desk.start_ns

    def state(self) -> str:
        """Return what is true now, in the words of a heartbeat."""
        return state_of(self.agent, self.live, self.desk)


def state_of(agent: Agent, live: Live, desk: Desk) -> str:
    """Return the agent's state, and whether it may capture the window in front."""
    state = agent.state()
    if state != "capturing":
        return state
    return "capturing" if live.filter.mapping.find(desk.front) else "not-allowed"


@contextmanager
def recording(
    agent: Agent, *, show: Callable[[str], None], display_name: str | None = None
) -> Iterator[Recorder]:
    """Open everything a recording needs, and close it again."""
    heard: queue.Queue[Heard] = queue.Queue(_MOST_WAITING)

    def tell(each: Heard) -> None:
        # Where the recording cannot keep up, the newest is lost; nothing is held up by it.
        if not heard.full():
            heard.put_nowait(each)

    with ExitStack() as stack:
        display = Display(display_name)
        stack.callback(display.close)
        watch = Watch(display_name, tell)
        stack.callback(watch.close)
        tap = Tap(display_name, tell)
        stack.callback(tap.close)
        bus = accessible.connect(display, tell)
        start_ns = time.monotonic_ns()
        desk = Desk(display, watch.time(), bus, os.getpid(), start_ns)
        indicator = Indicator(display_name)
        stack.callback(indicator.close)
        live = Live(agent, agent.service.clock.now_ns(), spool=Spool(agent.home.spool))
        uplink = Uplink(agent, lambda: state_of(agent, live, desk))
        live.sealed = uplink.wake
        recorder = Recorder(
            agent, live, desk, Camera(desk), uplink, heard, show, indicator, threading.Event()
        )
        desk.look(start_ns)
        watch.start()
        tap.start()
        if bus is not None:
            stack.callback(bus.close)
            bus.start()
        yield recorder


def stop_on_signals(recorder: Recorder) -> None:
    """End the recording in order on SIGTERM and SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: recorder.stopping.set())
