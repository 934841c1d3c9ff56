"""`remit-conformance --agent COMMAND [CASE ...]`: 0 when the agent obeys in every case."""

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
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

    def tell(self, line: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(line) + "\n")
            self.process.stdin.flush()
            answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        except (OSError, ValueError) as error:
            raise SilentError(f"The agent did not answer {line['do']!r}.") from error
        return answer

    def end(self) -> None:
        self.process.communicate(timeout=PATIENCE_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=PATIENCE_S)


@dataclass
class Command:
    """An agent that is a command."""

    words: Sequence[str]

    def enrol(self, *, server: AgentServer, home: Path) -> None:
        argv = ["enrol", "--server", server.origin, "--code", "GOOD-CODE", "--home", str(home)]
        done = subprocess.run(  # noqa: S603 - the command that was asked for.
            [*self.words, *argv], check=False, timeout=PATIENCE_S, capture_output=True
        )
        if done.returncode:
            raise SilentError("The agent could not be enrolled.")

    def talk(self, *, server: AgentServer, home: Path) -> Talk:
        del server
        return Process(
            subprocess.Popen(  # noqa: S603 - the command that was asked for.
                [*self.words, "observe", "--home", str(home)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
        )  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """Play the cases that are named, or all; print one line for each."""
    parser = argparse.ArgumentParser(prog="remit-conformance", description=__doc__)
    parser.add_argument("--agent", required=True, help="the command of the agent under test")
    parser.add_argument("case", nargs="*", help="only cases whose name holds one of these")
    chosen = parser.parse_args(argv)
    wanted = [c for c in cases() if not chosen.case or any(w in c["name"] for w in chosen.case)]
    failed = sum(not _passes(case, Command(shlex.split(chosen.agent))) for case in wanted)
    print(f"{len(wanted) - failed} passed, {failed} failed")
    return 1 if failed or not wanted else 0


def _passes(case: dict[str, Any], agent: Command) -> bool:
    with serving([application()], clock=fresh_clock()) as server:
        try:
            wrong = run(case, agent=agent, server=server)
        except (SilentError, subprocess.TimeoutExpired) as error:
            wrong = [str(error)]
    print(f"{'FAIL' if wrong else 'ok'}  {case['name']} ({', '.join(case['proves'])})")
    for each in wrong:
        print(f"      {each}")
    return not wrong


def entry() -> NoReturn:
    """Run as a console script."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    entry()
