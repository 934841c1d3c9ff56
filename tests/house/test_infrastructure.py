"""The tests' own tools are tested too: a blind scanner would make every leak test pass."""

import socket
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.infrastructure.canary import Canary, plantings
from tests.infrastructure.postgres import Postgres
from tests.infrastructure.processes import Installation, NotReadyError
from tests.infrastructure.redis import Redis

SECRET = "Zählwort-4711-Möwe"


def test_the_scanner_finds_27_of_27_plantings() -> None:
    canary = Canary(SECRET)
    ways = plantings(SECRET)
    assert len(ways) == 27
    assert [way for way, data in ways.items() if not canary.scan(data)] == []


def test_the_scanner_finds_nothing_where_nothing_is() -> None:
    other = Canary("Seemann-0815-Kajüte")
    assert [hit for data in plantings(SECRET).values() for hit in other.scan(data)] == []


def test_the_scanner_reads_files_and_their_names(tmp_path: Path) -> None:
    canary = Canary(SECRET)
    (tmp_path / "clean").write_text("nothing")
    assert canary.scan_tree(tmp_path) == []
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "log").write_bytes(b"..." + SECRET.encode().hex().encode())
    (tmp_path / f"of {SECRET}").touch()
    assert {hit.form for hit in canary.scan_tree(tmp_path)} == {"hex", "raw"}


def test_a_short_canary_is_refused() -> None:
    with pytest.raises(ValueError, match="12 characters"):
        Canary("short")


@pytest.mark.real
def test_postgres_keeps_data_and_keys_apart_and_forces_writes(postgres: Postgres) -> None:
    for url in (postgres.default, postgres.keys):
        with psycopg.connect(url) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
            assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
    assert postgres.default != postgres.keys
    wrong = postgres.default.replace(postgres.password, "guess")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(wrong)


@pytest.mark.real
def test_redis_answers_on_loopback(redis: Redis) -> None:
    with socket.create_connection(("127.0.0.1", redis.port), 2) as connection:
        connection.sendall(b"CONFIG GET save\r\n")
        assert connection.recv(100).startswith(b"*2")


@pytest.mark.real
def test_a_killed_process_leaves_no_child(tmp_path: Path) -> None:
    installed = Installation(tmp_path / "var")
    child = tmp_path / "child"
    program = (
        "import subprocess, sys, time, pathlib;"
        "c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"pathlib.Path({str(child)!r}).write_text(str(c.pid)); time.sleep(60)"
    )
    running = installed.run([sys.executable, "-c", program], name="parent")
    installed.wait(lambda: child.exists() and bool(child.read_text()), what="the child")
    running.kill()
    assert not running.is_alive
    deadline = time.monotonic() + 5
    while _is_running(int(child.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.real
def test_waiting_for_a_process_that_ended_shows_its_log(tmp_path: Path) -> None:
    installed = Installation(tmp_path / "var")
    installed.run([sys.executable, "-c", "print('no luck today')"], name="brief")
    with pytest.raises(NotReadyError, match="no luck today"):
        installed.wait(lambda: False, what="nothing", timeout_seconds=10)


def _is_running(pid: int) -> bool:
    """Whether the process runs; one that ended and waits for its parent does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
