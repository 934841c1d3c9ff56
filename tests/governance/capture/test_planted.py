"""Somebody in every leaf of every type of event, and on a picture, is found nowhere after.

One batch goes through the API and a worker process of its own. Then every row, file, log, page,
answer and copy is scanned, and every picture in them is read as whoever has it would read it.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

pytest.importorskip("tesserocr")

from governance.management.commands import serve
from governance.redaction import ner
from governance.redaction.errors import ModelError
from governance.redaction.schema import TYPES
from tests.faults.service import PATIENT
from tests.governance.capture import planted_leaves, planted_screen
from tests.infrastructure import traces
from tests.infrastructure.canary import Canary
from tests.infrastructure.laid import Tables
from tests.infrastructure.processes import Installation, installation
from tests.infrastructure.redis import Redis

# Alone it takes twenty seconds.
pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]
CANARY = Canary(*planted_leaves.TOKENS)
PICTURE = re.compile(rb'(?:base64,|"image": ?")([A-Za-z0-9+/=]{200,})')
MOST_MIB = 400
MODULE = "tests.governance.capture.planted_installation"


SETTINGS = PATIENT | {
    "ALLOWED_HOSTS": "testserver,127.0.0.1",
    "REMIT_DEMO": "1",
    "REMIT_SCREENS": "1",
}


@dataclass(frozen=True)
class Scene:
    """An installation after the batch, what was told of it, and what anybody can see of it."""

    installed: Installation
    told: dict[str, Any]
    after: dict[str, Any]
    seen: Path
    worker: list[int]
    rung: bytes


def profile() -> dict[str, str]:
    """Redact with everything that is installed here: the model, too, where there is one."""
    try:
        ner.place(ner.folder())
    except ModelError:
        return {}
    return {"REMIT_REDACTION_PROFILE": "full", "REMIT_REDACTION_MODEL": str(ner.folder())}


@pytest.fixture(scope="module")
def scene(
    tmp_path_factory: pytest.TempPathFactory, tables: Tables, redis: Redis
) -> Iterator[Scene]:
    """The batch sent, done by a worker, and looked at.

    SQLite with Redis for a broker, PostgreSQL with the folder; other tests have the other two.
    """
    folder = tmp_path_factory.mktemp("planted")
    seen = folder / "seen"
    seen.mkdir()
    own = Redis(redis.port, number=5)
    bell = {"REDIS_URL": own.url} if connection.vendor == "sqlite" else {}
    with (
        tables.laid(folder / "var") as urls,
        installation(folder, **SETTINGS, **urls, **bell, **profile()) as installed,
    ):
        told = installed.step(MODULE, "send", str(seen))
        rung = own.dumped()
        worker = serve._celery("worker", "--concurrency", "1", *serve._QUIET_WORKER)
        pid = installed.run(worker, name="worker").process.pid
        after = installed.step(MODULE, "look", str(seen))
        yield Scene(installed, told, after, seen, traces.family([pid]), rung)


def rows(url: str) -> str:
    """Return every row of a PostgreSQL database as text."""
    query = (
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
        "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    with psycopg.connect(url) as database:
        tables = [table for (table,) in database.execute(query).fetchall()]
        found = [database.execute(f"SELECT t::text FROM {table} t").fetchall() for table in tables]
    return "\n".join(str(row) for table in found for row in table)


def pictures(folder: Path) -> set[bytes]:
    """Return every picture that a page, an answer or a copy holds."""
    return {
        base64.b64decode(match)
        for path in folder.rglob("*")
        if path.is_file()
        for match in PICTURE.findall(path.read_bytes())
    }


def test_nothing_planted_is_in_the_store_the_portal_or_the_export(scene: Scene) -> None:
    after = scene.after
    assert after["state"] == "done"
    assert after["accepted"] + sum(after["refused"].values()) == scene.told["sent"]
    # Something of every type is there, so that the scan could find something.
    assert after["types"] == sorted(TYPES)
    hits = CANARY.scan_tree(scene.seen.parent)
    for name in ("DATABASE_URL", "REMIT_KEYSTORE_URL"):
        if name in scene.installed.settings:
            data = rows(scene.installed.settings[name]).encode()
            hits += CANARY.scan(data, name)
    assert hits == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="There the broker is a folder.")
def test_on_sqlite_too_redis_rings_for_the_worker(scene: Scene) -> None:
    """No beat runs and nobody sweeps: what the worker did, it did for this message."""
    assert b"redact" in scene.rung
    assert scene.after["state"] == "done"
    assert CANARY.scan(scene.rung, "redis") == []


def test_no_process_of_the_worker_ever_held_much_memory(scene: Scene) -> None:
    said = [Path(f"/proc/{pid}/status").read_text() for pid in scene.worker]
    peaks = [int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) // 1024 for text in said]  # type: ignore[index]
    assert len(peaks) >= 2  # The worker and what does its jobs.
    assert max(peaks) < MOST_MIB, peaks


def test_no_picture_of_it_shows_anybody(scene: Scene) -> None:
    sent = planted_screen.said(planted_screen.drawn())
    assert [name for name in planted_screen.NAMES if name not in sent] == []
    found = pictures(scene.seen)
    assert found
    for picture in found:
        said = planted_screen.said(picture)
        assert [name for name in planted_screen.NAMES if name in said] == []
        assert planted_screen.SAFE in said  # The rest is still there.


def test_its_person_sees_by_type_what_was_removed(scene: Scene) -> None:
    assert {"EMAIL", "PHONE", "PERSON"} <= set(scene.after["removed"])
    pages = "".join(path.read_text() for path in scene.seen.glob("page-*"))
    for kind in ("e-mail address", "phone number", "name"):
        assert re.search(rf'class="redacted">[^<]*{kind}', pages, re.IGNORECASE), kind
