"""The job table: what is to be done, committed together with the change that asked for it."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class JobState(models.TextChoices):
    """Where a job stands. "done" and "quarantined" are terminal."""

    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    QUARANTINED = "quarantined"


class Sign(models.Model):
    """A sign of life, or that something happened once: who said so, and when last."""

    name = models.TextField(primary_key=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "jobs_sign"


class Job(models.Model):
    """One thing to do, once per (kind, ref), held by at most one fence at a time."""

    id = models.UUIDField(primary_key=True, editable=False)
    queue = models.TextField(default="default")
    kind = models.TextField()
    ref = models.TextField(help_text="An opaque id; the job's authority is read from the database.")
    state = models.TextField(choices=JobState, default=JobState.READY)
    run_at = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    last_error_class = models.TextField(default="", blank=True)

    class Meta:
        db_table = "jobs_job"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "ref"], name="jobs_job_once"),
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="jobs_job_state"),
            models.CheckConstraint(
                condition=Q(state=JobState.LEASED, leased_until__isnull=False)
                | (~Q(state=JobState.LEASED) & Q(leased_until__isnull=True)),
                name="jobs_job_lease",
            ),
            models.CheckConstraint(condition=Q(fence__gte=F("attempts")), name="jobs_job_fence"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "run_at"], name="jobs_job_due"),
        ]
