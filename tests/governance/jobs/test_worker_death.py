"""Workers die in the middle of work; the doorbell is never heard. Nothing is lost or doubled."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infrastructure.laid import Tables

# One process learns Django, and every worker is forked from it: each is a process all the same.
SCRIPT = """
import json, os, sys, time
import django
django.setup()
from django.db import connection, connections, transaction
from governance.jobs import doorbell, services
from tests.infrastructure import laid

DIES = None

def effects():
    with connection.cursor() as cursor:
        cursor.execute("SELECT ref, count(*) FROM effect GROUP BY ref ORDER BY ref")
        return cursor.fetchall()

@services.handler("test:effect")
def work(ref, fence):
    if DIES == "before" and ref == "3":
        os._exit(9)
    with transaction.atomic():
        fence.assert_held()
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO effect (ref) VALUES (%s)", [ref])
        services.finish(fence)
        if DIES == "inside" and ref == "5":
            os._exit(9)
    if DIES == "after" and ref == "7":
        os._exit(9)

def start(dies=None):
    global DIES
    connections.close_all()
    if worker := os.fork():
        return worker
    DIES = dies
    until = time.monotonic() + 20
    while time.monotonic() < until and len(effects()) < 20:
        services.sweep()
        time.sleep(0.1)
    connections.close_all()
    os._exit(0)

def end_of(worker):
    return os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])

# Nobody hears it, and no thread rings it while workers are forked.
doorbell.hang(lambda job_id, queue: None)
laid.lay()
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE effect (ref TEXT)")
with transaction.atomic():
    for number in range(20):
        services.add(kind="test:effect", ref=str(number))
died = {moment: end_of(start(moment)) for moment in ("before", "inside", "after")}
ended = [end_of(worker) for worker in [start() for _ in range(3)]]
print(json.dumps({"died": died, "ended": ended, "effects": effects()}))
"""


@pytest.mark.real
@pytest.mark.once
def test_whenever_workers_die_every_effect_happens_once(tmp_path: Path, tables: Tables) -> None:
    tables.put(tmp_path)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "REMIT_KEYSTORE_URL", "REDIS_URL"}
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=inherited | {"REMIT_VAR": str(tmp_path), "REMIT_JOB_LEASE_SECONDS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["died"] == {"before": 9, "inside": 9, "after": 9}
    assert told["ended"] == [0, 0, 0]
    assert told["effects"] == [[ref, 1] for ref in sorted(map(str, range(20)))]
