"""Work that is never lost and never done twice: leases, fences, attempts, quarantine.

Promise: a job added in a transaction exists exactly when that transaction committed; it reaches
"done" or "quarantined" although brokers lose messages and workers die at any instruction. Its
effect happens once when the handler writes it in one transaction with `finish`. Handlers must
bear being started again. Time is the database's.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from time import monotonic
from types import TracebackType
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, QuerySet
from django.utils.module_loading import autodiscover_modules

from audit import committed, sql
from audit.errors import LogUnavailableError
from audit.ids import uuid7
from governance.jobs import clock, doorbell, statements
from governance.jobs.clock import database_now
from governance.jobs.errors import FenceLostError, PostponeError, UnknownKindError
from governance.jobs.models import Job, JobState, Sign

logger = logging.getLogger(__name__)

MAX_ATTEMPTS: Final = 5
_BACKLOG: Final = 8
_RETRY_SECONDS: Final = (1, 5, 15, 60)
_ADD: Final = """
    INSERT INTO jobs_job (id, queue, kind, ref, state, run_at, created_at, fence, attempts,
                          last_error_class)
    VALUES (%s, %s, %s, %s, %s, COALESCE(%s, {now}), {now}, 0, 0, '')
    ON CONFLICT (kind, ref) DO NOTHING RETURNING run_at, created_at
"""


@dataclass(frozen=True, slots=True)
class Fence:
    """A worker's right to write for one job; it ends when another worker takes the job."""

    job: UUID
    number: int
    # What the handler committed by `finish`, so that nobody asks the database again.
    ended: list[None] = field(default_factory=list, compare=False, repr=False)

    def assert_held(self) -> datetime:
        """Hold the job's row until the transaction ends; return the database's time.

        Raises FenceLostError.
        """
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError("A fence is held in a transaction.")
        # SQLite has no row locks; there the IMMEDIATE transaction keeps every other writer out.
        lock = " FOR UPDATE" if connection.vendor == "postgresql" else ""
        held = sql.row(
            statements.HOLD.format(now=clock.expression()) + lock, [self.job, self.number]
        )
        if held is None:
            raise FenceLostError("Another worker holds this job.")
        return sql.moment(held[0])

    def renew(self) -> None:
        """Lease the job anew in the middle of long work, or raise FenceLostError."""
        until = database_now() + timedelta(seconds=settings.REMIT_JOB_LEASE_SECONDS)
        if not _mine(self).update(leased_until=until):
            raise FenceLostError("Another worker holds this job.")


Work = Callable[[str, Fence], None]
WorkTogether = Callable[[Sequence[tuple[str, Fence]]], None]
Farewell = Callable[[str], None]

_works: dict[str, Work] = {}
_together: dict[str, WorkTogether] = {}
# What is away, full, locked or undone for another's sake is no fault of the work.
_outages: set[type[Exception]] = {OperationalError, InterfaceError, LogUnavailableError}
_OUTAGE_SECONDS: Final = 15


def handler(
    kind: str, *, quarantined: Farewell | None = None, together: WorkTogether | None = None
) -> Callable[[Work], Work]:
    """Register the function that does one kind of work: it gets the job's ref and fence.

    It runs outside any transaction. `together` may do many at once while there is a backlog; what
    it leaves, or fails at, is done one by one. `quarantined(ref)` is called when a job was given
    up, so that what waits for it is told: once, in a transaction, as work of its own that no crash
    loses.
    """

    def register(work: Work) -> Work:
        _works[kind] = work
        if quarantined is not None:
            _works[_given_up(kind)] = partial(_part, quarantined)
        if together is not None:
            _together[kind] = together
        return work

    return register


@cache
def _read_tasks() -> None:
    # Only who does work needs the code of all work, the patterns of redaction among it.
    autodiscover_modules("tasks")


def _all_works() -> dict[str, Work]:
    _read_tasks()
    return _works


def excuse(outage: type[Exception]) -> None:
    """Let work wait, without using up an attempt, for whatever this error says is away."""
    _outages.add(outage)


def _part(farewell: Farewell, ref: str, fence: Fence) -> None:
    with transaction.atomic():
        fence.assert_held()
        farewell(ref)
        finish(fence)


def _given_up(kind: str) -> str:
    return f"quarantined:{kind}"


