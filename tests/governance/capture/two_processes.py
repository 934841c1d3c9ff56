"""One installation with two web processes for test_two_processes; prints how long changes took.

python -m tests.governance.capture.two_processes
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import django
import httpx

django.setup()

from audit import sequencer  # noqa: E402 - Django must stand first.
from bench import polling  # noqa: E402
from bench.serving import serving  # noqa: E402
from consent.services import pause  # noqa: E402
from consent.status import ConsentStatus  # noqa: E402
from governance.accounts import services as accounts  # noqa: E402
from governance.capture import agent_policy  # noqa: E402
from governance.policies import suspending  # noqa: E402
from tests import make  # noqa: E402
from tests.infrastructure import laid  # noqa: E402
from tests.infrastructure.http import get  # noqa: E402
from tests.infrastructure.servers import free_port  # noqa: E402

CELLS = [(make.TRAIN, make.DESK, "pointer")]
PATIENCE_SECONDS = 10


def main() -> dict[str, list[float]]:
    laid.lay()
    with sequencer.opened() as log:
        log.turn()
    house = make.house()
    make.decide(house, "mira", CELLS)
    agent = make.endpoint(house, "mira")
    changes: dict[str, Callable[[], object]] = {
        "withdrawal": lambda: make.decide(house, "mira", CELLS, ConsentStatus.WITHDRAWN),
        "consent": lambda: make.decide(house, "mira", CELLS),
        "pause": lambda: pause(
            subject=agent.subject, device_id=None, until=None, actor=house.actor("mira")
        ),
        "stop": lambda: suspending.stop(reason="Test.", actor=house.wanda),
        "revocation": lambda: accounts.revoke_device(
            device_id=agent.device.id, actor=house.actor("mira")
        ),
    }
    with ExitStack() as stack:
        ports = [stack.enter_context(web(port)) for port in (own_port(), free_port())]
        return {name: waited(agent, ports, change) for name, change in changes.items()}


def own_port() -> int:
    port = urlsplit(os.environ["REMIT_EXTERNAL_ORIGIN"]).port
    assert port is not None
    return port


@contextmanager
def web(port: int) -> Iterator[int]:
    with serving(port):
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE_SECONDS:
            with suppress(httpx.TransportError):
                get(f"http://127.0.0.1:{port}/healthz/live")
                break
            time.sleep(0.1)
        yield port


def waited(agent: make.Endpoint, ports: list[int], change: Callable[[], object]) -> list[float]:
    """Return how long each process went on to say that nothing is new."""
    etag = agent_policy.current(device_id=agent.device.id, subject=agent.subject).etag
    for port in ports * 2:
        assert status(agent, port, etag) == 304
    change()
    began, found = time.monotonic(), []
    for port in ports:
        while status(agent, port, etag) == 304:
            assert time.monotonic() - began < PATIENCE_SECONDS
        found.append(time.monotonic() - began)
    return found


def status(agent: make.Endpoint, port: int, etag: str) -> int:
    """Ask one of the processes, as if a balancer had chosen it."""
    head = polling.poll(agent.device.id, etag).decode().strip().split("\r\n")[1:]
    headers = dict(line.split(": ", 1) for line in head)
    return get(f"http://127.0.0.1:{port}{polling.POLICY}", headers=headers).status_code


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
