"""What the tests do inside an installation under test, in processes of their own.

    python -m tests.faults.aside FOLDER

reads lines of JSON: a file for what is printed, and the words of a step. Each step is done by a
child that is forked for it, so that Django starts once and no step sees what another left in
memory; the answer is a line with the child's exit status.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from tests.infrastructure.processes import Installation


class FailedError(Exception):
    """A step failed; the text holds the end of what it said."""


@dataclass
class Asides:
    """The processes that do such steps, one for each environment that was asked for."""

    installed: "Installation"
    folder: Path
    _running: dict[tuple[tuple[str, str], ...], "subprocess.Popen[str]"] = field(
        default_factory=dict
    )

    def do(self, *words: str, **environment: str) -> str:
        """Do a step; return what it printed, raise when it failed."""
        printed = self.folder.with_name("printed")
        process = self._process(environment)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([str(printed), *words]) + "\n")
        process.stdin.flush()
        status = process.stdout.readline()
        text = printed.read_text()
        if status != "0\n":
            raise FailedError(f"{words} ended with {status!r}\n{text[-3000:]}")
        return text

    def _process(self, environment: dict[str, str]) -> "subprocess.Popen[str]":
        key = tuple(sorted(environment.items()))
        if key not in self._running:
            self._running[key] = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.aside", str(self.folder)],
                env=self.installed.environment | environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        return self._running[key]

    def end(self) -> None:
        """End them all: they read to the end of their input."""
        for process in self._running.values():
            process.communicate(timeout=30)
        self._running.clear()


def main(folder: str) -> None:
    """Do steps until there are no more lines."""
    django.setup()
    from tests.faults import aside_steps

    for line in sys.stdin:
        printed, step, *words = json.loads(line)
        do: Any = getattr(aside_steps, step)
        pid = os.fork()
        if not pid:
            _do(do, printed, Path(folder), *words)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _do(do: Any, printed: str, *words: Any) -> None:
    """Do a step in this child, and end it."""
    import traceback

    file = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    status = 1
    try:
        do(*words)
        status = 0
    except BaseException:  # noqa: BLE001 - It is the edge of a process.
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])
