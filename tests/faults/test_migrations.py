"""A migration that is killed midway is taken up where it stood; nobody serves half of one."""

import contextlib
import os
import random
import time
from collections.abc import Callable

import pytest
from django.db import connection

from tests.faults.servers import cluster
from tests.faults.service import PATIENT
from tests.infrastructure.processes import Installation

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(900)]
KILLS = 6


def test_a_migration_killed_at_any_moment_is_taken_up(
    install: Callable[..., Installation],
) -> None:
    """F41: killed at random moments of its run, then run again; the tables are those of the code.

    That old and new code serve side by side cannot be shown from one version of the code; what
    can is that a process on tables that are behind says that it is not ready.
    """
    with contextlib.ExitStack() as servers:
        settings = dict(PATIENT)
        if connection.vendor == "postgresql":
            made = servers.enter_context(cluster())
            name = f"midway_{os.urandom(3).hex()}"
            settings["DATABASE_URL"] = made.server.create(name)
            settings["REMIT_KEYSTORE_URL"] = made.server.create(f"{name}_keys")
        installed = install(**settings)
        source = random.Random(41)
        seconds = 8.0
        web = installed.start(*["check"])
        web.process.wait(60)
        for number in range(KILLS):
            began = time.monotonic()
            running = installed.start("migrate", "--verbosity=0")
            # From its first statement to well before its end, whatever the machine's pace.
            time.sleep(source.uniform(0.15, 0.9) * seconds)
            if running.is_alive:
                running.kill()
            elif number == 0:
                seconds = time.monotonic() - began
        installed.manage("migrate", "--verbosity=0", timeout_seconds=300)
        installed.manage("migrate", "--database=keys", "--verbosity=0")
        assert installed.manage("migrate", "--check") == ""
        installed.manage("makemigrations", "--check", "--dry-run")
        installed.manage("sequencer", "--once")
        assert "agree" in installed.manage("log_check")
