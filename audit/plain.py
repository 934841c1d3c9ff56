"""Cursors of the database's own driver, for the statements that every act pays for.

Django's cursors translate, log and wrap each statement, which on SQLite costs as much as running
it. What stays: connections are Django's, errors are Django's, transactions are Django's, and who
asked Django to be told of every statement (`execute_wrapper`) is told.
"""

from collections.abc import Sequence
from functools import reduce
from types import TracebackType
from typing import Any

import psycopg
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper


def cursor(alias: str) -> "_Opened":
    """Give, as a context, a cursor that takes `mark(alias)` for a parameter.

    It raises Django's errors.
    """
    return _Opened(connections[alias])


class _Opened:
    """A cursor while a block lasts. A class: a generator took as long as some statements."""

    __slots__ = ("_connection", "_own")

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection

    def __enter__(self) -> Any:  # noqa: ANN401 - a driver's.
        connection = self._connection
        # As Django's own cursor does: a connection kept from an earlier request may have died.
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        connection.validate_no_broken_transaction()
        driver: Any = connection.connection
        with connection.wrap_database_errors:
            # Django's psycopg connections write parameters into the text; this one sends them
            # apart.
            is_postgresql = connection.vendor == "postgresql"
            self._own = psycopg.Cursor(driver) if is_postgresql else driver.cursor()
        return _Told(self._own, connection) if connection.execute_wrappers else self._own

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._own.close()
        self._connection.wrap_database_errors.__exit__(kind, error, trace)


class _Told:
    """A cursor whose statements pass the connection's execute wrappers on their way."""

    def __init__(self, own: Any, connection: BaseDatabaseWrapper) -> None:  # noqa: ANN401 - a driver's.
        self._own = own
        self._connection = connection

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the driver has.
        return getattr(self._own, name)

    def execute(self, statement: str, parameters: Sequence[Any] = (), **named: Any) -> Any:  # noqa: ANN401 - as the driver's.
        def run(statement: str, parameters: Any, *_: object) -> Any:  # noqa: ANN401 - as above.
            return self._own.execute(statement, parameters, **named)

        return self._tell(run, statement, parameters, many=False)

    def executemany(self, statement: str, parameters: Sequence[Any]) -> Any:  # noqa: ANN401 - as above.
        def run(statement: str, parameters: Any, *_: object) -> Any:  # noqa: ANN401 - as above.
            return self._own.executemany(statement, parameters)

        return self._tell(run, statement, parameters, many=True)

    def _tell(self, run: Any, statement: str, parameters: Any, *, many: bool) -> Any:  # noqa: ANN401 - Django's hooks.
        def inside(inner: Any, wrapper: Any) -> Any:  # noqa: ANN401 - as above.
            return lambda *asked: wrapper(inner, *asked)

        context = {"connection": self._connection, "cursor": self}
        through = reduce(inside, reversed(self._connection.execute_wrappers), run)
        return through(statement, parameters, many, context)


def mark(alias: str) -> str:
    """Return how a parameter is written in a statement for that database."""
    return "%s" if connections[alias].vendor == "postgresql" else "?"
