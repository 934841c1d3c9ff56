"""The queue's way in: jobs of this app, and the hourly tidying up.

What destroys goes by the database's clock: a worker whose own is a year ahead destroys nothing.
"""

from celery import shared_task

from governance.capture import completion, cut_reads, deletion, expiry, rereading, runs
from governance.jobs import services as jobs
from governance.jobs.clock import database_now
from governance.vault import orphans

jobs.handler("capture:redact", quarantined=runs.quarantine, together=runs.redact_together)(
    runs.redact_batch
)
jobs.handler(deletion.COMPLETE_JOB)(completion.complete)
jobs.handler(rereading.JOB)(rereading.reread)


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types.
def expire_captures() -> None:
    """Dispose of what is due."""
    expiry.expire_due(now=database_now())


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types.
def collect_orphans() -> None:
    """Remove ciphertext that a crash left without a row."""
    orphans.collect(now=database_now())


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types.
def close_cut_reads() -> None:
    """Say of reads whose process died that they are incomplete."""
    cut_reads.close(now=database_now())


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types.
def reread_captures() -> None:
    """Have what an older recipe redacted be redacted again."""
    rereading.ask_for_recipe()
