"""Clocks that are wrong, one at a time: nothing ends early, nothing waits for ever."""

from typing import TYPE_CHECKING

import pytest
from django.db import connection

from tests.faults.service import ROLES, Service
from tests.infrastructure import faketime

if TYPE_CHECKING:
    from tests.faults.servers import Cluster

pytestmark = [
    pytest.mark.real,
    pytest.mark.soak,
    pytest.mark.timeout(600),
    faketime.needed,
]
LIVE = "SELECT count(*) FROM capture_liveframe"
SAME_MACHINE = connection.vendor == "sqlite"


def ask_beat(service: Service, task: str, **environment: str) -> None:
    """Start what beat starts once an hour or a night, in a process of its own."""
    service.aside("task", task, **environment)


@pytest.fixture(autouse=True)
def _running(service: Service) -> None:
    service.ensure()


@pytest.mark.parametrize("off", [-86_000, -3600, 3600, 400 * 86_400])
def test_an_agent_or_a_web_with_a_wrong_clock_is_told_the_time(service: Service, off: int) -> None:
    """F11, agent and web: beyond 300 seconds the answer is 401 with the server's time."""
    batches = service.batches(3)
    strict = {"REMIT_CLOCK_SKEW_SECONDS": "300"}
    for agent, web in ((off, {}), (0, faketime.shifted(f"{off:+d}"))):
        service.kill("web")
        service.start("web", **strict, **web)
        service.ensure("web")
        answer = service.send(batches[0], skew=agent)
        assert answer is not None
        assert answer.status_code == 401, answer.text
        assert answer.json()["server_time"]
    service.kill("web")
    service.ensure()
    service.deliver(batches)
    service.settle()
    service.judge()


@pytest.mark.skipif(SAME_MACHINE, reason="On one machine the database's clock is the worker's.")
@pytest.mark.parametrize("off", ["-86400", "-3600", "+3600", "+400d"])
def test_a_worker_or_beat_with_a_wrong_clock_ends_nothing_early(service: Service, off: str) -> None:
    """F11, worker and beat: no early expiry, no stalled beat; the redactor waits or does it."""
    service.deliver(service.batches(2))
    service.settle()
    sealed = service.batches(1)
    service.aside("act", "rotate", "mira")
    before = service.rows(LIVE)[0][0]
    assert before
    for task in (
        "governance.capture.tasks.expire_captures",
        "governance.capture.tasks.collect_orphans",
        "governance.rights.tasks.expire_consents",
        "governance.rights.tasks.end_exports",
        "governance.rights.tasks.end_seal_keys",
    ):
        ask_beat(service, task, **faketime.shifted(off))
    assert service.rows(LIVE)[0][0] == before
    service.kill("beat", "worker")
    service.start("beat", **faketime.shifted(off))
    service.start("worker", **faketime.shifted(off))
    service.work("probe:once", f"at {off}")
    service.settle()
    service.deliver([*sealed, *service.batches(1)])
    # What opens a batch proves itself by its entry's minute: it may refuse, it may not spoil.
    service.kill("beat", "worker")
    service.ensure()
    service.hurry()
    service.settle(seconds=90)
    assert service.rows(LIVE)[0][0] == before + 4
    service.judge()


def test_when_the_database_s_clock_goes_back_nothing_waits_a_day(
    service: Service, database: "Cluster | None"
) -> None:
    """F12: 20 hours ahead for a while, then right again: jobs and leases of then are done now.

    On SQLite the database's clock is every process's.
    """
    ahead = faketime.shifted("+20h")
    batches = service.batches(8)
    if database is None:
        service.kill()
        for role in ("sequencer", "web"):
            service.start(role, **ahead)
        service.ensure("web")
        # The agent lives in the same wrong time.
        for batch in batches[:4]:
            answer = service.send(batch, skew=72_000)
            assert answer is not None
            assert answer.status_code == 202, answer.text
    else:
        service.kill("worker", "beat")
        database.stop()
        database.start(environment=ahead)
        service.deliver(batches[:4])
    service.kill()
    if database is not None:
        database.stop()
        database.start()
    for role in ROLES:
        service.start(role)
    service.ensure("web")
    service.deliver(batches[4:])
    assert service.settle(seconds=90) < 60
    service.ensure()
    service.judge()
    assert "agree" in service.installed.manage("log_check")
