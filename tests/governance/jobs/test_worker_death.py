"""Workers die in the middle of work; the doorbell is never heard. Nothing is lost or doubled."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infrastructure.laid import Tables

SCRIPT = """
import os, sys, time
import django
django.setup()
from django.db import connection, transaction
from governance.jobs import services
from tests.infrastructure import laid

def effects():
    with connection.cursor() as cursor:
        cursor.execute("SELECT ref, count(*) FROM effect GROUP BY ref ORDER BY ref")
        return cursor.fetchall()

@services.handler("test:effect")
def work(ref, fence):
    if os.environ.get("DIE") == "before" and ref == "3":
        os._exit(9)
    with transaction.atomic():
        fence.assert_held()
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO effect (ref) VALUES (%s)", [ref])
        services.finish(fence)
        if os.environ.get("DIE") == "inside" and ref == "5":
            os._exit(9)
    if os.environ.get("DIE") == "after" and ref == "7":
        os._exit(9)

step = sys.argv[1]
if step == "make":
    laid.lay()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE effect (ref TEXT)")
    with transaction.atomic():
        for number in range(20):
            services.add(kind="test:effect", ref=str(number))
if step == "work":
    until = time.monotonic() + 20
    while time.monotonic() < until and len(effects()) < 20:
        services.sweep()
        time.sleep(0.1)
if step == "count":
    print(effects())
"""


class House:
    def __init__(self, var: Path) -> None:
        self.var = var

    def start(self, step: str, **extra: str) -> "subprocess.Popen[str]":
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REMIT_KEYSTORE_URL", "REDIS_URL"}
        }
        environment = inherited | {"REMIT_VAR": str(self.var), "REMIT_JOB_LEASE_SECONDS": "1"}
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT, step],
            env=environment | extra,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, step: str, **extra: str) -> tuple[int, str]:
        process = self.start(step, **extra)
        output, errors = process.communicate(timeout=60)
        assert process.returncode in {0, 9}, errors
        return process.returncode, output.strip()


@pytest.fixture
def house(tmp_path: Path, tables: Tables) -> House:
    house = House(tmp_path)
    tables.put(house.var)
    assert house.run("make") == (0, "")
    return house


EVERY_EFFECT_ONCE = str(sorted((str(number), 1) for number in range(20)))


@pytest.mark.real
@pytest.mark.once
def test_whenever_workers_die_every_effect_happens_once(house: House) -> None:
    for moment in ("before", "inside", "after"):
        code, _ = house.run("work", DIE=moment)
        assert code == 9, f"The worker died {moment} its effect."
    workers = [house.start("work") for _ in range(3)]
    for worker in workers:
        _, errors = worker.communicate(timeout=60)
        assert worker.returncode == 0, errors
    assert house.run("count") == (0, EVERY_EFFECT_ONCE)
