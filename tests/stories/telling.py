"""What `make run` promises of its story: it goes on after a kill, and is told once.

And of its processes: that none outlives the one that keeps them.
"""

import os
import signal
import time
from pathlib import Path

import httpx

from tests.infrastructure import http
from tests.infrastructure.http import Person
from tests.infrastructure.processes import Installation, Running

# Far above the promised 90 seconds: other tests run beside this one.
PATIENCE_SECONDS = 400


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
    """Whether a process lives."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rsplit(")", 1)[1].split()[0] != "Z"


def kill_the_narrator(house: Installation, running: Running) -> None:
    """Kill the process that tells the story in the middle of its longest chapter."""
    house.wait(
        lambda: "  5 done" in running.log.read_text().partition("People decide")[2],
        what="the middle of the story",
        timeout_seconds=PATIENCE_SECONDS,
    )
    (narrator,) = [pid for pid in family(running.process.pid) if _tells(pid)]
    os.kill(narrator, signal.SIGKILL)


def _tells(pid: int) -> bool:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return b"demo" in words


def stop(house: Installation) -> None:
    """Stop the service in order; everybody it started is gone, too."""
    keeper = house.started[-1].process.pid
    # Another test may just have killed workers, which come back after a pause.
    house.wait(
        lambda: len(family(keeper)) >= 7,
        what="web, worker, beat, sequencer, witness and their children",
        timeout_seconds=120,
    )
    processes = family(keeper)
    assert house.started[-1].stop(patience_seconds=60) == 0
    _wait_for_the_end_of(processes)


def kill(house: Installation) -> None:
    """Kill whoever keeps the processes, and nobody else; they do not outlive it."""
    running = house.started[-1]
    processes = family(running.process.pid)
    running.process.send_signal(signal.SIGKILL)
    running.process.wait(30)
    _wait_for_the_end_of(processes)


def _wait_for_the_end_of(processes: list[int]) -> None:
    deadline = time.monotonic() + 60
    while left := [pid for pid in processes if is_there(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def check(origin: str) -> None:
    """Everything that the story tells has happened."""
    people = {name: Person(origin) for name in ("mira", "tariq", "carla", "jonas", "wanda")}
    for name, person in people.items():
        person.sign_in(name)
    assert {capture["application"] for capture in _captures(people["mira"])} == {
        "freight-desk",
        "warehouse-terminal",
    }
    assert _consents(people["mira"]) == {"ConsentGiven"}
    assert _consents(people["tariq"]) == {"ConsentUnknown"}
    assert _captures(people["tariq"]) == []
    assert _consents(people["carla"]) == {"ConsentUnknown", "ConsentWithdrawn"}
    assert _captures(people["carla"]) == []
    jonas, wanda = people["jonas"], people["wanda"]
    (asked,) = jonas.get("/api/v1/access-requests").json()["access_requests"]
    (release,) = jonas.get("/api/v1/releases").json()["releases"]
    assert (asked["state"], release["state"]) == ("approved", "published")
    assert release["contributors_at_least"] >= 20
    assert wanda.get("/api/v1/me/captures").status_code == httpx.codes.FORBIDDEN
    refused = wanda.get("/api/v1/audit/entries", event="access:denied").json()
    assert refused["entries"]
    checkpoint = http.get(f"{origin}/log/checkpoint").text
    assert checkpoint.startswith("remit.nordhafen.example/log\n")
    for person in people.values():
        person.__exit__(None, None, None)


def _consents(person: Person) -> set[str]:
    return {cell["status"] for cell in person.get("/api/v1/me/consents").json()["cells"]}


def _captures(person: Person) -> list[dict[str, object]]:
    found: list[dict[str, object]] = person.get("/api/v1/me/captures", limit=100).json()["captures"]
    return found
