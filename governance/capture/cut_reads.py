"""Closes the accesses whose process died before it could say how they ended.

Promise: an access that opened something ends in the log, if not by whoever read, then within an
hour and a quarter as "incomplete": it is known that it was allowed, and not what came of it.
Accesses of people who were erased are left: nobody can tell any more whom they were about.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from audit import health, journal
from audit import selectors as audit
from audit.actions import Action
from audit.actors import Actor
from audit.selectors import OpenedEntry
from governance.jobs import selectors as signs
from governance.jobs import services as jobs
from governance.vault import reconciliation
from governance.vault.errors import KeyShreddedError

SWEEPER: Final = Actor.system("sweeper")
# Longer than any read takes: what is streamed is cut sooner.
GRACE: Final = timedelta(minutes=15)
_FIRST_LOOK: Final = timedelta(hours=25)
_SIGN: Final = "cut reads"


def close(*, now: datetime) -> int:
    """Close what was cut since the last time, by the database's `now`; return how many."""
    health.require_open()
    closed = 0
    for subject, allowed in list(_cut(since=_since(now), before=now - GRACE)):
        try:
            journal.append_now(
                Action.ACCESS_CLOSED,
                actor=SWEEPER,
                subject=subject,
                purpose=allowed.purpose,
                act=allowed.act,
                private={"outcome": "incomplete", "grant": str(allowed.uuid)},
            )
        except KeyShreddedError:
            continue  # Erased since it was found.
        closed += 1
    jobs.give_sign(_SIGN)
    return closed


def _since(now: datetime) -> datetime:
    """Return from when on accesses are looked at: from before the last look's own bound."""
    ago = signs.seconds_since(_SIGN)
    return now - (_FIRST_LOOK if ago is None else timedelta(seconds=ago) + 2 * GRACE)


def _cut(*, since: datetime, before: datetime) -> Iterator[tuple[str, OpenedEntry]]:
    ends = {one.details.get("grant") for one in audit.told(Action.ACCESS_CLOSED, since=since)}
    for allowed in audit.told(Action.ACCESS_ALLOWED, since=since):
        opens = allowed.act.startswith(reconciliation.OPENING)
        subject = allowed.details.get("subject")  # Missing once the person was erased.
        is_cut = allowed.occurred_at < before and str(allowed.uuid) not in ends
        if opens and is_cut and isinstance(subject, str):
            yield subject, allowed
