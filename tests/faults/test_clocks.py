"""Clocks that are wrong, one at a time: nothing ends early, nothing waits for ever."""

import contextlib
import itertools
import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.faults.service import ROLES, Sealed, Service
from tests.infrastructure import faketime, http

if TYPE_CHECKING:
    from tests.faults.servers import Cluster

pytestmark = [
    pytest.mark.real,
    pytest.mark.soak,
    pytest.mark.timeout(600),
    faketime.needed,
]
LIVE = "SELECT count(*) FROM capture_liveframe"


CLOCKS = ("-86400", "-3600", "+3600", "+400d")
# What beat asks for once an hour or a night.
TIDYING = (
    "governance.capture.tasks.expire_captures",
    "governance.capture.tasks.collect_orphans",
    "governance.rights.tasks.expire_consents",
    "governance.rights.tasks.end_exports",
    "governance.rights.tasks.end_seal_keys",
)


@pytest.fixture(autouse=True)
def _running(service: Service) -> None:
    service.ensure()


OFF = (-86_000, -3600, 3600, 400 * 86_400)


def test_an_agent_or_a_web_with_a_wrong_clock_is_told_the_time(service: Service) -> None:
    """F11, agent and web: beyond 300 seconds the answer is 401 with the server's time."""
    batches = service.batches(3)
    strict = {"REMIT_CLOCK_SKEW_SECONDS": "300"}
    webs: list[tuple[dict[str, str], tuple[int, ...]]] = [({}, OFF)]
    webs += [(faketime.shifted(f"{off:+d}"), (0,)) for off in OFF]
    for clock, skews in webs:
        service.kill("web")
        service.start("web", **strict, **clock)
        service.ensure("web")
        for skew in skews:
            answer = service.send(batches[0], skew=skew)
            assert answer is not None
            assert answer.status_code == 401, answer.text
            assert answer.json()["server_time"]
    service.kill("web")
    service.ensure()
    service.deliver(batches)
    service.settle()
    service.judge()


def answered(service: Service, batch: Sealed, *, skew: int) -> httpx.Response:
    """Send a batch by a clock that is off until somebody answers, as an agent does."""
    for _ in range(5):
        if (answer := service.send(batch, skew=skew)) is not None:
            return answer
    raise AssertionError("Nobody answered.")


@pytest.mark.only("postgresql")  # On one machine the database's clock is everybody's.
def test_whoever_has_a_wrong_clock_ends_nothing_early(service: Service) -> None:
    """F11: web, agent, worker and beat have clocks of their own; the last two each of four.

    No early expiry and no beat that stalls; an agent that is too far off is told the time.
    """
    service.deliver(service.batches(2))
    service.settle()
    batches = service.batches(4)
    service.aside("act", "rotate", "mira")
    before = service.rows(LIVE)[0][0]
    assert before
    for off, task in itertools.product(CLOCKS, TIDYING):
        service.aside("task", task, **faketime.shifted(off))
    assert service.rows(LIVE)[0][0] == before
    service.kill("web")
    service.start("web", REMIT_CLOCK_SKEW_SECONDS="300", **faketime.shifted("+90"))
    for worker, beat in zip(CLOCKS, CLOCKS[::-1], strict=True):
        service.kill("worker", "beat")
        service.start("worker", **faketime.shifted(worker))
        service.start("beat", **faketime.shifted(beat))
        service.work("probe:once", f"at {worker}")
        service.settle()
    service.ensure("web")
    for batch in batches[1:]:
        assert answered(service, batch, skew=-200).status_code == 202
    assert_told(service, batches[0])
    # What opens a batch proves itself by its entry's minute: it may refuse, it may not spoil.
    service.kill("web", "worker", "beat")
    service.ensure()
    service.settle(seconds=90, in_haste=True)
    assert service.rows(LIVE)[0][0] == before + 2 * len(batches)
    service.judge()


def assert_told(service: Service, batch: Sealed) -> None:
    """Send a batch by a clock that is too far off, and then by the time that was told."""
    answer = answered(service, batch, skew=-250)
    assert answer.status_code == 401, answer.text
    told = datetime.fromisoformat(answer.json()["server_time"])
    assert answered(service, batch, skew=round(told.timestamp() - time.time())).status_code == 202


@contextlib.contextmanager
def ahead(service: Service, database: "Cluster | None", by: str) -> Iterator[dict[str, str]]:
    """Let the database be ahead while the block runs; give the environment of what runs in it.

    On SQLite the database's clock is every process's. No process runs when it begins or ends.
    """
    environment = faketime.shifted(by)
    service.kill()
    if database is not None:
        database.stop()
        database.start(environment=environment)
    yield environment if database is None else {}
    service.kill()
    if database is not None:
        database.stop()
        database.start()


def test_an_hour_without_a_beat_raises_an_alarm_and_is_made_up_once(
    service: Service, database: "Cluster | None"
) -> None:
    """F09: no beat for an hour: not ready, and nobody works; then each job once, not twice.

    That expired data is refused although nobody disposed of it is
    tests/governance/capture/test_path.py's.
    """
    service.settle()
    service.kill("beat")
    before = service.effects()
    service.work("probe:once", *(f"late-{number}" for number in range(20)))
    with ahead(service, database, "+1h") as later:
        for role in ("sequencer", "web", "worker"):
            service.start(role, **later)
        service.ensure("web")
        is_missed = {"status": "waiting for the worker"}
        ready = f"{service.installed.origin}/healthz/ready"
        service.wait(lambda: http.get(ready).json() == is_missed, what="the alarm")
        assert http.get(ready).status_code == 503
        assert service.effects() == before
        service.start("beat", **later)
        service.installed.wait_ready()
        service.settle()
        assert service.effects() - before == 20
    service.ensure()
    service.judge()


def test_when_the_database_s_clock_goes_back_nothing_waits_a_day(
    service: Service, database: "Cluster | None"
) -> None:
    """F12: 20 hours ahead for a while, then right again: jobs and leases of then are done now."""
    batches = service.batches(8)
    with ahead(service, database, "+20h") as then:
        for role in ("sequencer", "web"):
            service.start(role, **then)
        service.ensure("web")
        if database is not None:
            service.deliver(batches[:4])
        for batch in batches[:4] if database is None else ():
            # The agent lives in the same wrong time.
            answer = service.send(batch, skew=72_000)
            assert answer is not None
            assert answer.status_code == 202, answer.text
    for role in ROLES:
        service.start(role)
    service.ensure("web")
    service.deliver(batches[4:])
    assert service.settle(seconds=90) < 60
    service.ensure()
    service.judge()
    assert "agree" in service.installed.manage("log_check")
