"""Tables that are laid already, for installations that need not walk every migration again.

They are taken from this test process's own databases right after their migrations, before any test.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from django.db import connections
from psycopg import sql

_URLS = {"default": "DATABASE_URL", "keys": "REMIT_KEYSTORE_URL"}
# Where an installation has its files when nothing else is said.
_FILES = {"default": "remit.sqlite3", "keys": "vault/keys.sqlite3"}


@dataclass(frozen=True, slots=True)
class Tables:
    """Both databases as the migrations leave them: files in a folder, or templates on a server."""

    folder: Path

    def take(self) -> None:
        """Take them; nobody else may be connected."""
        for alias in _URLS:
            connection = connections[alias]
            if connection.vendor == "sqlite":
                connection.ensure_connection()
                with contextlib.closing(sqlite3.connect(self.folder / alias)) as file:
                    connection.connection.backup(file)
                continue
            connection.close()
            _run("CREATE DATABASE {} TEMPLATE {}", f"{_name(alias)}_laid", _name(alias))

    def drop(self) -> None:
        """Leave nothing on the server."""
        if connections["default"].vendor == "postgresql":
            for alias in _URLS:
                _run("DROP DATABASE {}", f"{_name(alias)}_laid")

    @contextlib.contextmanager
    def laid(self, var: Path) -> Iterator[dict[str, str]]:
        """Lay them for an installation in `var`; give the settings that it needs besides."""
        if connections["default"].vendor == "sqlite":
            for alias, name in _FILES.items():
                (var / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copyfile(self.folder / alias, var / name)
                (var / name).chmod(0o600)
            yield {}
            return
        mark = os.urandom(4).hex()
        made = {alias: f"laid_{mark}_{alias}" for alias in _URLS}
        for alias, name in made.items():
            _run("CREATE DATABASE {} TEMPLATE {}", name, f"{_name(alias)}_laid")
        try:
            yield {_URLS[alias]: _url(name) for alias, name in made.items()}
        finally:
            for name in made.values():
                _run("DROP DATABASE {} WITH (FORCE)", name)


def _name(alias: str) -> str:
    return str(connections[alias].settings_dict["NAME"])


def _url(name: str) -> str:
    given = connections["default"].settings_dict
    password = quote(str(given["PASSWORD"]), safe="")
    return f"postgres://{given['USER']}:{password}@{given['HOST']}:{given['PORT']}/{name}"


def _run(statement: str, *names: str) -> None:
    with psycopg.connect(_url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
