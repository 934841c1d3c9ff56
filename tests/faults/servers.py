"""PostgreSQL and Redis of a test's own, to be stopped, paused and started again."""

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from redis import Redis as Client

from tests.infrastructure import postgres, redis
from tests.infrastructure.servers import free_port, own_directory, unprivileged

if TYPE_CHECKING:
    import subprocess


@dataclass
class Cluster:
    """A PostgreSQL cluster with a data and a key database, served or not."""

    server: postgres.Postgres
    settings: Mapping[str, str] = field(default_factory=dict)
    _serving: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def is_alive(self) -> bool:
        """Whether the server runs."""
        return self.process is not None and self.process.poll() is None

    def start(self, *, environment: Mapping[str, str] | None = None) -> None:
        """Serve it."""
        serving = postgres.serving(self.server, environment=environment, settings=self.settings)
        self.process = self._serving.enter_context(serving)

    def stop(self) -> None:
        """End it in order, whoever is still connected ("fast", which SIGTERM is not)."""
        if self.process is not None and self.is_alive:
            self.process.send_signal(signal.SIGINT)
        self._serving.pop_all().close()

    def stop_at_once(self) -> None:
        """End it as `pg_ctl -m immediate` does: no checkpoint, recovery at the next start."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)
        self.stop()


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Make a cluster, serve it, and remove it in the end."""
    with own_directory("remit-cluster-", unprivileged("postgres")) as folder:
        made = Cluster(postgres.initialised(folder / "data"))
        made.start()
        for database in ("remit", "remit_keys"):
            made.server.create(database)
        try:
            yield made
        finally:
            made.stop()


@dataclass
class Broker:
    """A Redis with nothing on disk, served or not."""

    server: redis.Redis
    folder: Path
    _serving: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Serve it, empty."""
        self.process = self._serving.enter_context(redis.serving(self.server, self.folder))

    def stop(self) -> None:
        """End it."""
        self._serving.pop_all().close()

    def signal(self, number: signal.Signals) -> None:
        """Send the server a signal."""
        assert self.process is not None
        os.kill(self.process.pid, number)

    @property
    def client(self) -> "Client":
        """A connection to it."""
        return Client.from_url(self.server.url)


@contextlib.contextmanager
def broker() -> Iterator[Broker]:
    """Serve a Redis until the block ends."""
    with own_directory("remit-broker-", unprivileged("redis")) as folder:
        made = Broker(redis.Redis(free_port()), folder)
        made.start()
        try:
            yield made
        finally:
            if made.process is not None and made.process.poll() is None:
                made.signal(signal.SIGCONT)
            made.stop()
