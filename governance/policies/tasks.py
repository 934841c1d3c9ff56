"""The queue's way in: what ran out ends capture by itself."""

from celery import shared_task
from django.utils import timezone

from audit.actors import Actor
from governance.policies import groundwork

GUARD = Actor.system("guard")


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types.
def suspend_unguarded() -> None:
    """Suspend every active policy whose agreement, assessment or promise no longer holds."""
    groundwork.suspend_unguarded(actor=GUARD, now=timezone.now())
