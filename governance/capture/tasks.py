"""The queue's way in: jobs of this app, and the hourly tidying up."""

from celery import shared_task

from governance.capture import completion, deletion, expiry, runs
from governance.jobs import services as jobs
from governance.vault import orphans

jobs.handler("capture:redact", quarantined=runs.quarantine)(runs.redact_batch)
jobs.handler(deletion.COMPLETE_JOB)(completion.complete)


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types.
def expire_captures() -> None:
    """Dispose of what is due."""
    expiry.expire_due()


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types.
def collect_orphans() -> None:
    """Remove ciphertext that a crash left without a row."""
    orphans.collect()
