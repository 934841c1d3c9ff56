"""The queue's way in: handlers of this app, and what beat starts.

What ends something goes by the database's clock, as in capture.
"""

from celery import shared_task

from governance.jobs.clock import database_now
from governance.rights import (
    bystander_answers,
    choosing,
    endings,
    erasure,
    exports,
    participation,
    renewal,
)

__all__ = [
    "bystander_answers",
    "end_exports",
    "end_seal_keys",
    "endings",
    "erasure",
    "expire_consents",
    "publish_participation",
    "renew_keys",
]


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types.
def expire_consents() -> None:
    """Write down what ran out, and order the end of its data."""
    choosing.expire_consents(now=database_now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types.
def end_exports() -> None:
    """Remove copies whose week is over."""
    exports.end_due(now=database_now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types.
def renew_keys() -> None:
    """Rotate what erasure certificates rely on."""
    renewal.renew(now=database_now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types.
def end_seal_keys() -> None:
    """Destroy the private keys that nothing needs any more."""
    renewal.end_seal_keys(now=database_now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types.
def publish_participation() -> None:
    """Publish the month's figures once they are due."""
    participation.publish_month(now=database_now())
