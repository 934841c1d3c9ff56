"""The database's clock: leases are measured by one clock, whatever the hosts believe."""

from datetime import datetime
from typing import Final

from django.db import connection

from audit import sql

# As Django writes times into SQLite, where they are compared as texts: with six digits of the
# second, or with none.
_SQLITE: Final = (
    "replace(strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now', '{0:+d} seconds'), '.000000', '')"
)
_POSTGRESQL: Final = "clock_timestamp() + interval '{0:d} seconds'"


def expression(*, seconds: int = 0) -> str:
    """Return how a statement asks the database for its time, or for one so much later."""
    if connection.vendor == "postgresql":
        return _POSTGRESQL.format(seconds) if seconds else "clock_timestamp()"
    return _SQLITE.format(seconds)


def database_now() -> datetime:
    """Return the database's time of this statement, aware and in UTC."""
    return sql.moment(sql.row(f"SELECT {expression()}")[0])
