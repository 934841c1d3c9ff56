"""The service as real processes in a state directory of their own, to be started and killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.infrastructure import http
from tests.infrastructure.forks import Fork, Forks
from tests.infrastructure.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
# What the surrounding test run decided must not leak into the installation under test.
_OWN = ("REMIT_", "DATABASE_URL", "REDIS_URL", "DJANGO_", "SECRET_KEY", "PORT", "PYTEST_")


class NotReadyError(Exception):
    """Something that was waited for did not come; the text holds the end of the logs."""


@dataclass
class Running:
    """One process group of an installation."""

    name: str
    process: subprocess.Popen[bytes] | Fork
    log: Path

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return self.process.poll() is None

    def kill(self) -> None:
        """End it and all its children at once, as a power cut would (SIGKILL)."""
        self._signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self, *, patience_seconds: float = 20) -> int:
        """Ask it to end (SIGTERM), insist after a while; return its exit status."""
        if self.is_alive:
            self.process.terminate()
        try:
            status = self.process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            status = -int(signal.SIGKILL)
        self._signal(signal.SIGKILL)  # Children that it left behind.
        self.process.wait(30)
        return status

    def tail(self) -> str:
        """Return the end of what it printed."""
        return f"--- {self.name}\n{self.log.read_text(errors='replace')[-3000:]}"

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


@dataclass
class Installation:
    """A state directory, an environment and the processes started in it."""

    var: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    started: list[Running] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The machine's environment without what the test run itself was given."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
        own = {"REMIT_VAR": str(self.var), "PORT": str(self.port), "PYTHONUNBUFFERED": "1"}
        own["REMIT_WORK_PLACE"] = "DE"  # At no known place nothing may be captured.
        return clean | own | self.settings

    def manage(self, *words: str, timeout_seconds: float = 120) -> str:
        """Run a management command to its end; return what it printed, raise when it failed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
        if done.returncode:
            raise NotReadyError(f"manage.py {' '.join(words)}: {done.stderr[-3000:]}")
        return done.stdout

    def step(self, module: str, *words: str) -> dict[str, Any]:
        """Run one step of a life told by a module; return the JSON that it printed."""
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            cwd=ROOT,
            env=self.environment | {"DJANGO_SETTINGS_MODULE": "governance.settings"},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def start(self, *words: str) -> Running:
        """Start `manage.py WORDS` in a process group of its own."""
        return self.run([sys.executable, "manage.py", *words], name=words[0])

    def run(
        self, command: list[str], *, name: str, forks: Forks | None = None, **environment: str
    ) -> Running:
        """Start any command with this installation's environment, and what else is given.

        Or one of Python's by a fork of a process that is in this environment already.
        """
        self.var.mkdir(parents=True, exist_ok=True)
        log = self.var.parent / f"{self.var.name}-{len(self.started)}-{name}.log"
        process = forks.start(command, log) if forks else self._run(command, log, environment)
        running = Running(name, process, log)
        self.started.append(running)
        return running

    def _run(
        self, command: list[str], log: Path, environment: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        with log.open("wb") as output:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self, *, path: str = "/healthz/ready", timeout_seconds: float = 60) -> None:
        """Wait until the path answers 200, or raise once a process has ended or time is up."""

        def answers() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return http.get(self.origin + path, timeout=5).status_code == httpx.codes.OK
            return False

        self.wait(answers, what=path, timeout_seconds=timeout_seconds)

    def wait(self, is_so: Callable[[], bool], *, what: str, timeout_seconds: float = 30) -> None:
        """Poll until `is_so()`; raise NotReadyError with the logs' ends otherwise."""
        deadline = time.monotonic() + timeout_seconds
        while not is_so():
            ended = [one.name for one in self.started[-1:] if not one.is_alive]
            if ended or time.monotonic() > deadline:
                logs = "\n".join(one.tail() for one in self.started)
                raise NotReadyError(f"waiting for {what}; ended: {ended}\n{logs}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop what runs, the latest first."""
        for running in reversed(self.started):
            running.stop()


@contextlib.contextmanager
def installation(folder: Path, **settings: str) -> Iterator[Installation]:
    """Give an installation in `folder`/var; nothing that it started outlives the block."""
    installed = Installation(folder / "var", settings)
    try:
        yield installed
    finally:
        installed.stop()
