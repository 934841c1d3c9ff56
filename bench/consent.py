"""Consent: the page with 24 applications and three purposes, and what one event asks of it.

The page is fetched over HTTP from the server of production with one worker, its signed-in reader
having answered every cell; beside it the page of computers, which has the same frame and no form.
An event is judged by the rule of the worker (`capture.judging`); beside it the one look into a
dictionary that no check can do without. Cold is the one query for all of a person's consents.
"""

import os
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import httpx
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from audit import sequencer
from bench.rounds import Row
from bench.serving import serving
from consent import selectors
from governance.capture import cells, judging, sealed_batch
from governance.policies.categories import WITHOUT_PICTURES
from tests import large, make

DATABASES = ("sqlite",)
PAGES: Final = 40
EVENTS: Final = 200_000
LOOKS: Final = 40
NOBODY: Final = "nobody"


def run() -> list[Row]:
    """Measure both, the page first: its reader's consents are what an event asks about."""
    with sequencer.opened() as log:
        log.turn()
        house = large.house()
        make.decide(
            house,
            "mira",
            [
                (purpose, key, category.value)
                for purpose in large.PURPOSES
                for key in large.APPLICATIONS
                for category in WITHOUT_PICTURES
            ],
        )
        log.turn()
    return [*pages(), *checks(house.subject("mira"))]


def pages() -> list[Row]:
    call_command("collectstatic", verbosity=0, interactive=False)
    origin = os.environ["REMIT_EXTERNAL_ORIGIN"]
    with serving(urlsplit(origin).port or 80), httpx.Client(base_url=origin, timeout=60) as client:
        client.post("/api/v1/session", json={"username": "mira", "password": "demo"})
        taken: dict[str, list[float]] = {"/consent/": [], "/devices/": []}
        for _ in range(PAGES):
            for path, times in taken.items():
                times.append(fetched(client, path))
    return [
        {
            "side": f"GET {path}",
            "p50 ms": round(statistics.median(times), 1),
            "p95 ms": round(sorted(times)[int(len(times) * 0.95)], 1),
        }
        for path, times in taken.items()
    ]


def fetched(client: httpx.Client, path: str) -> float:
    start = time.perf_counter()
    client.get(path).raise_for_status()
    return (time.perf_counter() - start) * 1000


def checks(subject: str) -> list[Row]:
    now = timezone.now()
    person = cells.cells_of(subject=subject, epoch=0, device_id=None, now=now)
    start_ns = int(now.timestamp() * 1e9)
    declared = sealed_batch.DeclaredFrame(
        make.DESK, "pointer", EVENTS, start_ns, start_ns + EVENTS * 1000
    )
    facts = person.facts(make.DESK, "pointer")
    cell = judging._Cell(declared, facts, received=now + timedelta(days=1), now=now)  # noqa: SLF001
    times = [start_ns + number * 1000 for number in range(EVENTS)]
    assert {cell.refusal(at) for at in times} == {None}
    held = dict.fromkeys(times)
    warm = per_unit(lambda: [cell.refusal(at) for at in times], EVENTS)
    look = per_unit(lambda: [held.get(at) for at in times], EVENTS)
    cold = per_unit(lambda: [selectors.intervals(subject=subject) for _ in range(LOOKS)], LOOKS)
    one = per_unit(lambda: [selectors.epoch(subject=subject) for _ in range(LOOKS)], LOOKS)
    return [
        {"side": "an event judged, warm", "us": round(warm, 2), "ratio": round(warm / look, 1)},
        {"side": "one look into a dictionary", "us": round(look, 2), "ratio": 1},
        {
            "side": f"all {len(person.consent)} consents of a person, cold",
            "us": round(cold),
            "queries": 1,
            "by index": is_indexed(),
            "ratio": round(cold / one, 1),
        },
        {"side": "one row by its key", "us": round(one), "queries": 1, "ratio": 1},
    ]


def per_unit(work: Callable[[], object], units: int, *, rounds: int = 5) -> float:
    """Return the median microseconds of one unit."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) / units * 1e6)
    return statistics.median(taken)


def is_indexed() -> bool:
    """Tell whether the database finds the person's rows without reading everybody's."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A table of one person is read whole; what is asked is whether it need be.
            cursor.execute("SET enable_seqscan = off")
            cursor.execute(f"EXPLAIN {selectors._EVENTS}", [NOBODY])  # noqa: SLF001
            plan = " ".join(row[0] for row in cursor.fetchall())
            cursor.execute("SET enable_seqscan = on")
            return "Index" in plan and "Seq Scan on consent_event" not in plan
        cursor.execute(f"EXPLAIN QUERY PLAN {selectors._EVENTS}", [NOBODY])  # noqa: SLF001
        plan = " ".join(str(row[-1]) for row in cursor.fetchall())
        return "SEARCH e USING INDEX" in plan and "SCAN" not in plan
