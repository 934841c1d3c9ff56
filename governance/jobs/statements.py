"""The statements that take jobs and end them, in which the database asks its own clock."""

from collections.abc import Collection
from typing import Final

from django.conf import settings
from django.db import connection

from governance.jobs import clock

# No job was added later than now, and no lease ends later: beyond this, the clock went back.
_AHEAD_SECONDS: Final = 60
# What every piece of work pays for is said in plain statements. Due is what its time has come for,
# and what a clock wrote that went back since.
_IS_DUE: Final = """
    ((state = 'ready' AND (run_at <= {now} OR created_at > {ahead}))
    OR (state = 'leased' AND (leased_until <= {now} OR leased_until > {longest})))
"""
WAITING: Final = f"SELECT id FROM jobs_job WHERE {_IS_DUE}"  # noqa: S608 - constants.
FREE: Final = f"SELECT attempts FROM jobs_job WHERE id = %s AND {_IS_DUE}"  # noqa: S608 - constants.
# One statement: found, taken and counted at once, or somebody else was quicker.
LEASE: Final = f"""
    UPDATE jobs_job
    SET state = 'leased', fence = fence + 1, attempts = attempts + 1, leased_until = {{until}}
    WHERE id IN (SELECT id FROM jobs_job WHERE id = %s AND attempts < %s AND {_IS_DUE} {{skip}})
    RETURNING kind, ref, fence
"""  # noqa: S608 - constants.
HELD: Final = "id = %s AND fence = %s AND state = 'leased'"
HOLD: Final = f"SELECT {{now}} FROM jobs_job WHERE {HELD}"  # noqa: S608 - constants.
# For a backlog: at once, and each for the first time. What was tried before is done by itself.
LEASE_ALL: Final = f"""
    UPDATE jobs_job
    SET state = 'leased', fence = fence + 1, attempts = attempts + 1, leased_until = {{until}}
    WHERE id IN (
        SELECT id FROM jobs_job WHERE id IN ({{marks}}) AND kind IN ({{kinds}})
        AND attempts = 0 AND {_IS_DUE} {{skip}}
    )
    RETURNING id, kind, ref, fence
"""  # noqa: S608 - constants.
DONE: Final = """
    UPDATE jobs_job SET state = 'done', leased_until = NULL, last_error_class = ''
    WHERE {held} RETURNING {now}
"""


def due(statement: str, **named: str) -> str:
    """Return a statement in which the database asks its own clock."""
    lease = settings.REMIT_JOB_LEASE_SECONDS
    return statement.format(
        now=clock.expression(),
        ahead=clock.expression(seconds=_AHEAD_SECONDS),
        until=clock.expression(seconds=lease),
        longest=clock.expression(seconds=_AHEAD_SECONDS + lease),
        skip="FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else "",
        **named,
    )


def marks(values: Collection[object]) -> str:
    """Return as many marks for parameters as there are values."""
    return ", ".join(["%s"] * len(values))
