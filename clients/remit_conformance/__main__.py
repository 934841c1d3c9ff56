"""`remit-conformance --agent COMMAND [CASE ...]`: 0 when the agent obeys in every case."""

import argparse
import contextlib
import json
import queue
import shlex
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from remit_conformance.runner import Talk, application, cases, fresh_clock, run
from remit_conformance.service import AgentServer
from remit_conformance.serving import serving

PATIENCE_S: Final = 30


class SilentError(Exception):
    """The agent did not answer a line."""


@dataclass
class Process:
    """`observe` as a process."""

    process: subprocess.Popen[str]
    patience_s: float

    def __post_init__(self) -> None:
        """Read what the agent answers on a thread, so that nobody waits for it for ever."""
        self.answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.answers.put(line)
        self.answers.put("")

    def tell(self, line: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(line) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.answers.get(timeout=self.patience_s))
        except (OSError, ValueError, queue.Empty) as error:
            raise SilentError(f"The agent did not answer {json.dumps(line)}.") from error
        if not isinstance(answer, dict) or "state" not in answer:
            raise SilentError(f"The agent's answer to {json.dumps(line)} names no state.")
        return answer

    def end(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.wait(self.patience_s)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(self.patience_s)


@dataclass
class Command:
    """An agent that is a command."""

    words: Sequence[str]
    patience_s: float
    talks: list[Process] = field(default_factory=list)

    def enrol(self, *, server: AgentServer, home: Path) -> None:
        argv = ["enrol", "--server", server.origin, "--code", "GOOD-CODE", "--home", str(home)]
        done = subprocess.run(  # noqa: S603 - the command that was asked for.
            [*self.words, *argv], check=False, timeout=self.patience_s, capture_output=True
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise SilentError(f"The agent could not be enrolled: {said or 'it does not say why'}")

    def talk(self, *, server: AgentServer, home: Path) -> Talk:
        del server
        process = subprocess.Popen(  # noqa: S603 - the command that was asked for.
            [*self.words, "observe", "--home", str(home)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.talks.append(Process(process, self.patience_s))
        return self.talks[-1]

    def leave(self) -> None:
        """End what a case that broke off left running."""
        for each in self.talks:
            if each.process.poll() is None:
                each.kill()


def main(argv: Sequence[str]) -> int:
    """Play the cases that are named, or all; print one line for each."""
    parser = argparse.ArgumentParser(prog="remit-conformance", description=__doc__)
    parser.add_argument("--agent", required=True, help="the command of the agent under test")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, metavar="SECONDS", help="for one answer"
    )
    parser.add_argument("case", nargs="*", help="only cases whose name holds one of these")
    chosen = parser.parse_args(argv)
    wanted = [c for c in cases() if not chosen.case or any(w in c["name"] for w in chosen.case)]
    words = shlex.split(chosen.agent)
    failed = sum(not _passes(case, Command(words, chosen.patience)) for case in wanted)
    print(f"{len(wanted) - failed} passed, {failed} failed")
    return 1 if failed or not wanted else 0


def _passes(case: dict[str, Any], agent: Command) -> bool:
    with serving([application()], clock=fresh_clock()) as server:
        try:
            wrong = run(case, agent=agent, server=server)
        except (SilentError, subprocess.TimeoutExpired) as error:
            wrong = [str(error)]
        finally:
            agent.leave()
    print(f"{'FAIL' if wrong else 'ok'}  {case['name']} ({', '.join(case['proves'])})")
    for each in wrong:
        print(f"      {each}")
    return not wrong


def entry() -> NoReturn:
    """Run as a console script."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    entry()
