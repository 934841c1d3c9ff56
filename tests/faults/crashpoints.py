"""Where a process may die: before and after each SQL statement, each COMMIT, each file effect.

An operation runs in a forked child. Every point it passes is numbered; at the point asked for,
something happens to it: the child is killed (SIGKILL, as a power cut or the OOM killer does), or
it stops until somebody else has done their work. What it left behind is for the parent to judge.
"""

import contextlib
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

Act = Callable[[], None]
ALIASES = ("default", "keys")
# What leaves a mark on the disk without SQL: key files and ciphertext objects.
FILE_EFFECTS = ("fsync", "link", "unlink", "rename", "replace", "mkdir")


@dataclass(slots=True)
class Points:
    """Counts the points that an operation passes and acts at one of them."""

    at: int | None = None
    do: Act = lambda: None
    labels: list[str] = field(default_factory=list)

    def passes(self, label: str) -> None:
        """Pass one point."""
        if self.at == len(self.labels):
            self.do()
        self.labels.append(label)


@contextlib.contextmanager
def watched(points: Points) -> Iterator[None]:
    """Number everything that this process does to databases and files inside the block."""
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        for alias in ALIASES:
            stack.enter_context(connections[alias].execute_wrapper(_statements(points, alias)))
        patch.setattr(BaseDatabaseWrapper, "_commit", _commits(points))
        for name in FILE_EFFECTS:
            patch.setattr(os, name, _effect(points, name, getattr(os, name)))
        yield


def _statements(points: Points, alias: str) -> Callable[..., Any]:
    def statement(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        label = f"{alias}: {' '.join(str(sql).split())[:70]}"
        points.passes(f"before {label}")
        answer = execute(sql, params, many, context)
        points.passes(f"after {label}")
        return answer

    return statement


def _commits(points: Points) -> Callable[[BaseDatabaseWrapper], Any]:
    """Wrap COMMIT, which no execute wrapper sees."""
    commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined] # Django's own; no stub.

    def committed(self: BaseDatabaseWrapper) -> Any:
        points.passes(f"before {self.alias}: COMMIT")
        answer = commit(self)
        points.passes(f"after {self.alias}: COMMIT")
        return answer

    return committed


def _effect(points: Points, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def effect(*args: Any, **named: Any) -> Any:
        label = f"file: {name} {Path(args[0]).name if isinstance(args[0], str | Path) else ''}"
        points.passes(f"before {label}")
        answer = real(*args, **named)
        points.passes(f"after {label}")
        return answer

    return effect


def die() -> None:
    """End this process as SIGKILL does: nothing is closed, rolled back or said."""
    os.kill(os.getpid(), signal.SIGKILL)


def forked(act: Act, *, log: Path) -> int:
    """Run `act` in a child process without a connection of ours; return its pid."""
    for alias in ALIASES:
        connections[alias].close()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        act()
        for alias in ALIASES:
            connections[alias].close()
        status = 0
    except BaseException:  # noqa: BLE001 - It is the edge of a process.
        log.write_text(traceback.format_exc())
    finally:
        os._exit(status)


def ended(pid: int) -> str:
    """Wait for a child; return "done", "killed" or "failed"."""
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return "killed"
    return "done" if os.WEXITSTATUS(status) == 0 else "failed"
