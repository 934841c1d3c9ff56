"""One ring stands for many, and none of those who asked is forgotten."""

import os
import threading
import time
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from governance.jobs.doorbell import Bell

Rung = list[tuple[UUID, str]]


def soon(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 5
    while not holds() and time.monotonic() < until:
        time.sleep(0.005)
    return holds()


def test_those_who_ask_during_a_pause_share_the_ring_at_its_end() -> None:
    rung: Rung = []
    bell = Bell(lambda job_id, queue: rung.append((job_id, queue)), pause_seconds=0.2)
    first = uuid4()
    bell.ring(first, "redact")
    assert soon(lambda: rung == [(first, "redact")])
    later = [uuid4() for _ in range(50)]
    for job_id in later:
        bell.ring(job_id, "redact")
    bell.ring(first, "default")
    assert soon(lambda: len(rung) == 3)
    assert set(rung[1:]) == {(later[0], "redact"), (first, "default")}
    time.sleep(0.25)
    assert len(rung) == 3


def test_who_asks_while_it_rings_gets_a_ring_of_their_own() -> None:
    """Its job was committed after the message left, so the worker may have looked too early."""
    rung, go_on = list[UUID](), threading.Event()

    def slow(job_id: UUID, _: str) -> None:
        rung.append(job_id)
        go_on.wait(5)

    bell = Bell(slow, pause_seconds=0)
    first, second = uuid4(), uuid4()
    bell.ring(first, "redact")
    assert soon(lambda: rung == [first])
    bell.ring(second, "redact")
    go_on.set()
    assert soon(lambda: rung == [first, second])


def test_nobody_waits_for_the_broker_but_a_process_that_ends_has_rung() -> None:
    rung, go_on = list[UUID](), threading.Event()

    def slow(job_id: UUID, _: str) -> None:
        go_on.wait(5)
        rung.append(job_id)

    bell = Bell(slow, pause_seconds=60)
    first, second = uuid4(), uuid4()
    bell.ring(first, "redact")
    time.sleep(0.05)
    bell.ring(second, "redact")
    assert rung == []
    go_on.set()
    bell.flush()
    assert rung == [first, second]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bell_that_broke_rings_again() -> None:
    rung, broken = list[UUID](), [True]

    def fragile(job_id: UUID, _: str) -> None:
        if broken.pop():
            raise RuntimeError("The wire is torn.")
        rung.append(job_id)

    bell = Bell(fragile, pause_seconds=0)
    bell.ring(uuid4(), "redact")
    assert soon(lambda: not broken)
    broken.append(False)
    time.sleep(0.05)
    bell.ring(uuid4(), "redact")
    assert soon(lambda: len(rung) == 1)


def test_a_child_process_rings_a_bell_of_its_own() -> None:
    read, write = os.pipe()

    def send(job_id: UUID, _: str) -> None:
        os.write(write, job_id.bytes)

    bell = Bell(send, pause_seconds=0)
    bell.ring(UUID(int=1), "redact")
    assert os.read(read, 16) == UUID(int=1).bytes
    child = os.fork()
    if child == 0:
        bell.ring(UUID(int=2), "redact")
        bell.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(read, 16) == UUID(int=2).bytes
    os.close(read)
    os.close(write)
