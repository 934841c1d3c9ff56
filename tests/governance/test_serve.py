"""Whatever happens to the supervisor, nothing it started is left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from governance.serve import Program, Supervisor

pytestmark = [pytest.mark.real, pytest.mark.once]

ROOT = Path(__file__).resolve().parents[2]
# A child with a child of its own, which writes both ids and sleeps.
CHILD = """
import os, subprocess, sys, time
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()} {inner.pid}\\n")
time.sleep(60)
"""
SUPERVISOR = """
import sys
from governance.serve import Program, Supervisor
names = sys.argv[2:]
programs = [Program(name, [sys.executable, "-c", sys.argv[1], name]) for name in names]
Supervisor(programs, say=lambda words: print(words, flush=True)).run()
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait(is_so: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "It did not come about."
        time.sleep(0.05)


def pids(*files: Path) -> list[int]:
    return [
        int(word)
        for file in files
        if file.exists()
        for word in file.read_text(encoding="ascii").split()
    ]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", list[Path]]]:
    files = [tmp_path / name for name in ("one", "two")]
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, CHILD, *map(str, files)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait(lambda: len(pids(*files)) == 4)
    yield process, files
    process.kill()
    process.communicate()
    for pid in pids(*files):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_children_and_grandchildren(
    house: tuple["subprocess.Popen[str]", list[Path]], number: signal.Signals
) -> None:
    process, files = house
    process.send_signal(number)
    assert process.wait(15) == 0
    assert not [pid for pid in pids(*files) if alive(pid)]


def test_children_die_with_a_killed_supervisor(
    house: tuple["subprocess.Popen[str]", list[Path]],
) -> None:
    process, files = house
    process.kill()
    children = pids(*files)[::2]
    wait(lambda: not any(alive(pid) for pid in children))


def test_a_killed_child_is_started_again_without_its_leftovers(
    house: tuple["subprocess.Popen[str]", list[Path]],
) -> None:
    process, files = house
    child, grandchild = pids(files[0])
    os.kill(child, signal.SIGKILL)
    wait(lambda: len(pids(files[0])) == 4)
    assert not alive(grandchild)
    assert all(alive(pid) for pid in pids(files[0])[2:] + pids(files[1]))
    process.terminate()
    said, _ = process.communicate(timeout=15)
    assert "ended (signal 9); it starts again in 0.5 s" in said


def _run(program: Program, *, until: Callable[[list[str]], bool]) -> list[str]:
    said: list[str] = []
    supervisor = Supervisor([program], say=said.append)
    deadline = time.monotonic() + 15
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def look() -> None:
        assert time.monotonic() < deadline
        if until(said):
            supervisor.stop()

    try:
        supervisor.run(each_tick=look)
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    return said


def test_what_keeps_failing_is_started_ever_more_seldom() -> None:
    program = Program("broken", [sys.executable, "-c", "raise SystemExit(3)"])
    said = _run(program, until=lambda said: len(said) == 3)
    assert said == [
        f"broken ended (status 3); it starts again in {pause} s" for pause in ("0.5", "1", "2")
    ]


def test_what_is_done_once_is_not_started_again(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    command = [sys.executable, "-c", f"open({str(mark)!r}, 'a').write('x')"]
    began = time.monotonic()
    _run(Program("once", command, once=True), until=lambda _: time.monotonic() - began > 2)
    assert mark.read_text(encoding="ascii") == "x"


def test_a_child_that_does_not_listen_is_ended_by_force(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("governance.serve._PATIENCE_SECONDS", 0.5)
    mark = tmp_path / "pid"
    deaf = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    )
    said = _run(Program("deaf", [sys.executable, "-c", deaf]), until=lambda _: bool(pids(mark)))
    assert said == ["deaf does not stop; it is ended by force"]
    assert not alive(pids(mark)[0])
