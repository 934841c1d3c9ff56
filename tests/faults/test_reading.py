"""Readers while the web dies or a consent ends: no byte without an entry, none after a no."""

import base64
import json
import threading
import time
from uuid import UUID

import httpx
import pytest

from tests.faults.service import Service
from tests.infrastructure.http import Person

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(600)]
ALLOWED = """
    SELECT count(*) FROM audit_entry WHERE event = 'access:allowed' AND purpose = 'own-access'
"""
READS = "SELECT count(*) FROM audit_entry WHERE event = '{event}' AND act = 'read'"
TRAIN = "train-computer-use-agents"


def read_all(mira: Person, frames: list[str], got: list[float]) -> None:
    for frame in frames * 20:
        try:
            if mira.get(f"/api/v1/me/captures/{frame}").status_code == 200:
                got.append(time.monotonic())
        except httpx.TransportError:
            return


def unclosed(service: Service) -> int:
    """Return how many reads were allowed and are not closed."""
    allowed, closed = (
        service.rows(READS.format(event=f"access:{end}"))[0][0] for end in ("allowed", "closed")
    )
    return int(allowed - closed)


def test_a_web_killed_while_it_answers_has_written_the_entry_first(service: Service) -> None:
    """F03: killed while three readers read; as many entries as reads, keys used under them alone.

    What the killed web could not close, the hourly sweep calls incomplete.
    """
    service.ensure()
    service.deliver(service.batches(6))
    service.settle()
    # A fast web has often answered everybody when it dies: again, until a read was cut.
    for number in range(12):
        service.ensure()
        got: list[float] = []
        readers = [Person(service.installed.origin).sign_in("mira") for _ in range(3)]
        listed = readers[0].get("/api/v1/me/captures").json()["captures"]
        before = service.rows(ALLOWED)[0][0]
        frames = [str(one["id"]) for one in listed][:10]
        threads = [
            threading.Thread(target=read_all, args=(reader, frames, got)) for reader in readers
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.7 + 0.2 * (number % 3))
        service.kill("web")
        for thread in threads:
            thread.join()
        assert got
        assert service.rows(ALLOWED)[0][0] - before >= len(got)
        if number >= 2 and unclosed(service):
            break
    service.ensure()
    assert unclosed(service) > 0, "No read was cut."
    service.aside("close_cut_reads")
    assert unclosed(service) == 0
    service.judge()


@pytest.fixture
def release(service: Service) -> str:
    """A published release of three people."""
    service.ensure()
    for name in ("mira", "tariq", "carla"):
        service.deliver(service.batches(1, of=name))
    service.settle()
    service.aside("act", "release", "mira")
    service.settle(seconds=120)
    found = service.rows("SELECT id FROM releases_release ORDER BY id DESC LIMIT 1")
    return str(UUID(str(found[0][0])))


def test_a_download_after_the_no_is_refused_whoever_is_quicker(
    service: Service, release: str
) -> None:
    """F35: files are fetched without end while a contributor withdraws; none of theirs after it.

    A file is one answer, decided as a whole; a release being built is tests.faults.enumeration's.
    """
    with Person(service.installed.origin) as jonas:
        jonas.sign_in("jonas")
        manifest = jonas.get(f"/api/v1/releases/{release}/manifest").json()["payload"]
        files = json.loads(base64.b64decode(manifest))["files"]
        paths = [f"/api/v1/releases/{release}/files/{file['name']}" for file in files]
        assert len(paths) == 3
        answers: list[tuple[float, str, int]] = []
        is_over = threading.Event()

        def fetch() -> None:
            while not is_over.is_set():
                for path in paths:
                    began = time.monotonic()
                    status = jonas.get(path, purpose=TRAIN).status_code
                    answers.append((began, path, status))

        thread = threading.Thread(target=fetch)
        thread.start()
        time.sleep(1)
        service.aside("act", "withdraw", "tariq")
        ended = time.monotonic()
        time.sleep(2)
        is_over.set()
        thread.join()
    assert {path for _, path, status in answers if status == 200} == set(paths)
    late = {path for began, path, status in answers if began > ended and status == 200}
    gone = {path for began, path, status in answers if began > ended and status in {403, 410}}
    assert len(gone) >= 1
    assert not late & gone
    service.settle(in_haste=True)
    service.judge()
