"""The sequencer killed at random moments while others write, and some of them killed as well."""

import contextlib
import os
import random
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

from audit.verifier.checkpoint import Checkpoint, Trust, accept
from audit.verifier.keys import parse_vkeys
from audit.verifier.merkle import check_consistency
from audit.verifier.mirror import TileTree
from audit.verifier.rules import Rules
from audit.verifier.scan import Frontier, Scan
from audit.verifier.source import open_source
from tests.infrastructure.laid import Tables
from tests.infrastructure.processes import Installation, Running

pytestmark = pytest.mark.real

WRITERS = 2
ACTS_PER_SECOND = 30
HALTED = 3
QUERIES = {
    "entries": "SELECT count(*) FROM audit_entry",
    "leaves": "SELECT count(*) FROM audit_leaf",
    "distinct": "SELECT count(DISTINCT entry_id) FROM audit_leaf",
    "end": 'SELECT max("index") + 1 FROM audit_leaf',
    "waiting": "SELECT count(*) FROM audit_outbox",
    "size": "SELECT size FROM audit_treestate",
    "published": "SELECT published_size FROM audit_treestate",
    "halted": "SELECT count(*) FROM audit_treestate WHERE halted <> ''",
}


@pytest.fixture
def installed(install: Callable[..., Installation], tables: Tables) -> Iterator[Installation]:
    """An installation on the database of this pass, with its tables, without any process yet."""
    settings = {
        "REMIT_LOG_INTERVAL_MS": "100",
        "REMIT_LOG_DELAY_SECONDS": "1",
        "DJANGO_SETTINGS_MODULE": "governance.settings",
    }
    made = install(**settings)
    with tables.laid(made.var) as urls:
        made.settings.update(urls)
        yield made
        made.stop()


class Poller:
    """Reads the checkpoint again and again, as the public does, and keeps each it saw."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: dict[bytes, None] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(10)

    def _read(self) -> None:
        while not self._is_over.wait(0.01):
            with contextlib.suppress(FileNotFoundError):
                self.seen[self.path.read_bytes()] = None


class Writers:
    """Processes that append; `kill_one` ends one in the middle of whatever it does."""

    def __init__(self, installed: Installation, folder: Path) -> None:
        self._installed = installed
        self._folder = folder
        self._running = [self._start(number) for number in range(WRITERS)]

    def _start(self, number: int) -> Running:
        ledger = str(self._folder / f"ledger-{number}")
        module = [sys.executable, "-m", "tests.audit.writer", ledger, str(ACTS_PER_SECOND)]
        return self._installed.run(module, name="writer")

    def kill_one(self, rng: random.Random) -> None:
        number = rng.randrange(WRITERS)
        self._running[number].kill()
        self._running[number] = self._start(number)

    def end(self) -> set[str]:
        """Kill all; return the ids of what they know to be committed."""
        for writer in self._running:
            assert writer.is_alive, writer.tail()
            writer.kill()
        # A line that was cut short names nothing.
        texts = [path.read_text() for path in self._folder.glob("ledger-*")]
        return {line for text in texts for line in text.split("\n")[:-1]}


@contextlib.contextmanager
def told(rng_seed: int) -> Iterator[random.Random]:
    """Give randomness that can be had again: the seed stands in a failure's output."""
    sys.stdout.write(f"REMIT_SEED={rng_seed}\n")
    yield random.Random(rng_seed)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=pytest.mark.soak)])
def test_nothing_is_lost_repeated_or_forked(
    installed: Installation, tmp_path: Path, kills: int
) -> None:
    seed = int(os.environ.get("REMIT_SEED", str(random.SystemRandom().randrange(2**32))))
    log = installed.var / "log"
    with told(seed) as rng, Poller(log / "checkpoint") as poller:
        witness = installed.start("witness", "--port=0", "--register")
        installed.wait(lambda: "group" in read_policy(log), what="the witness's registration")
        writers = Writers(installed, tmp_path)
        kill_often(installed, writers, rng, kills)
        committed = writers.end()
        finish(installed)
        assert witness.is_alive
    assert_whole(installed, committed)
    last = scan(log)
    assert_consistent(log, poller, last)
    sys.stdout.write(f"{kills} kills, {last.size} entries, {len(poller.seen)} heads served\n")


def read_policy(log: Path) -> str:
    path = log / "policy"
    return path.read_text() if path.exists() else ""


def kill_often(installed: Installation, writers: Writers, rng: random.Random, kills: int) -> None:
    """Kill the sequencer from its first steps to well into its work."""
    start_seconds = 1.5
    for number in range(kills):
        began = time.monotonic()
        running = installed.start("sequencer")
        if number % 3 == 0:
            # Wait until it stands, so that every third dies at work, however slow the start.
            while " at " not in running.log.read_text() and running.is_alive:
                time.sleep(0.01)
            start_seconds = time.monotonic() - began
            time.sleep(rng.uniform(0, 0.7))
        else:
            time.sleep(rng.uniform(0.6, 1.4) * start_seconds)
        assert running.is_alive, running.tail()
        running.kill()
        if number % 5 == 2:
            writers.kill_one(rng)


def finish(installed: Installation) -> None:
    """Let what waits, shy entries included, reach the log."""
    deadline = time.monotonic() + 60
    while True:
        installed.manage("sequencer", "--once")
        if not ask(installed)["waiting"]:
            return
        assert time.monotonic() < deadline
        time.sleep(1)


def ask(installed: Installation) -> dict[str, int]:
    return {name: int(rows(installed, query)[0][0]) for name, query in QUERIES.items()}


def rows(installed: Installation, query: str) -> list[tuple[Any, ...]]:
    if url := installed.settings.get("DATABASE_URL"):
        with psycopg.connect(url) as database:
            return database.execute(query).fetchall()
    with contextlib.closing(sqlite3.connect(installed.var / "remit.sqlite3")) as file:
        return file.execute(query).fetchall()


def assert_whole(installed: Installation, committed: set[str]) -> None:
    """Every entry has exactly one place, and nothing that a writer saw committed is missing."""
    found = ask(installed)
    count = found["entries"]
    assert found == {
        "entries": count,
        "leaves": count,
        "distinct": count,
        "end": count,
        "waiting": 0,
        "size": count,
        "published": count,
        "halted": 0,
    }
    held = "SELECT entry.uuid FROM audit_entry entry JOIN audit_leaf place ON entry_id = entry.id"
    placed = {str(row[0]).replace("-", "") for row in rows(installed, held)}
    assert committed
    assert not {one.replace("-", "") for one in committed} - placed


def trust(log: Path) -> Trust:
    return Trust(keys=tuple(parse_vkeys((log / "vkeys").read_text())))


def scan(log: Path) -> Checkpoint:
    """Read the whole log with the stand-alone verifier."""
    head = accept((log / "checkpoint").read_bytes(), trust(log))
    Scan(
        source=open_source(str(log)),
        checkpoint=head,
        rules=Rules(origin=head.origin, longest_delay=7200.0, no_later_than=time.time() + 60),
        frontier=Frontier(),
    ).run()
    return head


def assert_consistent(log: Path, poller: Poller, last: Checkpoint) -> None:
    """The log extends every checkpoint that anybody was ever served."""
    tree = TileTree(open_source(str(log)), last.size)
    heads = [accept(data, trust(log)) for data in poller.seen]
    assert heads
    assert [head.size for head in heads] == sorted(head.size for head in heads)
    for head in heads:
        check_consistency(
            old_size=head.size,
            old_root=head.root,
            new_size=last.size,
            new_root=last.root,
            path=tree.consistency_path(head.size),
        )
