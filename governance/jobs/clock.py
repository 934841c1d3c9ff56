"""The database's clock: leases are measured by one clock, whatever the hosts believe."""

from datetime import datetime

from django.db import connection

from audit import sql


def database_now() -> datetime:
    """Return the database's time of this statement, aware and in UTC."""
    postgresql = connection.vendor == "postgresql"
    question = "clock_timestamp()" if postgresql else "strftime('%Y-%m-%d %H:%M:%f', 'now')"
    return sql.moment(sql.row(f"SELECT {question}")[0])
