"""A migration that is killed midway is taken up where it stood; nobody serves half of one."""

import contextlib
import os
import random
import sqlite3
import time
from collections.abc import Callable

import psycopg
import pytest
from django.db import connection

from tests.faults.servers import cluster
from tests.faults.service import PATIENT, Service
from tests.infrastructure import http
from tests.infrastructure.processes import Installation

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(900)]
KILLS = 4


def applied(settings: dict[str, str], installed: Installation) -> int:
    """Return how many migrations are in force."""
    asked = "SELECT count(*) FROM django_migrations"
    with contextlib.suppress(sqlite3.OperationalError, psycopg.errors.UndefinedTable):
        if url := settings.get("DATABASE_URL"):
            with psycopg.connect(url) as server:
                return int(server.execute(asked).fetchall()[0][0])
        place = f"file:{installed.var / 'remit.sqlite3'}?mode=ro"
        with contextlib.closing(sqlite3.connect(place, uri=True, timeout=10)) as file:
            return int(file.execute(asked).fetchall()[0][0])
    return 0


def test_a_migration_killed_at_any_moment_is_taken_up(
    install: Callable[..., Installation],
) -> None:
    """F41: killed at random moments, then run again; the tables are those of the code."""
    with contextlib.ExitStack() as servers:
        settings = dict(PATIENT)
        if connection.vendor == "postgresql":
            made = servers.enter_context(cluster())
            name = f"midway_{os.urandom(3).hex()}"
            settings["DATABASE_URL"] = made.server.create(name)
            settings["REMIT_KEYSTORE_URL"] = made.server.create(f"{name}_keys")
        installed = install(**settings)
        source = random.Random(41)
        for _ in range(KILLS):
            goal = applied(settings, installed) + source.randrange(1, 9)
            running = installed.start("migrate", "--verbosity=0")
            while running.is_alive and applied(settings, installed) < goal:
                time.sleep(source.uniform(0.01, 0.05))
            assert running.is_alive, running.tail()
            running.kill()
        installed.manage("migrate", "--verbosity=0", timeout_seconds=300)
        installed.manage("migrate", "--database=keys", "--verbosity=0")
        assert installed.manage("migrate", "--check") == ""
        installed.manage("makemigrations", "--check", "--dry-run")
        installed.manage("sequencer", "--once")
        assert "agree" in installed.manage("log_check")


NEXT = "INSERT INTO django_migrations (app, name, applied) VALUES ('capture', '9999_next', {now})"


def test_while_a_version_replaces_another_nobody_serves_half_of_one(service: Service) -> None:
    """F41: tables run ahead under load, then are behind: the old goes on, the new waits for them.

    The next version's migration adds a column, as every one does that is laid under running code.
    """
    now = {True: "now()", False: "datetime('now')"}[service.is_postgres]
    service.ensure()
    with service.load(service.batches(12)):
        service.execute("ALTER TABLE capture_capturebatch ADD COLUMN of_the_next text NULL")
        service.execute(NEXT.format(now=now))
        service.stop("worker")
        service.start("worker")
        service.kill("web")
        service.ensure("web")
    service.ensure()
    service.settle()
    service.kill()
    service.execute("UPDATE django_migrations SET app = 'not yet' WHERE app = 'jobs'")
    service.start("web")
    service.ensure("web")
    ready = http.get(f"{service.installed.origin}/healthz/ready")
    assert (ready.status_code, ready.json()["status"]) == (503, "waiting for the databases")
    service.execute("UPDATE django_migrations SET app = 'jobs' WHERE app = 'not yet'")
    service.ensure()
    service.deliver(service.batches(2))
    service.settle()
    service.execute("ALTER TABLE capture_capturebatch DROP COLUMN of_the_next")
    service.execute("DELETE FROM django_migrations WHERE name = '9999_next'")
    service.judge()
