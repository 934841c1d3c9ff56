"""Plain statements for the few paths where the ORM's own work costs more than the database's.

Both databases understand the statements; these functions hide that SQLite knows neither times
nor UUIDs: what goes in and comes out is what the ORM would take and give.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

from audit import plain

_MARK: Final = re.compile("%[s%]")


def rows(
    statement: str, parameters: Sequence[Any] = (), *, using: str = "", as_octets: bool = False
) -> list[Any]:
    """Run one statement and return the rows it gives; none when it gives no result.

    `%s` stands for a parameter, `%%` for the sign itself. `as_octets`: PostgreSQL sends octets as
    they are, where it else writes them as hexadecimal digits to be read again.
    """
    alias = using or DEFAULT_DB_ALIAS
    connection = connections[alias]
    if connection.vendor == "sqlite":
        statement = _with_question_marks(statement)
        parameters = [_for_sqlite(connection, value) for value in parameters]
    more = {"binary": True} if as_octets and connection.vendor == "postgresql" else {}
    with plain.cursor(alias) as cursor:
        cursor.execute(statement, parameters, **more)
        # psycopg makes `description` anew each time; `rownumber` is None without a result as well.
        is_told = connection.vendor == "sqlite" or cursor.rownumber is not None
        return cursor.fetchall() if is_told else []


def row(
    statement: str, parameters: Sequence[Any] = (), *, using: str = "", as_octets: bool = False
) -> Any:  # noqa: ANN401 - a row of any columns.
    """Run one statement and return its first row, or None."""
    found = rows(statement, parameters, using=using, as_octets=as_octets)
    return found[0] if found else None


def moment(value: object) -> datetime:
    """Return a time as read from a column, aware and in UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        raise TypeError("The database did not answer with a time.")
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def optional_moment(value: object) -> datetime | None:
    """Return a time that may be missing."""
    return None if value is None else moment(value)


def identifier(value: object) -> UUID:
    """Return a UUID as read from a column."""
    return value if isinstance(value, UUID) else UUID(str(value))


@lru_cache
def _with_question_marks(statement: str) -> str:
    # From left to right: in `%%s` the sign itself stands before an s.
    return _MARK.sub(lambda found: "?" if found[0] == "%s" else "%", statement)


def _for_sqlite(connection: Any, value: object) -> object:  # noqa: ANN401 - a backend's own class.
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value
