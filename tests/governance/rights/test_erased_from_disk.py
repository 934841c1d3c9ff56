"""After an erasure nothing personal is on disk that opens, and every proof still verifies.

A thief (`thief`) takes everything there is: the state directory with its keys, the databases'
files and logs of writes, copies made before and after, the broker's memory. Before the erasure he
reads mira's work; after it, and the nights that its certificate names, carla's alone.
"""

import base64
import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from playwright.sync_api import Browser, expect

from audit.verifier.__main__ import main
from governance.web import standalone
from tests.governance.rights import thief
from tests.governance.rights.thief import Haul, Known, Pile
from tests.infrastructure.laid import Tables
from tests.infrastructure.postgres import Postgres, running_postgres
from tests.infrastructure.processes import Installation, installation
from tests.infrastructure.redis import Redis

pytestmark = [pytest.mark.real]
# What no backup holds (docs/operations.md): what opens the key store, and what signs.
_NOT_COPIED = shutil.ignore_patterns("kek", "seal", "keys", "secret-key")
KINDS = ("cell", "object", "person")
# Where an erased person's key, which names nobody, may stand on: who they are and may sign in as,
# what they decided and asked for, and the append-only rows of what was and ended.
STAYS = {
    "accounts_device",
    "accounts_enrolment_code",
    "accounts_person",
    "accounts_role_assignment",
    "capture_batchoutcome",
    "capture_capturebatch",
    "capture_frame",
    "capture_framestate",
    "capture_policychange",  # For two hours at most, so that every process hears of the change.
    "capture_rereading",
    "consent_epoch",
    "consent_event",
    "consent_receipt",
    "consent_record",
    "consent_state",
    "rights_erasurecertificate",
    "rights_erasureorder",
    "rights_portabilityexport",
    "rights_rightsrequest",
}


def step(installed: Installation, name: str, home: Path) -> dict[str, Any]:
    return installed.step("tests.governance.rights.erased_installation", name, str(home))


def needles(secrets: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield every form in which a secret may stand in a file, with a name for it."""
    for disclosure in secrets["disclosures"]:
        plain = base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4))
        yield "disclosure", disclosure.encode()
        yield "salt", json.loads(plain)[0].encode()
    for name in ("tag key", "token"):
        yield name, bytes.fromhex(secrets[name])
        yield f"{name} in hex", secrets[name].encode()
    yield "tag key in base64", base64.b64encode(bytes.fromhex(secrets["tag key"]))
    # A part is enough: a long value may be split over two pages.
    for name in ("sealed", "wrapped"):
        for value in secrets[name]:
            yield name, bytes.fromhex(value)[:24]
            yield name, bytes.fromhex(value)[-24:]


def left(folder: Path, secrets: dict[str, Any]) -> set[tuple[str, str]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    wanted = list(needles(secrets))
    return {
        (path.name, name)
        for path in files
        for data in [path.read_bytes()]
        for name, value in wanted
        if value in data
    }


def verify(log: Path, *words: str) -> int:
    trust = ["--policy", str(log / "policy"), "--vkey", str(log / "vkeys")]
    return main([words[0], *trust, *words[1:]])


@dataclass(frozen=True)
class Life:
    """What was seen before, during and after; `home` is mira's own folder."""

    home: Path
    log: Path
    secrets: dict[str, Any]
    before: set[tuple[str, str]]
    told: dict[str, Any]
    after: set[tuple[str, str]]
    stored: list[str]
    hauls: dict[str, Haul]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres | None]:
    """A PostgreSQL of this module's own, so that its files hold nothing else."""
    if connection.vendor == "sqlite":
        yield None
        return
    with running_postgres() as made:
        yield made


