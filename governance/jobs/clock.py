"""The database's clock: leases are measured by one clock, whatever the hosts believe."""

from datetime import datetime

from django.db import connection

from audit import sql


def expression() -> str:
    """Return how a statement asks the database for its time."""
    if connection.vendor == "postgresql":
        return "clock_timestamp()"
    return "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')"


def database_now() -> datetime:
    """Return the database's time of this statement, aware and in UTC."""
    return sql.moment(sql.row(f"SELECT {expression()}")[0])
