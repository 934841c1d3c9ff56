"""When the log tells what follows from somebody's own decision: once a period, all of it at once.

A key destroyed, a record deleted, a file called back: at its own second each would say what a shy
entry of that second keeps to itself, and whose it was where few were there. Such an entry is
committed with its act like any other, but its leaf says only by when it happened. audit.telling
gives all of a period their places.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings

from audit.leaf import rounded_hour

_HOUR: Final = 3600


def told_at(at: datetime) -> datetime:
    """Return what a leaf says about its time: the end of the period, by which it has happened."""
    return rounded_hour(end_of(at) if is_kept() else at)


def end_of(at: datetime) -> datetime:
    """Return the end of the period that `at` lies in: a whole multiple of it since 1970."""
    period = settings.REMIT_RECALL_SECONDS
    return datetime.fromtimestamp((int(at.timestamp()) // period + 1) * period, tz=UTC)


def last_end(at: datetime) -> datetime:
    """Return the end of the newest period that is over."""
    return end_of(at) - length()


def length() -> timedelta:
    """Return how long a period is."""
    return timedelta(seconds=settings.REMIT_RECALL_SECONDS)


def is_kept() -> bool:
    """Whether private entries wait for the end of their period.

    The demo alone may have periods shorter than an hour. They hide nothing, so nothing waits.
    """
    period: int = settings.REMIT_RECALL_SECONDS
    return period >= _HOUR
