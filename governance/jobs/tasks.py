"""The queue's side of the job table. A message carries one opaque id and no authority."""

import contextlib
from time import monotonic
from uuid import UUID

from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError

from governance.jobs import services
from governance.jobs.selectors import WORKER

_SILENCE_SECONDS = 5.0
_silent_until = 0.0
_swept_at = float("-inf")


@shared_task  # type: ignore[untyped-decorator] # Celery ships no types.
def run_job(job_id: str) -> None:
    """Do one job and its queue's others; an id that is no id, or of no job, does nothing."""
    with contextlib.suppress(ValueError):
        services.answer(UUID(job_id))


@shared_task  # type: ignore[untyped-decorator] # Celery ships no types.
def sweep_jobs() -> None:
    """Say that a worker is here, and do what was left lying; of many that waited, once."""
    global _swept_at  # noqa: PLW0603 - One pace a process.
    if monotonic() - _swept_at < settings.REMIT_SWEEP_SECONDS / 2:
        return
    _swept_at = monotonic()
    services.give_sign(WORKER)
    services.sweep()


def ring(job_id: UUID, queue: str) -> None:
    """Send the id to a worker. A broker that is away costs one second, then five of silence."""
    global _silent_until  # noqa: PLW0603 - One circuit breaker a process.
    if monotonic() < _silent_until:
        return
    try:
        known = queue if queue in run_job.app.amqp.queues else "default"
        run_job.apply_async(args=[str(job_id)], queue=known, retry=False, ignore_result=True)
    except (OperationalError, OSError):
        _silent_until = monotonic() + _SILENCE_SECONDS
