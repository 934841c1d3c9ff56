"""Kills an operation as it enters a system call that writes: what SQLite does between statements.

strace is attached to a child that waits, and kills it at the call asked for. Only where strace is
installed and may attach.
"""

import os
import shutil
import subprocess
from pathlib import Path

from tests.faults.crashpoints import Act, ended, forked

CALLS = "pwrite64,write,fdatasync,fsync,ftruncate,unlink,rename,link,mkdir"


def available() -> bool:
    """Whether strace is here and may look at a child of ours."""
    if shutil.which("strace") is None:
        return False
    probe = ["strace", "-o", os.devnull, "-e", "trace=none", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def listed(act: Act, *, log: Path) -> list[str]:
    """Let `act` come to its end in a child; return the calls it made."""
    calls = log.with_name("calls")
    how = _traced(act, ["-o", str(calls)], log=log)
    if how != "done":
        raise RuntimeError(log.read_text())
    lines = calls.read_text(errors="replace").splitlines()
    return [line[:90] for line in lines if "(" in line and "+++" not in line]


def killed_at(act: Act, number: int, *, log: Path) -> str:
    """Run `act` in a child that is killed as it enters its call of that number, from 0."""
    inject = f"inject={CALLS}:signal=SIGKILL:when={number + 1}"
    return _traced(act, ["-o", os.devnull, "-e", inject], log=log)


def _traced(act: Act, words: list[str], *, log: Path) -> str:
    waits, go = os.pipe()

    def wait_and_act() -> None:
        os.read(waits, 1)
        act()

    pid = forked(wait_and_act, log=log)
    tracer = subprocess.Popen(
        ["strace", "-p", str(pid), "-e", f"trace={CALLS}", *words],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert tracer.stderr is not None
    assert "attached" in tracer.stderr.readline()
    os.write(go, b"x")
    how = ended(pid)
    tracer.communicate(timeout=30)
    for descriptor in (waits, go):
        os.close(descriptor)
    return how
