"""How long a withdrawal takes to stop an agent: a thousand agents that ask, one web process.

Each simulated agent asks as the reference agent does: held open where the service has a place for
it, else again after the time that the service names. Measured from before the withdrawal to
the last byte of the policy that no longer allows anything, read by the agent it is about.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async

from audit import sequencer
from bench import rounds
from bench.serving import Served, serving
from consent.status import ConsentStatus
from governance.api.device_authentication import new_session
from remit_agent import signing
from tests import make

DATABASES = ("sqlite", "postgresql")
AGENTS = int(os.environ.get("REMIT_BENCH_AGENTS", "1000"))
WITHDRAWALS = int(os.environ.get("REMIT_BENCH_WITHDRAWALS", "100"))
WAIT_S = 15
_POLICY = "/api/v1/agent/policy"


@dataclass(slots=True)
class Simulated:
    """One agent: its session, the policy it follows, and when it last got another one."""

    signer: signing.SessionSigner
    origin: str
    etag: str = ""
    changed: float = 0.0

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
        """Ask once; return after how many seconds to ask again."""
        target = signing.Target(method="GET", uri=self.origin + _POLICY)
        headers = signing.sign_request(
            target=target, headers={}, body=None, signer=self.signer, now_s=int(time.time())
        )
        headers |= {"Host": urlsplit(self.origin).netloc, "Prefer": f"wait={WAIT_S}"}
        if self.etag:
            headers["If-None-Match"] = self.etag
        lines = [f"GET {_POLICY} HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items())]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        status = int(head.split(" ", 2)[1])
        length = int(fields.get("content-length", "0"))
        body = await reader.readexactly(length) if length and status != 304 else b""
        if status == 200:
            self.etag, self.changed = fields["etag"], time.perf_counter()
            return 0.0
        assert status == 304, (head, body)
        return float(fields.get("poll-after", "0"))


async def live(agent: Simulated, delay: float, host: str, port: int) -> None:
    """Ask for ever, from a moment of its own on, over one connection."""
    await asyncio.sleep(delay)
    reader, writer = await asyncio.open_connection(host, port)
    try:
        while True:  # noqa: ASYNC110 - one poll after another.
            await asyncio.sleep(await agent.ask(reader, writer))
    finally:
        writer.close()


async def measure(
    agents: list[Simulated], withdraw: list[Callable[[], object]], server: Served
) -> list[float]:
    parts = urlsplit(server.origin)
    assert parts.hostname
    assert parts.port
    spread = 2.0
    running = [
        asyncio.create_task(live(agent, spread * n / len(agents), parts.hostname, parts.port))
        for n, agent in enumerate(agents)
    ]
    while not all(agent.etag for agent in agents):
        await asyncio.sleep(0.5)
        for task in running:
            if task.done():
                task.result()
    await asyncio.sleep(3)
    waited = []
    for number, act in enumerate(withdraw):
        agent = agents[number]
        start = time.perf_counter()
        await sync_to_async(act)()
        while agent.changed < start:  # noqa: ASYNC110 - the agent tells nobody, it stops.
            await asyncio.sleep(0.005)
        waited.append(agent.changed - start)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return waited


def run() -> list[rounds.Row]:
    with sequencer.opened() as log:
        log.turn()
    house = make.house(more=AGENTS)
    names = [name for name in house.people if name.startswith("employee")]
    cells = [(make.TRAIN, make.DESK, "pointer")]
    origin = os.environ["REMIT_EXTERNAL_ORIGIN"]
    agents, withdrawals = [], []
    for name in names:
        make.decide(house, name, cells)
        device = make.endpoint(house, name).device
        session, key, _ = new_session(device.id)
        agents.append(Simulated(signing.SessionSigner(session, key), origin))
        withdrawals.append(lambda n=name: make.decide(house, n, cells, ConsentStatus.WITHDRAWN))
    port = urlsplit(origin).port
    assert port is not None
    with serving(port) as server:
        before, start = server.cpu_seconds(), time.perf_counter()
        waited = sorted(asyncio.run(measure(agents, withdrawals[:WITHDRAWALS], server)))
        used = (server.cpu_seconds() - before) / (time.perf_counter() - start)
    return [
        {
            "side": f"withdrawal to stop, {AGENTS} agents",
            "p50 s": round(statistics.median(waited), 2),
            "p99 s": round(waited[int(len(waited) * 0.99)], 2),
            "worst s": round(waited[-1], 2),
            "web CPU": round(used, 2),
        }
    ]
