"""Gives what is private its places, a period at a time, among as many entries that say nothing.

Promises: the number that a period tells is a power of two, and the same on each quiet day, whether
nobody or somebody ended something; the order is random; a period is told once. For whoever holds
the log.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import QuerySet

from audit import daily, hold, journal
from audit.actions import Action
from audit.actors import Actor
from audit.models import Outbox, TreeState

# At least so many a period. Whoever ends everything at once leaves some dozens.
LEAST: Final = 128
# Whoever began to write before the period ended has committed by then.
_GRACE: Final = timedelta(seconds=60)
_SECOND: Final = timedelta(seconds=1)
_NOBODY: Final = Actor.system("sequencer")
_AT_ONCE: Final = 500


def tell(*, now: datetime) -> int:
    """Let what is private of the periods that ended have its places; return how many entries.

    A log's first period is the one that it began in: before, there was nothing to hide.
    """
    end = daily.last_end(now)
    state = TreeState.objects.get(pk=settings.REMIT_LOG_ORIGIN)
    is_first = state.told_until is None
    if state.told_until is not None and (end <= state.told_until or now < end + _GRACE):
        return 0
    with hold.its_turn():
        waiting = _waiting(until=end)
        told = 0
        if daily.is_kept() and (not is_first or waiting.exists()):
            told = _release(waiting, end=end, now=now)
        TreeState.objects.filter(pk=state.pk).update(told_until=end)
    return told


def _waiting(*, until: datetime) -> QuerySet[Outbox]:
    # A second more: SQLite compares texts, and a whole second has no fraction in one of the two.
    return Outbox.objects.filter(
        entry__event=Action.PRIVATE_TOLD, entry__occurred_at__lt=until + _SECOND
    )


def _release(waiting: QuerySet[Outbox], *, end: datetime, now: datetime) -> int:
    count = waiting.count()
    for part in _parts(_round(count) - count):
        # They say what all others of the period say, and are about nobody.
        facts: list[journal.Facts] = [{"actor": _NOBODY, "now": end - _SECOND}] * part
        journal.append_all(Action.PRIVATE_TOLD, facts)
    rows = list(waiting)
    # The operating system's source: an order that can be guessed would hide nothing.
    source = random.SystemRandom()
    for row in rows:
        wait = source.uniform(0, settings.REMIT_LOG_DELAY_SECONDS)
        row.not_before = now + timedelta(seconds=wait)
    Outbox.objects.bulk_update(rows, ["not_before"], batch_size=_AT_ONCE)
    return len(rows)


def _parts(wanted: int) -> Iterator[int]:
    while wanted > 0:
        yield min(wanted, journal.MOST_AT_ONCE)
        wanted -= journal.MOST_AT_ONCE


def _round(count: int) -> int:
    most = LEAST
    while most < count:
        most *= 2
    return most
