"""Signed policy polls of 100,000 devices: nothing new (304), the policy in force (200), a new one.

The limit is a bare hello of the same server in the same run. What counts is the CPU that one web
process spends on each; the paced row says how long one waits while a thousand ask each second.
"First" is what a process pays that knows nothing of a device yet. The same requests come by the
long way, too: through Django and its view.
"""

import asyncio
import json
import os
import random
import statistics
import time
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from audit import sequencer, sql
from audit.ids import uuid7
from bench import rounds
from bench.serving import Served, serving
from governance.accounts.models import Device
from governance.api.device_authentication import new_session
from governance.capture import agent_policy
from remit_agent import signing
from tests import make

DATABASES = ("sqlite", "postgresql")
DEVICES = int(os.environ.get("REMIT_BENCH_DEVICES", "100000"))
REQUESTS = 2000
# Policies that are signed in each round, and devices whose whole policy can be asked for.
SIGNED = 40
WITH_BYTES = 2000
CHUNK = 5000
ROUNDS = 15
PACED_PER_S = 1000
PACED_S = 10
CONNECTIONS = 16
POLICY = "/api/v1/agent/policy"
# The hexadecimal digits of many ids as rows, one as an id, and as octets: every key is another one.
_EACH = {"sqlite": "json_each(%s)", "postgresql": "json_array_elements_text(%s::json)"}
_ID = {"sqlite": "value", "postgresql": "value::uuid"}
_OCTETS = {"sqlite": "CAST(value AS BLOB)", "postgresql": "convert_to(value, 'UTF8')"}


