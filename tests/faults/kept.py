"""A moment of an installation whose processes do not run: its files and databases, kept."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.infrastructure.processes import Installation

DATABASES = ("DATABASE_URL", "REMIT_KEYSTORE_URL")


@dataclass(frozen=True, slots=True)
class Kept:
    """Copies of folders and of the databases on a server, if there is one."""

    installed: Installation
    folders: Sequence[Path]
    place: Path

    def keep(self) -> None:
        """Keep this moment."""
        for folder in self.folders:
            shutil.copytree(folder, self.place / folder.name)
        for url in self._urls():
            copy(url, name(url), f"{name(url)}_kept")

    def bring_back(self) -> None:
        """Make it that moment again."""
        for folder in self.folders:
            shutil.rmtree(folder)
            shutil.copytree(self.place / folder.name, folder)
        for url in self._urls():
            copy(url, f"{name(url)}_kept", name(url))

    def _urls(self) -> list[str]:
        given = [self.installed.settings.get(name, "") for name in DATABASES]
        return [url for url in given if url.startswith("postgres")]


def name(url: str) -> str:
    """Return the name of the database behind an address."""
    return url.rpartition("/")[2]


def copy(url: str, source: str, target: str) -> None:
    """Make one database of a server a copy of another; whoever still looks at it is sent away."""
    server = f"{url.rpartition('/')[0]}/postgres"
    with psycopg.connect(server, autocommit=True) as database:
        new, old = sql.Identifier(target), sql.Identifier(source)
        database.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(new))
        database.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            [source],
        )
        database.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(new, old))
