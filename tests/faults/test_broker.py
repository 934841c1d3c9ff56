"""The broker is emptied, goes away, hangs, is full or lies: work is done all the same."""

import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.faults.poison import messages
from tests.faults.servers import Broker
from tests.faults.service import Sealed, Service

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(900)]
# What an agent waits for at most while the broker is ill.
PROMPT_SECONDS = 2.0
AWAY_SECONDS = 300 if os.environ.get("REMIT_FAULT_POINTS") == "all" else 10


def letters(service: Service) -> Path:
    """The folder that is the broker where there is no Redis."""
    return service.installed.var / "broker" / "messages"


def finish(service: Service, *, seconds: float = 60) -> float:
    """Wait for the end of all work; judge; return how long it took."""
    took = service.settle(seconds=seconds)
    service.judge()
    service.ensure()
    return took


def send_promptly(service: Service, batches: Sequence[Sealed]) -> None:
    """Send batches while the broker is ill: each is accepted, and soon."""
    times = []
    for batch in batches:
        began = time.monotonic()
        answer = service.send(batch)
        times.append(time.monotonic() - began)
        assert answer is not None
        assert answer.status_code == 202, answer.text
    assert max(times) < PROMPT_SECONDS, times


def test_an_emptied_broker_forgets_nothing(service: Service, bell: Broker | None) -> None:
    """F13: everything that waits in the broker is thrown away under load; all done in 30 s."""
    service.ensure()
    batches = service.batches(30)
    with service.load(batches):
        for _ in range(10):
            time.sleep(0.2)
            if bell is not None:
                bell.client.flushall()
                continue
            for path in letters(service).iterdir():
                path.unlink(missing_ok=True)
    assert finish(service) < 30


@contextlib.contextmanager
def away(service: Service, bell: Broker | None) -> Iterator[None]:
    """Take the broker away while the block runs; then there is an empty one."""
    if bell is not None:
        bell.stop()
        yield
        bell.start()
        return
    # A file where the folder was: nothing can be written there or read.
    folder = letters(service)
    shutil.rmtree(folder)
    folder.touch()
    yield
    folder.unlink()
    folder.mkdir(mode=0o700)


def test_without_a_broker_batches_are_taken_and_a_no_holds(
    service: Service, bell: Broker | None
) -> None:
    """F14: no broker for a while, then an empty one; uploads answer 202, a withdrawal holds.

    Longer than every pause there is, beat's and the bell's; with REMIT_FAULT_POINTS=all five
    minutes.
    """
    service.ensure()
    batches, before = service.batches(6), service.batches(1, of="tariq")[0]
    with away(service, bell):
        send_promptly(service, batches)
        elsewhere = str(service.folder / "broker")
        service.aside("act", "withdraw", "tariq", REMIT_BROKER_DIR=elsewhere)
        refused = service.send(before)
        assert refused is not None
        assert refused.json()["type"] == "/problems/consent-withdrawn"
        time.sleep(AWAY_SECONDS)
    for role in ("worker", "beat"):
        # As the supervisor does when one of them gave up.
        if not service.running[role].is_alive:
            service.start(role)
    assert finish(service, seconds=90) < 60


@pytest.mark.only("postgresql")  # The pass with SQLite rings through a folder.
def test_a_hanging_broker_holds_nobody_up(service: Service, bell: Broker) -> None:
    """F15: Redis is stopped (SIGSTOP) and takes connections without a word."""
    service.ensure()
    batches = service.batches(12)
    bell.signal(signal.SIGSTOP)
    send_promptly(service, batches)
    time.sleep(3)
    bell.signal(signal.SIGCONT)
    assert finish(service, seconds=90) < 60


@pytest.mark.only("postgresql")  # The pass with SQLite rings through a folder.
def test_a_full_broker_holds_nobody_up(service: Service, bell: Broker) -> None:
    """F16: Redis has no memory left and takes no more."""
    service.ensure()
    batches = service.batches(8)
    bell.client.config_set("maxmemory-policy", "noeviction")
    bell.client.config_set("maxmemory", "1mb")
    send_promptly(service, batches)
    bell.client.config_set("maxmemory", "0")
    assert finish(service, seconds=90) < 60


def poisoned(service: Service, bell: Broker | None) -> Callable[[bytes | str], None]:
    """Return how a message gets to the workers."""

    def push(message: bytes | str) -> None:
        raw = message.encode() if isinstance(message, str) else message
        if bell is not None:
            bell.client.lpush("default", raw)
            return
        name = f"{time.monotonic_ns()}_poison.default.msg"
        (letters(service) / f"{name}.part").write_bytes(raw)
        (letters(service) / f"{name}.part").rename(letters(service) / name)

    return push


def is_done(service: Service) -> bool:
    """Start a worker that ended, as its supervisor does; say whether all work is done."""
    if not service.running["worker"].is_alive:
        service.start("worker")
    return service.states("capture:redact").keys() <= {"done"}


def test_whatever_the_broker_says_only_what_is_due_is_done(
    service: Service, bell: Broker | None, tmp_path: Path
) -> None:
    """F17: fifteen kinds of poisoned messages; work goes on within seconds of each."""
    service.ensure()
    service.deliver(service.batches(1))
    service.settle()
    done = str(service.rows("SELECT id FROM jobs_job WHERE state = 'done' LIMIT 1")[0][0])
    attempts = "SELECT sum(attempts) FROM jobs_job WHERE kind = 'capture:redact'"
    batches = service.batches(15)
    trap = tmp_path / "sprung"
    kinds = messages(job=done, trap=str(trap))
    assert len(kinds) == 15
    push, slow = poisoned(service, bell), {}
    before = service.rows(attempts)[0][0]
    for (name, message), batch in zip(kinds.items(), batches, strict=True):
        push(message)
        service.deliver([batch])
        slow[name] = service.wait(lambda: is_done(service), what=name, seconds=120)
    assert not trap.exists()
    assert all(seconds < 10 for seconds in slow.values()), json.dumps(slow)
    assert service.rows(attempts)[0][0] - before == len(batches)
    finish(service)
