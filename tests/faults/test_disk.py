"""Disks that are full, one after the other: nothing half, no access without its entry, no repair.

The disks are small tmpfs; where nobody may mount one, these tests do not run, and only the log's
(tests/audit/test_sequencer_crashes.py, by RLIMIT_FSIZE) does.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from django.db import connection

from tests.faults.servers import Cluster
from tests.faults.service import PATIENT, Sealed, Service
from tests.infrastructure import postgres, small_disk
from tests.infrastructure.http import Person
from tests.infrastructure.processes import Installation
from tests.infrastructure.servers import unprivileged

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(900), small_disk.needed]

DISKS = {"log": 32, "objects": 4, "vault": 4, "database": 12}
POSTGRES_MEGABYTES = 120


class Places:
    """A service whose parts lie on small disks, by name."""

    def __init__(self) -> None:
        self.disks: dict[str, small_disk.SmallDisk] = {}
        self.cluster: Cluster | None = None

    def start_what_ended(self) -> None:
        """Start the server that ended because it could not write its log, as its keeper would."""
        if self.cluster is not None and not self.cluster.is_alive:
            self.cluster.stop()
            self.cluster.start()


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    folder = tmp_path_factory.mktemp("disks")
    made = Places()
    with contextlib.ExitStack() as mounted:
        for name, megabytes in DISKS.items():
            size = megabytes
            if name == "database" and connection.vendor == "postgresql":
                size = POSTGRES_MEGABYTES
            disk = small_disk.small_disk(folder / name, megabytes=size)
            made.disks[name] = mounted.enter_context(disk)
        if connection.vendor == "postgresql":
            made.cluster = Cluster(_initialised(made.disks["database"].path), CLUSTER)
            made.cluster.start()
            mounted.callback(made.cluster.stop)
            for database in ("remit", "remit_keys"):
                made.cluster.server.create(database)
        yield made


CLUSTER = {"max_wal_size": "32MB", "min_wal_size": "32MB", "wal_recycle": "off"}


def _initialised(disk: Path) -> postgres.Postgres:
    """Make a cluster on a small disk, whose directories the server's user may pass."""
    user = unprivileged("postgres")
    if user:
        for parent in disk.parents:
            if parent.stat().st_mode & 0o001 == 0:
                parent.chmod(parent.stat().st_mode | 0o011)
        os.chown(disk, user["user"], user["group"])
    return postgres.initialised(disk / "data", options=("--wal-segsize=1",))


@pytest.fixture(scope="module")
def service(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    path = {name: disk.path for name, disk in places.disks.items()}
    settings = PATIENT | {
        "REMIT_LOG_DIR": str(path["log"] / "log"),
        "REMIT_STORAGE_URL": str(path["objects"] / "objects"),
        "REMIT_VAULT_DIR": str(path["vault"] / "vault"),
        "REMIT_LOG_CHECKPOINT_STALE_SECONDS": "5",
        "REMIT_LOG_OUTBOX_STALE_SECONDS": "5",
    }
    if places.cluster is None:
        settings["DATABASE_URL"] = f"sqlite:///{path['database']}/remit.sqlite3"
    else:
        settings["DATABASE_URL"] = places.cluster.server.default
        settings["REMIT_KEYSTORE_URL"] = places.cluster.server.keys
    with Service(Installation(folder / "at" / "var", settings), folder / "aside") as made:
        made.prepare()
        yield made


def read(mira: Person, frame: str) -> httpx.Response:
    return mira.get(f"/api/v1/me/captures/{frame}")


def frame_of(mira: Person) -> str:
    return str(mira.get("/api/v1/me/captures").json()["captures"][0]["id"])


@pytest.mark.parametrize("disk", list(DISKS))
def test_a_full_disk_stops_what_needs_it_and_breaks_nothing(
    service: Service, places: Places, disk: str
) -> None:
    """F23: data, key store, log and object disks; 503 or accepted, never half; then it goes on."""
    service.ensure()
    service.deliver(service.batches(2))
    service.settle()
    batches = service.batches(30)
    with Person(service.installed.origin) as mira:
        mira.sign_in("mira")
        frame = frame_of(mira)
        assert read(mira, frame).status_code == 200
        places.disks[disk].fill()
        try:
            assert_refused(service, disk, batches, lambda: read(mira, frame).status_code)
        finally:
            places.disks[disk].empty()
        places.start_what_ended()
        service.ensure()
        service.deliver(batches, seconds=90)
        service.settle(seconds=120)
        service.installed.wait_ready()
        assert read(mira, frame).status_code == 200
    assert "agree" in service.installed.manage("log_check")
    service.judge()


def assert_refused(
    service: Service, disk: str, batches: Sequence[Sealed], status_of_read: Callable[[], int]
) -> None:
    statuses = [answer.status_code for one in batches if (answer := service.send(one))]
    assert set(statuses) <= {202, 503}, statuses
    if disk == "database":
        assert 503 in statuses
    time.sleep(7)
    if disk == "vault" and connection.vendor == "postgresql":
        # The key store has a disk of its own there; only what ends is noted on this one.
        assert status_of_read() == 200
    elif disk != "objects":
        # No entry, no key; and no access while the log stands still.
        assert status_of_read() == 503
