"""Cursors of the database's own driver, for the statements that every act pays for.

Django's cursors translate, log and wrap each statement, which on SQLite costs as much as running
it. What stays: connections are Django's, errors are Django's, transactions are Django's, and who
asked Django to be told of every statement (`execute_wrapper`) is told.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import reduce
from typing import Any

import psycopg
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def cursor(alias: str) -> Iterator[Any]:
    """Give a cursor that takes `mark(alias)` for a parameter and raises Django's errors."""
    connection = connections[alias]
    # As Django's own cursor does: a connection kept from an earlier request may have died.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    driver: Any = connection.connection
    is_postgresql = connection.vendor == "postgresql"
    # Django's psycopg connections write parameters into the text; this cursor sends them apart.
    own = psycopg.Cursor(driver) if is_postgresql else driver.cursor()
    with connection.wrap_database_errors, closing(own):
        yield _Told(own, connection) if connection.execute_wrappers else own


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
