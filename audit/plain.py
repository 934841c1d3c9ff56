"""Cursors of the database's own driver, for the statements that every act pays for.

Django's cursors translate, log and wrap each statement, which on SQLite costs as much as running
it. What stays: connections are Django's, errors are Django's, transactions are Django's.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from django.db import connections


@contextmanager
def cursor(alias: str) -> Iterator[Any]:
    """Give a cursor that takes `mark(alias)` for a parameter and raises Django's errors."""
    connection = connections[alias]
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    driver: Any = connection.connection
    is_postgresql = connection.vendor == "postgresql"
    # Django's psycopg connections write parameters into the text; this cursor sends them apart.
    own = psycopg.Cursor(driver) if is_postgresql else driver.cursor()
    with connection.wrap_database_errors, closing(own):
        yield own


def mark(alias: str) -> str:
    """Return how a parameter is written in a statement for that database."""
    return "%s" if connections[alias].vendor == "postgresql" else "?"
