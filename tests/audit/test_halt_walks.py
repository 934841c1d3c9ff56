"""docs/operations.md, "When the log halts": its commands, run as they stand there.

Each walk is taken on a real installation that was broken in the way its heading says, and ends with
an open log, a clean `log_check` and an outsider who kept their state and finds nothing wrong.
"""

import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from audit.verifier.build import build
from tests.infrastructure.laid import Tables
from tests.infrastructure.processes import ROOT, Installation, NotReadyError

pytestmark = pytest.mark.real

DOCUMENT = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
WRITE = """
from django.core.management import call_command
from audit import journal
from audit.actions import Action
from audit.actors import Actor
for _ in range({count}):
    journal.append_now(Action.ACCESS_DENIED, actor=Actor.system("test"))
call_command("sequencer", once=True)
"""
OPEN = "from audit import health; print(health.why_closed())"


def walk(heading: str) -> list[str]:
    """Return the commands below a heading of the document."""
    found = re.search(
        rf"^#+ {re.escape(heading)}\n(.*?)^```\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL
    )
    assert found, heading
    assert "\n## " not in found[1]
    return found[2].splitlines()


@dataclass
class Site:
    """An installation, a backup of it, and an outsider's folder."""

    installed: Installation
    folder: Path

    @property
    def places(self) -> list[Path]:
        return [self.installed.var / "log", self.installed.var / "keys"]

    def act(self, count: int) -> None:
        """Let things happen, and be published."""
        self.installed.manage("shell", "-c", WRITE.format(count=count))

    def back_up(self) -> None:
        for place in self.places:
            shutil.copytree(place, self.folder / "backup" / place.name)
        if connection.vendor == "sqlite":
            with (
                sqlite3.connect(self.installed.var / "remit.sqlite3") as ours,
                sqlite3.connect(self.folder / "backup/remit.sqlite3") as copy,
            ):
                ours.backup(copy)
        else:
            self._copy(self._name, f"{self._name}_backup")

    def restore_database(self) -> None:
        if connection.vendor == "sqlite":
            for file in self.installed.var.glob("remit.sqlite3*"):
                file.unlink()
            shutil.copy(self.folder / "backup/remit.sqlite3", self.installed.var)
        else:
            self._copy(f"{self._name}_backup", self._name)

    def restore_files(self) -> None:
        for place in self.places:
            shutil.rmtree(place)
            shutil.copytree(self.folder / "backup" / place.name, place)

    def follow(self, command: str) -> None:
        """Run a line of the document: an operator's, or an outsider's in a folder of their own."""
        words = shlex.split(command.replace("https://remit.example/log", str(self.places[0])))
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            self.installed.settings[name] = value
        elif words[0] == "manage.py":
            self.installed.manage(
                *(str(self.folder / w) if w == "mirror" else w for w in words[1:])
            )
        else:
            assert words[0] == "python3"
            self.check(*words[1:])

    def check(self, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder / "outside",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    @property
    def _name(self) -> str:
        return self.installed.settings["DATABASE_URL"].rpartition("/")[2]

    def clear(self) -> None:
        if connection.vendor == "postgresql":
            self._on_server('DROP DATABASE IF EXISTS "{}"', f"{self._name}_backup")

    def _copy(self, source: str, target: str) -> None:
        self._on_server('DROP DATABASE IF EXISTS "{}"', target)
        self._on_server('CREATE DATABASE "{}" TEMPLATE "{}"', target, source)

    def _on_server(self, statement: str, *names: str) -> None:
        server = f"{self.installed.settings['DATABASE_URL'].rpartition('/')[0]}/postgres"
        with psycopg.connect(server, autocommit=True) as database:
            database.execute(statement.format(*names).encode())


@pytest.fixture
def site(install: Callable[..., Installation], tables: Tables, tmp_path: Path) -> Iterator[Site]:
    """A log of some entries, backed up, then grown, with an outsider who checked it."""
    settings = {
        "REMIT_LOG_DELAY_SECONDS": "0",
        "DJANGO_SETTINGS_MODULE": "governance.settings",
    }
    made = Site(install(**settings), tmp_path)
    with tables.laid(made.installed.var) as urls:
        made.installed.settings.update(urls)
        _begin(made, tmp_path)
        yield made
        made.installed.stop()
        made.clear()


def _begin(made: Site, tmp_path: Path) -> None:
    made.act(20)
    made.back_up()
    made.act(300)
    outside = tmp_path / "outside"
    build(outside / "remit-verify.pyz")
    for file in ("vkeys", "policy"):
        shutil.copy(made.places[0] / file, outside)
    made.follow(walk("The database is older than what was signed")[-1])


def older_database(site: Site) -> None:
    site.restore_database()


def older_memory(site: Site) -> None:
    shutil.copy(site.folder / "backup/keys/log/signed-head", site.places[1] / "log/signed-head")


def older_files_as_well(site: Site) -> None:
    shutil.copytree(site.places[0], site.folder / "mirror")
    memory = (site.places[1] / "log/signed-head").read_bytes()
    site.restore_database()
    site.restore_files()
    (site.places[1] / "log/signed-head").write_bytes(memory)


def everything_lost(site: Site) -> None:
    older_files_as_well(site)
    shutil.rmtree(site.folder / "mirror")


WALKS = [
    pytest.param(
        "The database is older than what was signed",
        older_database,
        322,
        # On PostgreSQL the walk takes longest of all tests: `make soak` goes it.
        marks=[pytest.mark.soak] if connection.vendor == "postgresql" else [],
    ),
    pytest.param("The signer's memory is lost or older", older_memory, 321, marks=pytest.mark.soak),
    pytest.param(
        "A witness, or the published head, is ahead",
        older_files_as_well,
        322,
        marks=pytest.mark.soak,
    ),
    pytest.param("The log is dead", everything_lost, 22, marks=pytest.mark.soak),
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("heading", "break_it", "size"), WALKS)
def test_the_walk_ends_with_an_open_log(
    site: Site, heading: str, break_it: Callable[[Site], None], size: int
) -> None:
    break_it(site)
    with pytest.raises(NotReadyError, match=r'The log has halted.*"When the log halts"'):
        site.installed.manage("sequencer", "--once")
    for command in walk(heading):
        site.follow(command)
    assert site.installed.manage("shell", "-c", OPEN).split()[-1] == "None"
    assert (site.places[0] / "checkpoint").read_text().split("\n")[1] == str(size)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_new_keys_are_taken_as_the_text_says(site: Site) -> None:
    for command in walk("New keys for the log"):
        site.follow(command)
    assert site.installed.manage("shell", "-c", OPEN).split()[-1] == "None"
