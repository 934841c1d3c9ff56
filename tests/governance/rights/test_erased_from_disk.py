"""After an erasure nothing personal of the log is on disk, and every proof still verifies."""

import base64
import contextlib
import json
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
from tests.infrastructure.processes import Installation, installation

pytestmark = [pytest.mark.real]


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


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Life:
    folder = tmp_path_factory.mktemp("erased")
    home = folder / "home"
    home.mkdir()
    settings = {"REMIT_DEMO": "1", "REMIT_LOG_DELAY_SECONDS": "0"}
    if connection.vendor == "postgresql":
        cluster = request.getfixturevalue("postgres")
        settings |= {
            "DATABASE_URL": cluster.create("erased"),
            "REMIT_KEYSTORE_URL": cluster.create("erased_keys"),
        }
    with installation(folder, **settings) as installed:
        secrets = step(installed, "record", home)
        before = left(installed.var, secrets)
        with _another_process(installed):
            told = step(installed, "erase", home)
            after = left(installed.var, secrets)
        stored = _stored(settings, secrets) if "DATABASE_URL" in settings else []
    return Life(home, installed.var / "log", secrets, before, told, after, stored)


def test_what_was_personal_is_gone_from_disk(life: Life) -> None:
    assert len(life.secrets["disclosures"]) > 10
    if connection.vendor == "sqlite":  # The search finds what is there.
        assert {name for _, name in life.before} >= {"sealed", "wrapped", "token in hex"}
    assert life.told["state"] == "Completed"
    assert (life.told["own"], life.told["keys"]) == (0, 0)
    assert life.secrets["token"] not in life.told["tokens"]
    assert life.after == set()
    assert life.stored == []


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
