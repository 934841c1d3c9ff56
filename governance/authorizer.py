"""Refuses, on SQLite, the statements that would change the record or take its guards away.

Promises: an SQL statement of this process that updates or deletes a kept row, touches a kept
table's triggers, indexes or shape, lays anything temporary over it, attaches another file or turns
a pragma is refused before it runs. SQLite asks once, when it prepares a statement; Python keeps
prepared statements, so a request pays nothing. What this cannot stop: Python code of this very
process, which may lift it, and a person with the file in hand. They meet the triggers first, and
the published log in the end.

Migrations lay tables and triggers: `manage.py migrate` lifts it for its own connection.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakSet

from django.apps import AppConfig
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.connection import ConnectionProxy

from governance.tables import KEPT

_Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]

# The actions that name a table to be changed or reshaped as their first argument ...
_OF_FIRST: Final = frozenset(
    {
        sqlite3.SQLITE_UPDATE,
        sqlite3.SQLITE_DELETE,
        sqlite3.SQLITE_DROP_TABLE,
        sqlite3.SQLITE_CREATE_TABLE,
        sqlite3.SQLITE_CREATE_VIEW,
    }
)
# ... or as their second, after the name of a trigger, an index or a schema.
_OF_SECOND: Final = frozenset(
    {
        sqlite3.SQLITE_CREATE_TRIGGER,
        sqlite3.SQLITE_DROP_TRIGGER,
        sqlite3.SQLITE_CREATE_INDEX,
        sqlite3.SQLITE_DROP_INDEX,
        sqlite3.SQLITE_ALTER_TABLE,
    }
)
# A temporary trigger acts on real tables; a temporary table or view hides the real one.
_NEVER: Final = frozenset(
    {
        sqlite3.SQLITE_CREATE_TEMP_TRIGGER,
        sqlite3.SQLITE_CREATE_TEMP_TABLE,
        sqlite3.SQLITE_CREATE_TEMP_VIEW,
        sqlite3.SQLITE_CREATE_TEMP_INDEX,
        sqlite3.SQLITE_CREATE_VTABLE,
        sqlite3.SQLITE_DROP_VTABLE,
        sqlite3.SQLITE_ATTACH,
        sqlite3.SQLITE_DETACH,
    }
)
# Pragmas that only tell something, whatever they are given; and how long this connection waits.
_TELLING: Final = frozenset(
    {
        "busy_timeout",
        "foreign_key_check",
        "foreign_key_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "integrity_check",
        "quick_check",
        "table_info",
        "table_list",
        "table_xinfo",
        "wal_checkpoint",
    }
)
# SQLite numbers rows by it: whoever edits it numbers entries.
_NUMBERING: Final = "sqlite_sequence"
_lifted: Final[WeakSet[BaseDatabaseWrapper]] = WeakSet()


def guard() -> None:
    """Guard every connection from now on; called once, at start."""
    connection_created.connect(_on_connection, dispatch_uid="remit.authorizer")
    pre_migrate.connect(_on_migrate, dispatch_uid="remit.authorizer.before")
    post_migrate.connect(_on_migrated, dispatch_uid="remit.authorizer.after")


@contextmanager
def lifted(
    connection: "BaseDatabaseWrapper | ConnectionProxy[BaseDatabaseWrapper]",
) -> Iterator[None]:
    """Let a block reshape the record on this connection; for migrations, and for tests' flush."""
    own = connections[connection.alias] if isinstance(connection, ConnectionProxy) else connection
    _lift(own)
    try:
        yield
    finally:
        _lay(own)


def _on_connection(connection: BaseDatabaseWrapper, **_: Any) -> None:  # noqa: ANN401 - a signal's form.
    if connection not in _lifted:
        _lay(connection)


def _on_migrate(sender: AppConfig, using: str, **_: Any) -> None:  # noqa: ANN401, ARG001 - as above.
    _lift(connections[using])


def _on_migrated(sender: AppConfig, using: str, **_: Any) -> None:  # noqa: ANN401, ARG001 - as above.
    _lay(connections[using])


def _lift(connection: BaseDatabaseWrapper) -> None:
    _lifted.add(connection)
    if connection.vendor == "sqlite" and connection.connection is not None:
        connection.connection.set_authorizer(None)


def _lay(connection: BaseDatabaseWrapper) -> None:
    _lifted.discard(connection)
    if connection.vendor == "sqlite" and connection.connection is not None:
        connection.connection.set_authorizer(_authorizer(KEPT.get(connection.alias, frozenset())))


def _authorizer(kept: frozenset[str]) -> _Authorizer:
    unchanged = kept | {_NUMBERING}

    def authorize(
        action: int, first: str | None, second: str | None, _schema: str | None, _by: str | None
    ) -> int:
        if action == sqlite3.SQLITE_READ:
            return sqlite3.SQLITE_OK
        if action in _OF_FIRST:
            refused = _folded(first) in unchanged
        elif action in _OF_SECOND:
            refused = _folded(second) in unchanged
        elif action == sqlite3.SQLITE_PRAGMA:
            refused = second is not None and _folded(first) not in _TELLING
        else:
            refused = action in _NEVER
        return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK

    return authorize


def _folded(name: str | None) -> str:
    return (name or "").lower()
