"""The queue's way in: handlers of this app, and what beat starts."""

from celery import shared_task

from governance.rights import choosing, erasure, exports, renewal

__all__ = ["end_exports", "erasure", "expire_consents", "renew_keys"]


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types.
def expire_consents() -> None:
    """Write down what ran out, and order the end of its data."""
    choosing.expire_consents()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types.
def end_exports() -> None:
    """Remove copies whose week is over."""
    exports.end_due()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types.
def renew_keys() -> None:
    """Rotate what erasure certificates rely on."""
    renewal.renew()