@pytest.fixture(scope="module")
def life(
    tmp_path_factory: pytest.TempPathFactory, server: Postgres | None, redis: Redis, tables: Tables
) -> Life:
    folder = tmp_path_factory.mktemp("erased")
    home = folder / "home"
    home.mkdir()
    settings = {
        "REMIT_DEMO": "1",
        "REMIT_LOG_DELAY_SECONDS": "0",
        "REMIT_LOG_CHECKPOINT_STALE_SECONDS": "86400",
        "REMIT_LOG_OUTBOX_STALE_SECONDS": "86400",
        "REDIS_URL": redis.url,
    }
    if server is not None:
        settings |= {"DATABASE_URL": server.default, "REMIT_KEYSTORE_URL": server.keys}
    with installation(folder, **settings) as installed:
        tables.put(installed.var)
        secrets = step(installed, "record", home)
        scene = Scene(installed, folder, server, redis, Known(**secrets["known"]))
        before = left(installed.var, secrets)
        scene.copy("before")
        hauls = {"before": scene.rob()}
        with _another_process(installed):
            told = step(installed, "erase", home)
            after = left(installed.var, secrets)
            if server is None:
                # PostgreSQL's log of writes keeps a deleted row until the keys are renewed.
                hauls["erased"] = scene.rob()
        stored = _stored(settings, secrets) if server is not None else []
        hauls["erased, with copies"] = scene.rob("before")
        scene.copy("after")
        step(installed, "nights", home)
        hauls["nights later, with copies"] = scene.rob("before", "after")
    return Life(home, installed.var / "log", secrets, before, told, after, stored, hauls)


@dataclass(frozen=True)
class Scene:
    """Where the thief comes to, and the copies that lie about."""

    installed: Installation
    folder: Path
    server: Postgres | None
    redis: Redis
    known: Known

    def copy(self, name: str) -> None:
        """Make a backup of everything that backups are made of."""
        place = self.folder / "copies" / name
        shutil.copytree(self.installed.var, place, ignore=_NOT_COPIED)
        if self.server is not None:
            thief.dumped(self.server.default, place / "data")
            thief.dumped(self.server.keys, place / "keys")

    def is_searched(self, name: str) -> bool:
        """Say whether every 60 bytes of a file are tried: in the soak of all, else of the keys'."""
        return bool(os.environ.get("REMIT_SOAK")) or "keys.sqlite3" in name

    def rob(self, *copies: str) -> Haul:
        """Take what is there now, and these copies."""
        pile = thief.of_folders(
            self.installed.var, *(self.folder / "copies" / name for name in copies)
        )
        pile += Pile({"redis": self.redis.dumped()}, frozenset())
        if self.server is not None:
            thief.dumped(self.server.default, self.folder / "now" / "data")
            thief.dumped(self.server.keys, self.folder / "now" / "keys")
            pile += thief.of_folders(self.folder / "now") + thief.of_server(self.server.data)
        return thief.rob(pile, self.known, closely=self.is_searched)


def test_what_was_personal_is_gone_from_disk(life: Life) -> None:
    assert len(life.secrets["disclosures"]) > 10
    if connection.vendor == "sqlite":  # The search finds what is there.
        assert {name for _, name in life.before} >= {"sealed", "wrapped", "token in hex"}
    assert life.told["state"] == "Completed"
    assert (life.told["own"], life.told["keys"]) == (0, 0)
    assert life.secrets["token"] not in life.told["tokens"]
    assert life.after == set()
    assert life.stored == []


def test_what_still_bears_an_erased_person_s_key_is_listed(life: Life) -> None:
    """A miss they reported is an act like a consent; what tells how they worked is not there."""
    assert set(life.told["named"]) - STAYS == set()
    assert "capture_rereading" in life.told["named"]


def test_before_an_erasure_a_thief_of_everything_reads_both(life: Life) -> None:
    """The search finds what is there, or the next test would say nothing."""
    haul = life.hauls["before"]
    assert haul.keys == {f"{name}: {kind}" for name in ("mira", "carla") for kind in KINDS} - {
        "carla: object"
    }
    assert haul.words == {
        f"{name}: {what}" for name in ("mira", "carla") for what in ("stored", "waiting")
    }


