"""The database goes away, loses the answer to a COMMIT, is locked or has no place left."""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from tests.faults.proxy import Proxy
from tests.faults.servers import Cluster
from tests.faults.service import Service
from tests.infrastructure import http

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(600)]


def refused(answer: httpx.Response | None) -> bool:
    """Whether an agent was told to come back soon."""
    return answer is not None and answer.status_code == 503 and "Retry-After" in answer.headers


@pytest.mark.only("postgresql")
def test_a_server_that_ends_at_once_loses_nothing(service: Service, database: Cluster) -> None:
    """F18: three immediate ends under load; 503 with Retry-After meanwhile, back within 5 s."""
    batches = service.batches(30)
    service.ensure()
    with service.load(batches[1:]):
        for _ in range(3):
            time.sleep(0.7)
            database.stop_at_once()
            began = time.monotonic()
            assert refused(service.send(batches[0]))
            page = http.get(f"{service.installed.origin}/sign-in/", timeout=10)
            assert page.status_code in {200, 503}
            assert http.get(f"{service.installed.origin}/healthz/live").status_code == 200
            assert time.monotonic() - began < 5
            database.start()
            began = time.monotonic()
            service.deliver(batches[:1], seconds=5)
    service.ensure()
    service.settle()
    service.judge()


@pytest.fixture
def line(service: Service, database: Cluster) -> Iterator[Proxy]:
    """A web whose line to the database can be cut."""
    service.kill()
    with Proxy(("127.0.0.1", database.server.port)) as proxy:
        url = database.server.default.replace(f":{database.server.port}/", f":{proxy.port}/")
        service.ensure("sequencer", "worker", "beat")
        service.start("web", DATABASE_URL=url)
        service.ensure("web")
        yield proxy
        service.kill("web")


@pytest.mark.only("postgresql")
@pytest.mark.parametrize("after", [False, True])
def test_a_commit_whose_answer_is_lost_is_asked_again(
    service: Service, line: Proxy, after: bool
) -> None:
    """F19: the line is cut at COMMIT, before or after the server heard it; once in the end."""
    batches = service.batches(12)
    line.after = after
    for batch in batches:
        line.cuts = 1
        service.deliver([batch])
    assert line.cut >= len(batches)
    service.settle()
    service.judge()


@pytest.mark.only("postgresql")
def test_a_transaction_undone_for_another_s_sake_is_sent_again(
    service: Service, database: Cluster
) -> None:
    """F21: serialization failures and deadlocks, raised by the server; 503, then once."""
    batches = service.batches(6)
    service.ensure()
    with psycopg.connect(database.server.default, autocommit=True) as rival:
        rival.execute("CREATE SEQUENCE struck")
        rival.execute("""
            CREATE FUNCTION strike() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                CASE nextval('struck') % 7
                    WHEN 1 THEN RAISE EXCEPTION 'undone' USING ERRCODE = '40001';
                    WHEN 2 THEN RAISE EXCEPTION 'undone' USING ERRCODE = '40P01';
                    ELSE RETURN NEW;
                END CASE;
            END $$""")
        for table in ("capture_sealedbatch", "capture_frame"):
            rival.execute(
                f"CREATE TRIGGER struck BEFORE INSERT ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION strike()".encode()
            )
        assert refused(service.send(batches[0]))
        service.deliver(batches)
        # Not in haste: what failed must come round again by itself.
        service.settle(seconds=150)
        rival.execute("DROP FUNCTION strike CASCADE")
        rival.execute("DROP SEQUENCE struck")
    service.judge()


@pytest.mark.only("postgresql")
def test_without_a_free_connection_the_answer_is_quick(service: Service, database: Cluster) -> None:
    """F22: others hold every connection; 503 at once, the health page answers, then it goes on."""
    batches = service.batches(4)
    service.ensure()
    service.kill("web")
    with contextlib.ExitStack() as held:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                held.enter_context(psycopg.connect(database.server.default))
        service.start("web")
        service.ensure("web")
        began = time.monotonic()
        assert refused(service.send(batches[0]))
        assert time.monotonic() - began < 5
        ready = http.get(f"{service.installed.origin}/healthz/ready", timeout=10)
        assert ready.json()["status"] == "waiting for the databases"
    service.deliver(batches)
    # What a worker could not begin meanwhile waits for up to a minute.
    service.settle(in_haste=True)
    service.judge()


@pytest.mark.only("sqlite")
def test_a_storm_of_locks_loses_nothing(service: Service) -> None:
    """F43: eight agents at once while somebody holds the file's only lock again and again."""
    batches = service.batches(36)
    service.ensure()
    is_over = threading.Event()

    def hold() -> None:
        with contextlib.closing(sqlite3.connect(service.file, timeout=60)) as rival:
            while not is_over.wait(0.05):
                rival.execute("BEGIN IMMEDIATE")
                time.sleep(0.4)
                rival.rollback()

    rival = threading.Thread(target=hold)
    rival.start()
    try:
        with service.load(batches[::2]), service.load(batches[1::2]):
            pass
    finally:
        is_over.set()
        rival.join()
    service.settle()
    service.judge()
