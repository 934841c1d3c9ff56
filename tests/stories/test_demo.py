"""`make run` on an empty machine: the story is told, goes on after a stop, and leaves nothing."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.infrastructure import http
from tests.infrastructure.processes import Installation, Running, installation

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        "DATABASE_URL" in os.environ,
        reason="An empty machine has SQLite; the pass on SQLite walks this.",
    ),
]

# Far above the promised 90 seconds: other tests run beside this one.
_PATIENCE_SECONDS = 400


class Visitor:
    """Somebody signed in, with nothing but HTTP."""

    def __init__(self, origin: str, username: str) -> None:
        self.base = f"{origin}/api/v1/"
        credentials = {"username": username, "password": "demo"}
        answer = http.post(f"{self.base}session", json=credentials, timeout=30)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        self.cookies = answer.cookies

    def ask(self, path: str) -> httpx.Response:
        return http.get(f"{self.base}{path}", cookies=self.cookies, timeout=30)

    def get(self, path: str) -> Any:
        answer = self.ask(path)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    def consents(self) -> dict[str, int]:
        statuses = [cell["status"] for cell in self.get("me/consents")["cells"]]
        return {status: statuses.count(status) for status in set(statuses)}

    def captures(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("me/captures?limit=100")["captures"]
        return found


def family(leader: int) -> list[int]:
    """Return the ids of a process and of everything it started."""
    found = [leader]
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == leader and fields[0] != "Z":
            found += family(int(path.parent.name))
    return found


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    return state.rsplit(")", 1)[1].split()[0] != "Z"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path, REMIT_DEMO="1") as installed:
        yield installed


def start(house: Installation, *, break_off: bool = False) -> tuple[Running, list[int]]:
    running = house.start("serve")
    if break_off:
        _kill_the_narrator(house, running)
    house.wait_ready(timeout_seconds=_PATIENCE_SECONDS)
    return running, family(running.process.pid)


def _kill_the_narrator(house: Installation, running: Running) -> None:
    """Kill the process that tells the story in the middle of its longest chapter."""
    house.wait(
        lambda: "  5 done" in running.log.read_text().partition("People decide")[2],
        what="the middle of the story",
        timeout_seconds=_PATIENCE_SECONDS,
    )
    (narrator,) = [pid for pid in family(running.process.pid) if _tells(pid)]
    os.kill(narrator, signal.SIGKILL)


def _tells(pid: int) -> bool:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return b"demo" in words


def test_the_story_goes_on_after_a_kill_and_stopping_leaves_no_process(house: Installation) -> None:
    running, processes = start(house, break_off=True)
    assert "demo ended (signal 9)" in running.log.read_text()
    _check_story(house.origin)
    mira = len(Visitor(house.origin, "mira").captures())
    assert len(processes) >= 7, "web, worker, beat, sequencer, witness and their children"
    assert running.stop(patience_seconds=60) == 0
    house.wait(lambda: not any(map(is_there, processes)), what="the end of all processes")

    running, processes = start(house)
    _check_story(house.origin)
    assert len(Visitor(house.origin, "mira").captures()) == mira
    running.process.send_signal(signal.SIGKILL)
    running.process.wait(30)
    house.started.clear()
    house.wait(lambda: not any(map(is_there, processes)), what="the end of all processes")


def _check_story(origin: str) -> None:
    mira, tariq = Visitor(origin, "mira"), Visitor(origin, "tariq")
    carla, jonas = Visitor(origin, "carla"), Visitor(origin, "jonas")
    assert {capture["application"] for capture in mira.captures()} == {
        "freight-desk",
        "warehouse-terminal",
    }
    assert set(mira.consents()) == {"ConsentGiven"}
    assert set(tariq.consents()) == {"ConsentUnknown"}
    assert tariq.captures() == []
    assert set(carla.consents()) == {"ConsentUnknown", "ConsentWithdrawn"}
    assert carla.captures() == []
    (asked,) = jonas.get("access-requests")["access_requests"]
    (release,) = jonas.get("releases")["releases"]
    assert (asked["state"], release["state"]) == ("approved", "published")
    assert release["contributors_at_least"] >= 20
    wanda = Visitor(origin, "wanda")
    assert wanda.ask("me/captures").status_code == httpx.codes.FORBIDDEN
    refused = wanda.get("audit/entries?event=access:denied")
    assert refused["entries"]
    with_checkpoint = http.get(f"{origin}/log/checkpoint")
    assert with_checkpoint.text.startswith("remit.nordhafen.example/log\n")