def test_after_an_erasure_no_key_opens_anything_of_hers(life: Life) -> None:
    """Every key left on disk, every value of every table and copy, every original."""
    others = ({"carla: cell", "carla: person"}, {"carla: stored", "carla: waiting"})
    if connection.vendor == "sqlite":
        at_once = life.hauls["erased"]
        assert (at_once.keys, at_once.words) == others
    # Until then a copy opens with the key it was wrapped by, which the certificate says.
    assert "mira: cell" in life.hauls["erased, with copies"].keys
    in_the_end = life.hauls["nights later, with copies"]
    assert (in_the_end.keys, in_the_end.words) == others


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_nor_do_any_60_bytes_of_any_file(life: Life) -> None:
    """Freed pages, logs of writes and indexes, too: wherever a wrapped key may have been left."""
    test_before_an_erasure_a_thief_of_everything_reads_both(life)
    test_after_an_erasure_no_key_opens_anything_of_hers(life)
    assert min(haul.tried for haul in life.hauls.values()) > 1_500_000


def test_at_home_and_in_the_log_everything_still_verifies(
    life: Life, capsys: pytest.CaptureFixture[str]
) -> None:
    proofs = sorted(life.home.glob("*.tlog-proof"))
    assert len(proofs) > 5
    log = life.log
    assert verify(log, "scan", str(log)) == 0
    for proof in proofs:
        assert verify(log, "proof", str(proof)) == 0
    assert verify(log, "consistency", "--saved", str(proofs[0]), str(log)) == 0
    assert verify(log, "receipt", str(life.home / "receipt.json")) == 0
    own = ["--key", str(life.home / "tag-key.txt")]
    own += ["--disclosures", str(life.home / "disclosures.json")]
    capsys.readouterr()
    assert verify(log, "mine", *own, str(log)) == 0
    assert "no gap between them" in capsys.readouterr().out


@pytest.mark.browser
def test_the_saved_page_still_verifies_what_was_taken_home(life: Life, chromium: Browser) -> None:
    trusted = standalone.TrustedFiles(
        vkeys=(life.log / "vkeys").read_text(), policy=(life.log / "policy").read_text()
    )
    path = life.home / standalone.NAME
    path.write_bytes(standalone.page(trusted))
    page = chromium.new_page()
    page.goto(path.as_uri())
    kept = ["receipt.json", "copy.zip", "my-log-key.zip", "0.tlog-proof", "1.tlog-proof"]
    for name in kept:
        page.locator("[data-verify-file]").set_input_files(life.home / name)
        expect(page.locator("[data-verify-name]")).to_contain_text(name)
        expect(page.locator(".verify")).to_have_attribute("data-state", "verified")
    page.close()


@contextlib.contextmanager
def _another_process(installed: Installation) -> Iterator[None]:
    """Hold a connection, as other processes do: the last one to go would tidy up by itself."""
    if "DATABASE_URL" in installed.settings:
        yield
        return
    with contextlib.closing(sqlite3.connect(installed.var / "remit.sqlite3")) as database:
        database.execute("SELECT count(*) FROM audit_entry").fetchall()
        yield


def _stored(settings: dict[str, str], secrets: dict[str, Any]) -> list[str]:
    """Return the secrets that some row of either database still holds."""
    found = []
    for url in (settings["DATABASE_URL"], settings["REMIT_KEYSTORE_URL"]):
        with psycopg.connect(url) as database:
            tables = database.execute(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
                "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            for (table,) in tables:
                rows = database.execute(f"SELECT t::text FROM {table} t").fetchall()
                text = "\n".join(row for (row,) in rows)
                found += [table for value in _texts(secrets) if value in text]
    return found


def _texts(secrets: dict[str, Any]) -> list[str]:
    return [*secrets["disclosures"], secrets["token"], *secrets["sealed"], *secrets["wrapped"]]
