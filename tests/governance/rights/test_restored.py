"""Whatever older copies are put back: what was erased stays unreadable, and nobody is served first.

Data and keys of three moments: before the second recording, after it, and now, when mira has been
erased and carla has ended a purpose. Every pair but the one that is no restore.
"""

import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.infrastructure.laid import Tables
from tests.infrastructure.postgres import Postgres
from tests.infrastructure.processes import Installation, NotReadyError, installation

pytestmark = [pytest.mark.real]

MOMENTS = ("first", "second", "now")
PAIRS = [pair for pair in itertools.product(MOMENTS, MOMENTS) if pair != ("now", "now")]
SAMPLED = ("first", "second")
FILES = {"default": "remit.sqlite3", "keys": "vault/keys.sqlite3"}
DATABASES = {"default": "restored", "keys": "restored_keys"}
# The log answers for as long as the test takes.
SETTINGS = {
    "REMIT_DEMO": "0",
    "REMIT_LOG_DELAY_SECONDS": "0",
    "REMIT_LOG_CHECKPOINT_STALE_SECONDS": "86400",
    "REMIT_LOG_OUTBOX_STALE_SECONDS": "86400",
}
ERASED = {"keys": 0, "read": "nothing", "consents": 0}


def readable(events: int) -> dict[str, Any]:
    return {"keys": 1, "read": f"{events} events", "consents": 2}


@dataclass(frozen=True)
class Life:
    """The installation as it is now; its copies lie beside it, or in its server."""

    var: Path
    server: Postgres | None

    def restored(self, folder: Path, data: str, keys: str) -> Installation:
        """Return an installation into which a pair of copies was put back."""
        var = folder / "var"
        shutil.copytree(self.var, var)
        settings = dict(SETTINGS)
        for alias, moment in {"default": data, "keys": keys}.items():
            if self.server is not None:
                name = f"{DATABASES[alias]}_{data}_{keys}"
                with psycopg.connect(self.server.url("postgres"), autocommit=True) as administrator:
                    administrator.execute(
                        f"CREATE DATABASE {name} TEMPLATE {DATABASES[alias]}_{moment}".encode()
                    )
                settings[URLS[alias]] = self.server.url(name)
                continue
            for end in ("-wal", "-shm", "-journal"):
                (var / f"{FILES[alias]}{end}").unlink(missing_ok=True)
            shutil.copy(self.var.with_name(moment) / alias, var / FILES[alias])
        return Installation(var, settings)


URLS = {"default": "DATABASE_URL", "keys": "REMIT_KEYSTORE_URL"}


def step(installed: Installation, name: str) -> dict[str, Any]:
    return installed.step("tests.governance.rights.restored_installation", name)


@pytest.fixture(scope="module")
def life(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, tables: Tables
) -> Iterator[Life]:
    server = None
    settings = dict(SETTINGS)
    if connection.vendor == "postgresql":
        server = request.getfixturevalue("postgres")
        settings |= {URLS[alias]: server.create(name) for alias, name in DATABASES.items()}
    with installation(tmp_path_factory.mktemp("restored"), **settings) as installed:
        tables.put(installed.var)
        told = step(installed, "live")
        assert told["first"] == {"mira": readable(1), "carla": readable(1)}
        assert told["second"] == {"mira": readable(2), "carla": readable(2)}
        assert told["now"] == {"mira": ERASED, "carla": readable(2) | {"consents": 1}}
        assert "may be started" in installed.manage("restore_check", "--check")
        yield Life(installed.var, server)


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        pytest.param(*pair, marks=[] if pair == SAMPLED else [pytest.mark.soak], id="-".join(pair))
        for pair in PAIRS
    ],
)
def test_no_pair_of_older_copies_resurrects_anything(
    life: Life, tmp_path: Path, data: str, keys: str
) -> None:
    """F31, F39, F40: the data, the key store or both are those of an earlier moment."""
    installed = life.restored(tmp_path, data, keys)
    with pytest.raises(NotReadyError, match="restored"):
        installed.manage("serve", "--port", str(installed.port))
    told = step(installed, "restore")
    found, mended = told["found"], told["mended"]
    assert "events" not in found["mira"]["read"]
    assert data == "now" or "events" not in found["carla"]["read"]
    assert keys == "now" or found["mira"]["keys"] == 1, "The copy brings the key back."
    assert data == "now" or found["mira"]["consents"] == 2, "The copy brings the consents back."
    assert told["refused"].startswith("refused: Something was restored")
    assert "may be started" in told["done"]
    assert "may be started" in told["checked"]
    assert (mended["mira"]["keys"], mended["mira"]["consents"]) == (0, 0)
    assert "events" not in mended["mira"]["read"]
    assert mended["carla"]["consents"] == (1 if data == "now" else 0)