def run() -> list[rounds.Row]:
    with sequencer.opened() as log:
        log.turn()
    house = make.house()
    make.decide(house, "mira", [(make.TRAIN, make.DESK, "pointer")])
    device = make.endpoint(house, "mira").device
    known = enrol_many(device)
    unsigned = [uuid7() for _ in range(SIGNED * ROUNDS)]
    enrol(device, unsigned, subject=device.subject)
    fresh = iter(unsigned)
    parts = urlsplit(os.environ["REMIT_EXTERNAL_ORIGIN"])
    assert parts.port is not None
    seen: dict[str, list[float]] = {}
    with serving(parts.port, application="bench.polled:application") as server:

        def measure(side: str, sent: list[bytes]) -> None:
            before = server.cpu_seconds()
            asyncio.run(send(server, sent, per_second=0))
            seen.setdefault(side, []).append((server.cpu_seconds() - before) / len(sent))

        for start in range(0, len(known), CHUNK):
            measure("304, first", [poll(*each) for each in known[start : start + CHUNK]])
        for _ in range(ROUNDS):
            chosen = [random.choice(known) for _ in range(REQUESTS)]
            whole = [random.choice(known[:WITH_BYTES])[0] for _ in range(REQUESTS // 4)]
            measure("bare hello", [request("/bench/hello", {})] * REQUESTS)
            measure("304", [poll(*each) for each in chosen])
            measure("200", [poll(each, "") for each in whole])
            measure("200, newly signed", [poll(next(fresh), "") for _ in range(SIGNED)])
            slow = chosen[: REQUESTS // 8]
            measure("304 by Django", [poll(*each, Accept="*/*;q=1") for each in slow])
        polls = [poll(*random.choice(known)) for _ in range(PACED_PER_S * PACED_S)]
        waited = sorted(asyncio.run(send(server, polls, per_second=PACED_PER_S)))
    paced: rounds.Row = {
        "side": f"304 at {PACED_PER_S}/s, {DEVICES} devices",
        "p50 ms": round(statistics.median(waited) * 1000, 2),
        "p99 ms": round(waited[int(len(waited) * 0.99)] * 1000, 2),
    }
    return [*_rows(seen), paced]


def _rows(seen: dict[str, list[float]]) -> list[rounds.Row]:
    hello = seen["bare hello"]
    return [
        {
            "side": side,
            "per web-CPU-s": round(1 / statistics.median(values)),
            "ratio": round(_ratio(hello, values), 3),
        }
        for side, values in seen.items()
    ]


def _ratio(hello: list[float], values: list[float]) -> float:
    """Return the median over the rounds: who else is busy disturbs both sides of one alike."""
    if len(values) != len(hello):
        return statistics.median(hello) / statistics.median(values)
    return statistics.median(bare / each for bare, each in zip(hello, values, strict=True))


def enrol_many(first: Device) -> list[tuple[UUID, str]]:
    """Enrol the devices, each with a person and a policy of its own; return (id, etag)."""
    policy = agent_policy.current(device_id=first.id, subject=first.subject)
    ids = [uuid7() for _ in range(DEVICES)]
    with transaction.atomic():
        enrol(first, ids)
        sql.rows(
            "INSERT INTO consent_epoch (subject, epoch) "
            f"SELECT value, 0 FROM {_EACH[connection.vendor]}",
            [_listed(ids)],
        )
        issued = timezone.now()
        times = [issued, issued + timedelta(minutes=15)]
        # A hundred thousand copies of the bytes would only fill the disk.
        for some, envelope in ((ids[:WITH_BYTES], policy.envelope), (ids[WITH_BYTES:], b"")):
            sql.rows(
                "INSERT INTO capture_issuedpolicy (digest, device_id, policy_epoch, consent_epoch,"
                " issued_at, expires_at, etag, envelope)"
                f" SELECT value, {_ID[connection.vendor]}, %s, 0, %s, %s, '\"' || value || '\"', %s"
                f" FROM {_EACH[connection.vendor]}",
                [policy.policy_epoch, *times, envelope, _listed(some)],
            )
    return [(each, f'"{each.hex}"') for each in ids]


def enrol(first: Device, ids: Sequence[UUID], *, subject: str | None = None) -> None:
    """Enrol more devices, of this person or of somebody else each."""
    whose = "value" if subject is None else "%s"
    sql.rows(
        "INSERT INTO accounts_device (id, subject, label, platform, public_key, enrolled_at,"
        f" entry_id) SELECT {_ID[connection.vendor]}, {whose}, 'bench', 'test',"
        f" {_OCTETS[connection.vendor]}, %s, %s FROM {_EACH[connection.vendor]}",
        [*([] if subject is None else [subject]), timezone.now(), first.entry_id, _listed(ids)],
    )


def _listed(ids: Sequence[UUID]) -> str:
    return json.dumps([each.hex for each in ids])


def poll(device: UUID, etag: str, **more: str) -> bytes:
    """Return a signed poll, as the agent sends it, with what else is given."""
    session, key, _ = new_session(device)
    target = signing.Target(method="GET", uri=os.environ["REMIT_EXTERNAL_ORIGIN"] + POLICY)
    signer = signing.SessionSigner(session, key)
    signed = signing.sign_request(
        target=target, headers={}, body=None, signer=signer, now_s=int(time.time())
    )
    return request(POLICY, signed | more | ({"If-None-Match": etag} if etag else {}))


def request(path: str, headers: dict[str, str]) -> bytes:
    host = urlsplit(os.environ["REMIT_EXTERNAL_ORIGIN"]).netloc
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *(f"{n}: {v}" for n, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def send(server: Served, requests: list[bytes], *, per_second: int) -> list[float]:
    """Send the requests over a few connections, each at its time; return how long each waited."""
    parts = urlsplit(server.origin)
    start = time.perf_counter() + 0.05
    waited: list[float] = []
    waiting = iter(enumerate(requests))

    async def one() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for number, octets in waiting:
            due = start + number / per_second if per_second else 0.0
            if (left := due - time.perf_counter()) > 0:
                await asyncio.sleep(left)
            writer.write(octets)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            _, _, length = head.partition(b"content-length: ")
            if length and not head.startswith(b"http/1.1 304"):
                await reader.readexactly(int(length.split(b"\r\n", 1)[0]))
            assert head[9:12] in {b"200", b"304"}, head
            # Counted from when it was due: who comes late because others wait, waits too.
            waited.append(time.perf_counter() - (due or time.perf_counter()))
        writer.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return waited
