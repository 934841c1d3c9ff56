"""Sealed batches of 1,000 events over HTTP, from signature to durable 202, one web process.

The limit is an endpoint of the same server that commits one row with the same bytes. Web CPU is
what counts: waiting for the disk costs nobody a core.
"""

import os
import random
import statistics
import time
from collections.abc import Callable  # noqa: TC003 - one place for imports.
from urllib.parse import urlsplit

import httpx
from django.db import connection

from audit import sequencer
from bench import rounds, steps
from bench.serving import Served, serving
from remit_agent import signing
from tests import make
from tests.governance.api.door import door_client

DATABASES = ("sqlite", "postgresql")
EVENTS = 1000
BATCHES = 100
ROUNDS = 5
_UPLOAD = "/api/v1/agent/capture-batches"
_TYPE = "application/vnd.remit.sealed-batch.v1"

_INTAKE = "governance.capture.intake:"
STEPS = {
    "signature": (
        "governance.api.device_authentication:signed_parts",
        "governance.api.device_authentication:accounts.enrolled",
        "governance.api.device_authentication:verify_ed25519",
    ),
    "parse": (_INTAKE + "sealed_batch.parse",),
    "consent and device locks": (
        _INTAKE + "consent.selectors.lock",
        _INTAKE + "accounts.hold_enrolled",
    ),
    "session, repeats and budget": (
        _INTAKE + "_advance_session",
        _INTAKE + "_check_id",
        _INTAKE + "_spend_budget",
    ),
    "policy": (_INTAKE + "_issued_epoch", _INTAKE + "seal_keys.is_open"),
    "consent facts and decision": (_INTAKE + "cells.locked_cells_of", _INTAKE + "_check"),
    "log entry": (_INTAKE + "journal.append",),
    "insert": (_INTAKE + "_store", _INTAKE + "jobs.add"),
    "commit": ("django.db.backends.base.base:BaseDatabaseWrapper.commit",),
    "ring": ("governance.jobs.doorbell:ring",),
}

Request = tuple[str, bytes, dict[str, str]]


def run() -> list[rounds.Row]:
    with sequencer.opened() as log:
        log.turn()
    nordhafen = make.house()
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    agent = make.endpoint(nordhafen, "mira")
    with connection.cursor() as cursor:
        binary = "BYTEA" if connection.vendor == "postgresql" else "BLOB"
        cursor.execute(f"CREATE TABLE bench_row (body {binary})")
    port = urlsplit(os.environ["REMIT_EXTERNAL_ORIGIN"]).port
    assert port is not None
    with serving(port) as server, httpx.Client(base_url=server.origin) as client:
        seen: dict[str, list[tuple[float, list[float]]]] = {}
        sides: dict[str, Callable[[], Request]] = {
            "one row, one commit": lambda: ("/bench/bare", sealed(agent)[1], {}),
            "intake with every check": lambda: upload(agent),
        }
        for side, prepared in sides.items():
            measured(server, client, [prepared() for _ in range(10)])
            seen[side] = []
        for _ in range(ROUNDS):
            for side, prepared in sides.items():
                requests = [prepared() for _ in range(BATCHES)]
                seen[side].append(measured(server, client, requests))
        peak = server.resident_mib()
    return [*table(seen, peak), *_shares(agent)]


def _shares(agent: make.Endpoint) -> list[rounds.Row]:
    """Return what each step takes of the request, in this process, server and socket aside."""
    client = door_client()
    requests = [upload(agent) for _ in range(2 * BATCHES)]

    def send(some: list[Request]) -> None:
        for path, body, headers in some:
            answer = client.post(path, body, content_type=_TYPE, headers=headers)
            assert answer.status_code == 202, answer.content

    send(requests[:BATCHES])
    return steps.shares(STEPS, lambda: send(requests[BATCHES:]))


def measured(
    server: Served, client: httpx.Client, requests: list[Request]
) -> tuple[float, list[float]]:
    """Send the requests one after another; return the web CPU of each and their latencies."""
    before, waited = server.cpu_seconds(), []
    for path, body, headers in requests:
        start = time.perf_counter()
        answer = client.post(path, content=body, headers=headers)
        waited.append((time.perf_counter() - start) * 1000)
        assert answer.status_code == 202, answer.text
    return (server.cpu_seconds() - before) / len(requests), waited


def table(seen: dict[str, list[tuple[float, list[float]]]], peak: float) -> list[rounds.Row]:
    cpu = {side: statistics.median(each for each, _ in found) for side, found in seen.items()}
    limit = cpu["one row, one commit"]
    rows: list[rounds.Row] = []
    for side, found in seen.items():
        waited = sorted(value for _, values in found for value in values)
        rows.append(
            {
                "side": side,
                "events per web-CPU-s": round(EVENTS / cpu[side]),
                "ratio": round(limit / cpu[side], 2),
                "p50 ms": round(statistics.median(waited), 2),
                "p99 ms": round(waited[int(len(waited) * 0.99)], 2),
            }
        )
    return [*rows, {"side": f"peak memory of the web process {peak:.0f} MiB"}]


def upload(agent: make.Endpoint) -> Request:
    """Return a signed upload, as the agent sends it."""
    batch_id, wire = sealed(agent)
    headers = {"Content-Type": _TYPE, "Idempotency-Key": f'"{batch_id}"'}
    target = signing.Target(method="POST", uri=os.environ["REMIT_EXTERNAL_ORIGIN"] + _UPLOAD)
    signer = signing.DeviceSigner(str(agent.device.id), agent.key)
    signed = signing.sign_request(
        target=target, headers=headers, body=wire, signer=signer, now_s=int(time.time())
    )
    return _UPLOAD, wire, headers | signed


def sealed(agent: make.Endpoint) -> tuple[str, bytes]:
    """Return the id and wire bytes of a batch of pointer events."""
    now = time.time_ns() - EVENTS * 1_000
    lines = [
        {
            "seq": agent.next_seq + number,
            "t_ns": now + number * 1_000,
            "type": "mouse.move",
            "app": make.DESK,
            "x": random.randrange(1900),
            "y": random.randrange(1000),
        }
        for number in range(EVENTS)
    ]
    header, wire = make.sealed(agent, lines, {(make.DESK, "pointer"): EVENTS})
    return str(header["batch_id"]), wire
