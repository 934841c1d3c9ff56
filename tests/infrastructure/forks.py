"""Python programs as forks of one process that has read their code: started often, read once.

    python -m tests.infrastructure.forks MODULE ...

reads the modules, then lines of JSON: ["start", command, log] is answered with a process id,
["status", process id] with an exit status, or null while it runs. What is started is a process
group of its own with nothing on its standard input; it ends as any Python program ends.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TextIO

_PAUSE_SECONDS = 0.01


@dataclass(slots=True)
class Fork:
    """One such program, to be handled as `subprocess.Popen` is."""

    pid: int
    args: Sequence[str]
    _forks: "Forks"
    returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit status, or None while it runs."""
        if self.returncode is None:
            self.returncode = self._forks.ask("status", self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return its exit status, or raise subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(list(self.args), timeout or 0.0)
            time.sleep(_PAUSE_SECONDS)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end (SIGTERM)."""
        self.send_signal(signal.SIGTERM)


@dataclass(slots=True)
class Forks:
    """The process that has read the modules, and what it is asked; any thread may ask."""

    modules: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    _process: "subprocess.Popen[str] | None" = None
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def start(self, command: Sequence[str], log: Path) -> Fork:
        """Start what `python` and more words would start; what it prints goes into the file."""
        assert command[0] == sys.executable
        return Fork(self.ask("start", list(command[1:]), str(log)), command, self)

    def ask(self, *words: Any) -> Any:
        """Ask; the process is started when it is first asked."""
        with self._asking:
            process = self._process = self._process or self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(words) + "\n")
            process.stdin.flush()
            if not (answer := process.stdout.readline()):
                raise RuntimeError(f"What forks has ended ({process.wait()}).")
            return json.loads(answer)

    def _started(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tests.infrastructure.forks", *self.modules],
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def end(self) -> None:
        """Let it end, whatever it started; it reads to the end of its input."""
        if self._process is not None:
            self._process.communicate(timeout=30)
            self._process = None


def main(*modules: str) -> None:
    """Fork what is asked for until there are no more lines."""
    import django

    django.setup()
    for module in modules:
        importlib.import_module(module)
    # A collection in a fork would touch, and so copy, every page that it shares with the others.
    gc.collect()
    gc.freeze()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    for line in sys.stdin:
        asked, *given = json.loads(line)
        if asked == "status":
            answer = _status(*given)
        elif os.fork():
            continue  # The fork answers itself, once it can be signalled as a group.
        else:
            _become(answers, *given)
        answers.write(f"{json.dumps(answer)}\n")
        answers.flush()


_ended: dict[int, int] = {}


def _status(pid: int) -> int | None:
    if pid not in _ended:
        found, status = os.waitpid(pid, os.WNOHANG)
        if not found:
            return None
        _ended[pid] = os.waitstatus_to_exitcode(status)
    return _ended[pid]


def _become(answers: TextIO, words: Sequence[str], log: str) -> NoReturn:
    """Be the program in this fork, from its first line to its last."""
    os.setsid()
    # What `ps` and `top` call it: else it has the name of what it was forked from.
    Path("/proc/self/comm").write_text(Path(log).stem[:15])
    empty = os.open(os.devnull, os.O_RDONLY)
    printed = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for source, target in ((empty, 0), (printed, 1), (printed, 2)):
        os.dup2(source, target)
    for descriptor in (empty, printed):
        os.close(descriptor)
    answers.write(f"{os.getpid()}\n")
    answers.close()
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - It lasts as long as the process.
    if words[0] == "-m":
        sys.argv = [words[1], *words[2:]]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(words)
        runpy.run_path(words[0], run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    main(*sys.argv[1:])
