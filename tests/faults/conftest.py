"""A service of real processes on this pass's kind of database, with servers of its own.

It is made once; each module has it as it was then.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.faults import struck
from tests.faults.servers import Broker, Cluster, broker, cluster
from tests.faults.service import PATIENT, Service
from tests.infrastructure.processes import Installation

if TYPE_CHECKING:
    from tests.infrastructure.laid import Tables

# What the summary counts; a test tells how many of each by `record_property`.
COUNTED = ("kill points", "meetings", "system calls", "races", "violations", "bugs caught", "bugs")


# By module, what shares a process of a soak; all others break one service.
GROUPS = {"test_enumeration": "enumeration", "test_disk": "own", "test_migrations": "own"}


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types.
    """Keeps what shares a service in one process, and lets the enumeration run beside it."""

    def _split_scope(self, nodeid: str) -> str:
        return GROUPS.get(Path(nodeid.partition("::")[0]).stem, "service")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Schedule a soak of these tests alone by its groups."""
    return Groups(config, log) if config.getvalue("dist") == "loadscope" else None


def _is_of_another_database(item: pytest.Item) -> bool:
    only = item.get_closest_marker("only")
    return only is not None and connection.vendor not in only.args


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out a fault that this kind of database cannot have: what is skipped is amiss."""
    left_out = [item for item in items if _is_of_another_database(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how often was struck, so that one can see what "no violation" rests on."""
    told: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            told.update({name: n for name, n in report.user_properties if name in COUNTED})
    if told:
        counts = ", ".join(f"{told[name]} {name}" for name in COUNTED if name in told)
        terminalreporter.write_line(f"faults on {connection.vendor}: {counts}")


@pytest.fixture(scope="session")
def database() -> Iterator[Cluster | None]:
    """A PostgreSQL of these tests' own, which may be broken; None on the pass with SQLite."""
    if connection.vendor == "sqlite":
        yield None
        return
    with cluster() as made:
        yield made


@pytest.fixture(scope="session")
def bell() -> Iterator[Broker | None]:
    """A Redis of these tests' own; the pass with SQLite has a folder for a broker."""
    if connection.vendor == "sqlite":
        yield None
        return
    with broker() as made:
        yield made


@pytest.fixture(scope="session")
def _made(
    tmp_path_factory: pytest.TempPathFactory,
    database: Cluster | None,
    bell: Broker | None,
    request: pytest.FixtureRequest,
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    installed = Installation(folder / "at" / "var", dict(PATIENT))
    with contextlib.ExitStack() as stack:
        if database is None:
            tables: Tables = request.getfixturevalue("tables")
            stack.enter_context(tables.laid(installed.var))
        else:
            installed.settings["DATABASE_URL"] = database.server.default
            installed.settings["REMIT_KEYSTORE_URL"] = database.server.keys
        if bell is not None:
            installed.settings["REDIS_URL"] = bell.server.url
        made = stack.enter_context(Service(installed, folder / "aside"))
        made.prepare()
        made.keep()
        yield made


@pytest.fixture(scope="module")
def service(_made: Service, bell: Broker | None) -> Iterator[Service]:
    """A house with three people who said yes; the processes are the tests' to start."""
    if bell is not None:
        bell.client.flushall()
    _made.bring_back()
    yield _made
    _made.kill()


@pytest.fixture
def orders(service: Service) -> Iterator[Path]:
    """A service whose worker obeys orders to die, and the folder for them."""
    folder = service.folder
    service.ensure("sequencer", "web", "beat")
    if "worker" in service.running:
        service.kill("worker")
    service.start("worker", **{struck.VARIABLE: str(folder)})
    service.ensure()
    yield folder
    assert not struck.outlived(folder)
    service.kill("worker")
