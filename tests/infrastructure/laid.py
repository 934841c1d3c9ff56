"""Tables that are laid already, for installations that need not walk every migration again.

They are taken from this test process's own databases right after their migrations, before any test.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from django.core.management import call_command
from django.db import connections
from django.test.utils import setup_databases, teardown_databases
from psycopg import sql

_URLS = {"default": "DATABASE_URL", "keys": "REMIT_KEYSTORE_URL"}
# Where an installation has its files when nothing else is said.
_FILES = {"default": "remit.sqlite3", "keys": "vault/keys.sqlite3"}


def lay() -> None:
    """Lay the tables of this process's databases, where nobody has."""
    for alias in _URLS:
        if "django_migrations" not in connections[alias].introspection.table_names():
            call_command("migrate", database=alias, verbosity=0)


@dataclass(slots=True)
class Tables:
    """Both databases as the migrations leave them: files in a folder, or templates on a server."""

    folder: Path
    _templates: dict[str, str] = field(default_factory=dict)

    def make_and_take(self) -> None:
        """Take them where no test needs databases, so that there are none."""
        made = setup_databases(verbosity=0, interactive=False, aliases=_URLS)
        self.take()
        teardown_databases(made, verbosity=0)

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
            name = str(connection.settings_dict["NAME"])
            self._templates[alias] = f"{name}_laid"
            _run("CREATE DATABASE {} TEMPLATE {}", f"{name}_laid", name)

    def drop(self) -> None:
        """Leave nothing on the server."""
        for template in self._templates.values():
            _run("DROP DATABASE {}", template)

    @contextlib.contextmanager
    def laid(self, var: Path) -> Iterator[dict[str, str]]:
        """Lay them for an installation in `var`; give the settings that it needs besides."""
        if connections["default"].vendor == "sqlite":
            self.put(var)
            yield {}
            return
        mark = os.urandom(4).hex()
        made = {alias: f"laid_{mark}_{alias}" for alias in _URLS}
        for alias, name in made.items():
            _run("CREATE DATABASE {} TEMPLATE {}", name, self._templates[alias])
        try:
            yield {_URLS[alias]: _url(name) for alias, name in made.items()}
        finally:
            for name in made.values():
                _run("DROP DATABASE {} WITH (FORCE)", name)

    def put(self, var: Path) -> None:
        """Lay them as files in `var` on SQLite; whoever has a server of its own lays them there."""
        if connections["default"].vendor == "sqlite":
            for alias, name in _FILES.items():
                (var / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copyfile(self.folder / alias, var / name)
                (var / name).chmod(0o600)


def _url(name: str) -> str:
    given = connections["default"].settings_dict
    password = quote(str(given["PASSWORD"]), safe="")
    return f"postgres://{given['USER']}:{password}@{given['HOST']}:{given['PORT']}/{name}"


def _run(statement: str, *names: str) -> None:
    with psycopg.connect(_url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
