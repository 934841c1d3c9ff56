"""Questions about the job table for health pages and tests; none of them names a person."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Q

from governance.jobs.clock import database_now
from governance.jobs.models import Job, JobState, Sign

WORKER: Final = "worker"


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much work waits, and how much was given up."""

    open: int
    late: int
    quarantined: int


def backlog(*, late_seconds: int = 60) -> Backlog:
    """Count open, late and given-up jobs. Late: due for longer than `late_seconds`."""
    limit = database_now() - timedelta(seconds=late_seconds)
    is_open = Q(state__in=[JobState.READY, JobState.LEASED])
    counts = Job.objects.aggregate(
        open=Count("pk", filter=is_open),
        late=Count("pk", filter=is_open & Q(run_at__lt=limit)),
        quarantined=Count("pk", filter=Q(state=JobState.QUARANTINED)),
    )
    return Backlog(**counts)


def seconds_since(name: str) -> float | None:
    """Return how long ago `name` gave its last sign, or None when it never did."""
    sign = Sign.objects.filter(pk=name).first()
    return None if sign is None else (database_now() - sign.at).total_seconds()


@dataclass(frozen=True, slots=True)
class JobView:
    """One job as others may see it."""

    id: UUID
    state: JobState
    attempts: int
    last_error_class: str


def find(*, kind: str, ref: str) -> JobView | None:
    """Return where a piece of work stands, or None when nobody asked for it."""
    job = Job.objects.filter(kind=kind, ref=ref).first()
    if job is None:
        return None
    return JobView(
        id=job.id,
        state=JobState(job.state),
        attempts=job.attempts,
        last_error_class=job.last_error_class,
    )
