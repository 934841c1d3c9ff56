"""The database's clock: leases are measured by one clock, whatever the hosts believe."""

from datetime import UTC, datetime

from django.db import connection
from django.utils.dateparse import parse_datetime


def database_now() -> datetime:
    """Return the database's time of this statement, aware and in UTC."""
    postgresql = connection.vendor == "postgresql"
    question = "clock_timestamp()" if postgresql else "strftime('%Y-%m-%d %H:%M:%f', 'now')"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {question}")
        value = cursor.fetchone()[0]
    moment = parse_datetime(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        raise TypeError("The database did not answer with a time.")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
