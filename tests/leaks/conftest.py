"""A service of real processes on this pass's kind of database, with servers of its own."""

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.faults.servers import Broker, Cluster, broker, cluster
from tests.faults.service import PATIENT, Service
from tests.infrastructure.processes import Installation


@pytest.fixture(scope="module")
def database() -> Iterator[Cluster | None]:
    """A PostgreSQL of this module's own; None on the pass with SQLite."""
    if connection.vendor == "sqlite":
        yield None
        return
    with cluster() as made:
        yield made


@pytest.fixture(scope="module")
def bell() -> Iterator[Broker | None]:
    """A Redis of this module's own; the pass with SQLite has a folder for a broker."""
    if connection.vendor == "sqlite":
        yield None
        return
    with broker() as made:
        yield made


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, database: Cluster | None, bell: Broker | None
) -> Iterator[Service]:
    """A house with three people who said yes; the processes are the tests' to start."""
    folder = tmp_path_factory.mktemp("leaks")
    settings = dict(PATIENT)
    if database is not None:
        settings |= {
            "DATABASE_URL": database.server.default,
            "REMIT_KEYSTORE_URL": database.server.keys,
        }
    if bell is not None:
        settings["REDIS_URL"] = bell.server.url
    with Service(Installation(folder / "at" / "var", settings), folder / "aside") as made:
        made.prepare()
        yield made