def add(*, kind: str, ref: str, queue: str = "default", run_at: datetime | None = None) -> Job:
    """Add work in the caller's transaction and ring for it after the commit.

    Adding the same (kind, ref) again returns the job there is, done or not: a need that may
    come back takes a ref of its own.
    """
    job = Job(id=uuid7(), queue=queue, kind=kind, ref=ref)
    columns = [job.id, queue, kind, ref, job.state, run_at]
    created = sql.row(_ADD.format(now=clock.expression()), columns)
    if created is None:
        return Job.objects.get(kind=kind, ref=ref)
    job.run_at, job.created_at = map(sql.moment, created)
    transaction.on_commit(partial(doorbell.ring, job.id, queue), robust=True)
    return job


def is_open(*, kind: str, refs: Iterable[str]) -> bool:
    """Tell whether any of these jobs is not at its end yet."""
    ends = (JobState.DONE, JobState.QUARANTINED)
    return Job.objects.filter(kind=kind, ref__in=list(refs)).exclude(state__in=ends).exists()


def finish(fence: Fence) -> datetime:
    """Mark the job done inside the transaction that writes its effect, or raise FenceLostError.

    Where the effect is written afterwards, this holds the job for it. Returns the database's time.
    """
    return finish_all([fence])


def finish_all(fences: Sequence[Fence]) -> datetime:
    """Mark jobs done as `finish` does one: all of them, or FenceLostError and none."""
    times = _done(fences)
    if len(times) != len(fences):
        raise FenceLostError("Another worker holds this job.")
    for fence in fences:
        transaction.on_commit(partial(fence.ended.append, None))
    return times[0]


def _done(fences: Sequence[Fence]) -> list[datetime]:
    held = " OR ".join([f"({statements.HELD})"] * len(fences))
    given = [value for fence in fences for value in (fence.job, fence.number)]
    found = sql.rows(statements.DONE.format(held=held, now=clock.expression()), given)
    return [sql.moment(at) for (at,) in found]


def _mine(fence: Fence) -> QuerySet[Job]:
    return Job.objects.filter(pk=fence.job, fence=fence.number, state=JobState.LEASED)


def run(job_id: UUID) -> bool:
    """Do one job when it is due and free; return whether this call tried it.

    The attempt is counted and committed before the work begins, so a job that kills its worker
    is given up after five deaths like one that fails politely.
    """
    leased = _lease(job_id)
    if leased is None:
        return False
    _do(*leased)
    return True


def _do(kind: str, ref: str, fence: Fence, *, is_late: bool = False) -> None:
    with _Attempt(fence):
        if is_late:  # Leased a while ago.
            fence.renew()
        work = _all_works().get(kind)
        if work is None:
            raise UnknownKindError("Nobody here does this kind of work.")
        work(ref, fence)
        if not fence.ended:  # A handler with no effect rows.
            _done([fence])


def _run_together(ids: Sequence[UUID]) -> int:
    """Do those of many jobs at once that are of kinds made for it; return how many were tried.

    Whatever goes wrong with many, each that is not done then is done by itself, so that only what
    is at fault fails; and after a death nobody does them together again.
    """
    _read_tasks()
    if not _together:
        return 0
    statement = statements.due(
        statements.LEASE_ALL, marks=statements.marks(ids), kinds=statements.marks(_together)
    )
    with committed.alone():
        taken = sql.rows(statement, [*ids, *_together])
    kinds: dict[str, list[tuple[str, Fence]]] = {}
    for job, kind, ref, number in sorted(taken):
        fence = Fence(job=sql.identifier(job), number=number)
        kinds.setdefault(kind, []).append((ref, fence))
    for kind, leased in kinds.items():
        if len(leased) > 1:
            with _Together():
                _together[kind](leased)
        for ref, fence in leased:
            if not fence.ended:
                _do(kind, ref, fence, is_late=True)
    return len(taken)


