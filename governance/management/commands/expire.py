"""Dispose of what is due now, as the hourly job does."""

from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand

from governance.capture import expiry
from governance.jobs.clock import database_now


class Command(BaseCommand):
    help = "Dispose of captured data whose time is over; safe to run at any time."
    requires_system_checks = (Tags.security,)

    def handle(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - Django's own options.
        """Print how many frames were disposed of and how many are still overdue: zero."""
        disposed = expiry.expire_due(now=database_now())
        self.stdout.write(f"disposed {disposed}, overdue {expiry.overdue(now=database_now())}")
