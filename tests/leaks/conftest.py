"""A service of real processes on this pass's kind of database, with servers of its own."""

from collections.abc import Iterator

import pytest

from tests.faults import conftest as faults
from tests.faults.servers import Broker, Cluster
from tests.faults.service import PATIENT, Service
from tests.infrastructure.processes import Installation

bell, database = faults.bell, faults.database


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
