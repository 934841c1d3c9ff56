"""Keeps a set of child processes running and stops them all together.

Promise: no child outlives this process, not even when it is killed (Linux sends each child a
SIGTERM then); a child that ends is started again, later each time; stopping asks every child,
waits, and ends by force what did not listen, grandchildren included. Needs no terminal.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30.0
_STEADY_SECONDS: Final = 60.0
_TICK_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 10.0

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    `once`: not started again when it ended well. `speaks`: shares our stdout. `stays`: is stopped
    only after all others, because they may still need it.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    once: bool = False
    speaks: bool = False
    stays: bool = False


@dataclass(slots=True)
class _Child:
    program: Program
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    start_again_at: float | None = 0.0
    pause_seconds: float = _FIRST_PAUSE_SECONDS


class Supervisor:
    """Runs programs in the order given; stops those that stay after all the others."""

    def __init__(self, programs: Sequence[Program], *, say: Callable[[str], None]) -> None:
        self._children = [_Child(program) for program in programs]
        self._say = say
        self._stop = Event()

    def stop(self) -> None:
        """End `run` soon; safe to call from a signal handler."""
        self._stop.set()

    def run(self, *, each_tick: Callable[[], None] = lambda: None) -> None:
        """Keep everything running until `stop` or a SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        try:
            while not self._stop.is_set():
                for child in self._children:
                    self._tend(child)
                each_tick()
                self._stop.wait(_TICK_SECONDS)
        finally:
            self._end_all()

    def _tend(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if child.start_again_at is not None and now >= child.start_again_at:
                self._start(child, now)
            return
        code = child.process.poll()
        if code is None:
            return
        _kill_group(child.process.pid)
        child.process = None
        if child.program.once and code == 0:
            child.start_again_at = None
            return
        if now - child.started_at >= _STEADY_SECONDS:
            child.pause_seconds = _FIRST_PAUSE_SECONDS
        child.start_again_at = now + child.pause_seconds
        self._say(
            f"{child.program.name} ended ({_words(code)}); "
            f"it starts again in {child.pause_seconds:g} s"
        )
        child.pause_seconds = min(child.pause_seconds * 2, _LONGEST_PAUSE_SECONDS)

    def _start(self, child: _Child, now: float) -> None:
        child.process = subprocess.Popen(  # noqa: S603 - The command is ours.
            child.program.command,
            env=os.environ | dict(child.program.environment),
            stdin=subprocess.DEVNULL,
            # What a child has to say goes to our stderr; only the story belongs to our own words.
            stdout=None if child.program.speaks else sys.stderr.fileno(),
            # A group of its own: Ctrl-C reaches us alone, and we end the others in order.
            process_group=0,
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - One prctl call, and no threads here.
        )
        child.started_at = now
        child.start_again_at = None

    def _end_all(self) -> None:
        for staying in (False, True):
            wave = [child for child in self._children if child.program.stays is staying]
            running = [(child.program.name, child.process) for child in wave if child.process]
            for _, process in running:
                process.terminate()
            deadline = time.monotonic() + _PATIENCE_SECONDS
            for name, process in running:
                self._end(name, process, seconds=max(0.1, deadline - time.monotonic()))
            for child in wave:
                child.process = None

    def _end(self, name: str, process: "subprocess.Popen[bytes]", *, seconds: float) -> None:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._say(f"{name} does not stop; it is ended by force")
        _kill_group(process.pid)
        process.wait()


def _die_with(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # It died between fork and prctl.
            os._exit(1)

    return prepare


def _kill_group(leader: int) -> None:
    """End what a child left behind; its group still has its number."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _words(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"status {code}"
