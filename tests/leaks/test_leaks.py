"""Captured text is made to fail at every step of its way, and then nothing anywhere holds it.

One canary goes up in batch after batch: accepted, refused by web and worker, quarantined, with
workers that raise, crash and are killed while they hold it, without storage and without keys; what
is left of it is released, exported, read and erased. Then every file of the run is scanned, its
logs, its databases' and its broker's memory, what its processes hold open, and shared places.
"""

import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.faults.servers import Broker, Cluster
from tests.faults.service import ACCEPTED, BATCHES, Sealed, Service
from tests.faults.test_keystore import nowhere
from tests.infrastructure import traces
from tests.infrastructure.canary import Canary, Hit
from tests.infrastructure.http import Person
from tests.infrastructure.processes import ROOT

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(1800)]

REFUSED = ("garbage", "no JSON", "unknown field", "unknown type", "elsewhere", "wrong kind")
SEALED = "application/vnd.remit.sealed-batch.v1"


class Scene:
    """The run, its canary, and the moment it began."""

    def __init__(self, service: Service, person: str) -> None:
        self.service = service
        self.person = person
        self.word = f"quokka{secrets.token_hex(8)}"
        self.began = time.time()
        self.own = service.installed.var.parent
        self.stalled = service.folder / "stalled"

    def batches(self, *forms: str) -> list[Sealed]:
        """Seal a batch of each form."""
        aside = [sys.executable, "-m", "tests.leaks.aside", str(self.service.folder)]
        done = subprocess.run(
            [*aside, self.person, self.word, *forms],
            cwd=ROOT,
            env=self.service.installed.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return [Sealed.read(line) for line in done.stdout.splitlines()]

    def deliver(self, *forms: str) -> None:
        """Send batches until each is taken, and let the worker end them."""
        self.service.deliver(self.batches(*forms))

    def start_worker(self, **environment: str) -> None:
        """Start a worker that fails as the text bids it."""
        if "worker" in self.service.running:
            self.service.kill("worker")
        self.service.start(
            "worker",
            "--include",
            "tests.leaks.hooks",
            under=("sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh"),
            REMIT_TEST_STALLED=str(self.stalled),
            TMPDIR=str(self.own),
            **environment,
        )

    def end(self) -> None:
        """Let pauses be over until every job is done or given up."""
        for _ in range(12):
            self.service.hurry()
            with suppress(Exception):
                self.service.settle(seconds=3)
                return
        self.service.settle(seconds=60)

    def family(self) -> list[int]:
        alive = [one.process.pid for one in self.service.installed.started if one.is_alive]
        return traces.family(alive)

    def scan(self, database: Cluster | None, bell: Broker | None) -> list[Hit]:
        """Look everywhere."""
        canary = Canary(self.word)
        hits = canary.scan_tree(self.own) + canary.scan_tree(self.service.folder)
        if database is not None:
            hits += canary.scan_tree(database.server.data)
            hits += canary.scan(database.server.data.with_name("log").read_bytes(), "postgres")
        if bell is not None:
            hits += canary.scan(bell.server.dumped(), "redis")
            hits += canary.scan_tree(bell.folder)
        for process in self.family():
            for where, data in traces.of_process(process):
                hits += canary.scan(data, where)
        shared = Path(tempfile.gettempdir())
        without = [*shared.glob("pytest-of-*"), *shared.glob("remit-*")]
        for path in traces.left_in_shared_places(since=self.began, without=without):
            with suppress(OSError):
                hits += canary.scan(path.read_bytes(), str(path))
        return hits


@pytest.fixture(scope="module")
def scene(service: Service) -> Scene:
    return Scene(service, "mira")


@contextmanager
def no_storage(service: Service) -> Iterator[None]:
    """Let a file stand where the directory of ciphertext was."""
    place = service.installed.var / "objects"
    aside = place.with_name("objects-aside")
    if place.exists():
        place.rename(aside)
    place.write_text("in the way")
    try:
        yield
    finally:
        place.unlink()
        if aside.exists():
            aside.rename(place)


def test_nothing_anywhere_holds_what_was_captured(
    scene: Scene, database: Cluster | None, bell: Broker | None
) -> None:
    service = scene.service
    service.ensure()
    scene.start_worker()
    _taken_and_refused(scene)
    _workers_that_fail(scene)
    _without_storage_and_keys(scene)
    _used_and_erased(scene)
    assert scene.scan(database, bell) == []
    assert len(scene.family()) > 5
    assert not [process for process in scene.family() if traces.may_dump(process)]
    cores = [*scene.own.rglob("core*"), *ROOT.glob("core"), *ROOT.glob("core.*")]
    assert [path for path in cores if path.is_file() and path.suffix != ".py"] == []


def _taken_and_refused(scene: Scene) -> None:
    service = scene.service
    scene.deliver("good", "large", "wrong role", *REFUSED)
    scene.end()
    states = dict(service.rows("SELECT state, count(*) FROM capture_batchoutcome GROUP BY state"))
    assert states["done"] >= 2, states
    assert states["refused"] >= len(REFUSED), states
    # What an agent would do that forgot to seal, and one that says too much beside the batch.
    (sealed,) = scene.batches("never sent")
    for content, headers in (
        (f'{{"text": "{scene.word}"}}'.encode(), {"Content-Type": "application/json"}),
        (scene.word.encode() * 99, {"Content-Type": SEALED}),
        (sealed.wire, {"Content-Type": SEALED, "Idempotency-Key": scene.word}),
        (sealed.wire, {"Content-Type": SEALED, "Signature": scene.word, "Cookie": scene.word}),
    ):
        origin = service.installed.origin
        answer = httpx.post(f"{origin}{BATCHES}?{scene.word}", content=content, headers=headers)
        assert 400 <= answer.status_code < 500
        assert scene.word not in answer.text


def _workers_that_fail(scene: Scene) -> None:
    service = scene.service
    scene.deliver("bid:raise", "bid:crash")
    scene.end()
    assert service.states("capture:redact")["quarantined"] == 2
    scene.deliver("bid:stall")
    service.hurry()
    service.wait(scene.stalled.exists, what="a worker with text in its hands", seconds=60)
    # Without the hooks the next one does what the killed one did not.
    service.kill("worker")
    service.start("worker")
    scene.end()


def _without_storage_and_keys(scene: Scene) -> None:
    service = scene.service
    with no_storage(service):
        scene.deliver("large")
        service.hurry()
        time.sleep(3)
    service.kill("worker")
    scene.deliver("large", "good")
    service.start("worker", **nowhere(service))
    for _ in range(3):
        service.hurry()
        time.sleep(1.5)
    scene.start_worker()
    scene.end()


def _used_and_erased(scene: Scene) -> None:
    service = scene.service
    service.deliver(service.batches(1, of="carla") + service.batches(1, of="tariq"))
    scene.end()
    service.aside("act", "release", "mira")
    scene.end()
    with Person(service.installed.origin) as mira:
        mira.sign_in("mira")
        for capture in mira.get("/api/v1/me/captures").json()["captures"]:
            assert mira.get(f"/api/v1/me/captures/{capture['id']}").status_code == ACCEPTED - 2
        assert mira.post("/api/v1/me/requests", {"kind": "portability"}).is_success
        scene.end()
    service.aside("act", "erase", "mira")
    scene.end()


def test_a_leak_would_be_found_wherever_it_is(
    scene: Scene, database: Cluster | None, bell: Broker | None
) -> None:
    """Printed, cached, in shared memory, in a deleted file that a process still holds."""
    service = scene.service
    service.ensure()
    scene.start_worker()
    leaked = Scene(service, "carla")
    try:
        leaked.deliver("bid:leak")
        leaked.end()
        found = " ".join(hit.where for hit in leaked.scan(database, bell))
    finally:
        for path in Path("/dev/shm").glob("remit-leak-*"):
            path.unlink()
    for where in ("worker.log", "cache.gz", "/dev/shm/remit-leak", "(deleted) held by"):
        assert where in found