class _Together:
    """The edge of work on many jobs: what it raises is told by each of them anew."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        """Swallow what failed after noting its class; let exits and interrupts pass."""
        if kind is None or not issubclass(kind, Exception):
            return False
        logger.info("job.apart", extra={"error": kind.__name__})
        return True


def _lease(job_id: UUID) -> tuple[str, str, Fence] | None:
    with committed.alone():
        taken = sql.row(statements.due(statements.LEASE), [job_id, MAX_ATTEMPTS])
    if taken is not None:
        kind, ref, number = taken
        return kind, ref, Fence(job=job_id, number=number)
    with transaction.atomic(durable=True):
        free = sql.row(statements.due(statements.FREE + " {skip}"), [job_id])
        if free is not None and free[0] >= MAX_ATTEMPTS:
            _quarantine(Job.objects.get(pk=job_id))
    return None


class _Attempt:
    """The edge of one piece of work: whatever it raises is written down, and the worker lives."""

    def __init__(self, fence: Fence) -> None:
        self.fence = fence

    def __enter__(self) -> None:
        """Begin the attempt."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Swallow a failed attempt after noting its class; let exits and interrupts pass."""
        if kind is None or not issubclass(kind, Exception):
            return False
        if isinstance(error, PostponeError):
            _postpone(self.fence, error.seconds)
            return True
        # The class only: a message may quote what must not stand in any log.
        logger.warning("job.failed", extra={"job": str(self.fence.job), "error": kind.__name__})
        if issubclass(kind, tuple(_outages)):
            _postpone(self.fence, _OUTAGE_SECONDS)
            return True
        _failed(self.fence, kind.__name__)
        return True


def _postpone(fence: Fence, seconds: float) -> None:
    run_at = database_now() + timedelta(seconds=seconds)
    _mine(fence).update(
        state=JobState.READY, leased_until=None, run_at=run_at, attempts=F("attempts") - 1
    )


def _failed(fence: Fence, error_class: str) -> None:
    with transaction.atomic():
        job = _mine(fence).select_for_update().first()
        if job is None:
            return
        job.last_error_class = error_class
        if job.attempts >= MAX_ATTEMPTS:
            _quarantine(job)
            return
        pause = _RETRY_SECONDS[min(job.attempts, len(_RETRY_SECONDS)) - 1]
        job.state = JobState.READY
        job.leased_until = None
        job.run_at = database_now() + timedelta(seconds=pause)
        job.save(update_fields=["state", "leased_until", "run_at", "last_error_class"])


def _quarantine(job: Job) -> None:
    job.state = JobState.QUARANTINED
    job.leased_until = None
    job.save(update_fields=["state", "leased_until", "last_error_class"])
    logger.error("job.quarantined", extra={"job": str(job.id), "kind": job.kind})
    if _given_up(job.kind) in _all_works():
        add(kind=_given_up(job.kind), ref=job.ref, queue=job.queue)


def answer(job_id: UUID, *, limit: int = 50, seconds: float = 10.0) -> None:
    """Answer the bell: do this job and what else is due in its queue.

    One ring may stand for many jobs. Whoever stops at a bound rings again, so that the sweep is
    needed only for rings that nobody heard.
    """
    job = Job.objects.filter(pk=job_id).only("queue").first()
    if job is None:
        return
    run(job_id)
    run_due(limit=limit, seconds=seconds, queue=job.queue)
    for left in _waiting(job.queue, limit=1):
        doorbell.ring(left, job.queue)


def run_due(*, limit: int = 1000, seconds: float = 60.0, queue: str | None = None) -> int:
    """Do what is due, oldest first, until nothing is left or a bound is met; return how many.

    With a queue, only what is due in it.
    """
    tried, stop_at = 0, monotonic() + seconds
    while tried < limit and monotonic() < stop_at:
        ids = _waiting(queue, limit=min(_BACKLOG, limit - tried))
        # So many wait that nobody else stands idle while they are done together.
        ran = _run_together(ids) if len(ids) == _BACKLOG else 0
        ran = ran or sum(run(job_id) for job_id in ids if monotonic() < stop_at)
        if ran == 0:
            break
        tried += ran
    return tried


def _waiting(queue: str | None, *, limit: int) -> list[UUID]:
    """Return what is due, oldest first; with a queue, only what is due in it."""
    statement = (
        f"{statements.WAITING} {'' if queue is None else 'AND queue = %s'} ORDER BY run_at LIMIT %s"
    )
    wanted = [] if queue is None else [queue]
    found = sql.rows(statements.due(statement), [*wanted, limit])
    return [sql.identifier(key) for (key,) in found]


def give_sign(name: str) -> None:
    """Write down that `name` is alive, or has happened, by the database's clock."""
    Sign.objects.update_or_create(name=name, defaults={"at": database_now()})


def sweep(*, limit: int = 200, seconds: float = 10.0) -> int:
    """Do what no doorbell was heard for, and what dead workers left; return how many."""
    return run_due(limit=limit, seconds=seconds)
