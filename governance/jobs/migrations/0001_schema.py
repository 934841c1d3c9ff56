"""The tables of work to do and of who is alive."""

import django.utils.timezone
from django.db import migrations, models

from audit.migrations._together import Together


class Migration(migrations.Migration):
    replaces = [("jobs", "0001_initial"), ("jobs", "0002_sign")]

    initial = True

    dependencies = []

    operations = [
        Together(
            migrations.CreateModel(
                name="Sign",
                fields=[
                    ("name", models.TextField(primary_key=True, serialize=False)),
                    ("at", models.DateTimeField()),
                ],
                options={
                    "db_table": "jobs_sign",
                },
            ),
            migrations.CreateModel(
                name="Job",
                fields=[
                    ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                    ("queue", models.TextField(default="default")),
                    ("kind", models.TextField()),
                    (
                        "ref",
                        models.TextField(
                            help_text="An opaque id; the job's authority is read from the database."
                        ),
                    ),
                    (
                        "state",
                        models.TextField(
                            choices=[
                                ("ready", "Ready"),
                                ("leased", "Leased"),
                                ("done", "Done"),
                                ("quarantined", "Quarantined"),
                            ],
                            default="ready",
                        ),
                    ),
                    ("run_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ("leased_until", models.DateTimeField(null=True)),
                    ("fence", models.PositiveIntegerField(default=0)),
                    ("attempts", models.PositiveIntegerField(default=0)),
                    ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ("last_error_class", models.TextField(blank=True, default="")),
                ],
                options={
                    "db_table": "jobs_job",
                    "indexes": [models.Index(fields=["state", "run_at"], name="jobs_job_due")],
                    "constraints": [
                        models.UniqueConstraint(fields=("kind", "ref"), name="jobs_job_once"),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("state__in", ["ready", "leased", "done", "quarantined"])
                            ),
                            name="jobs_job_state",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("leased_until__isnull", False), ("state", "leased")),
                                models.Q(
                                    models.Q(("state", "leased"), _negated=True),
                                    ("leased_until__isnull", True),
                                ),
                                _connector="OR",
                            ),
                            name="jobs_job_lease",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("fence__gte", models.F("attempts"))),
                            name="jobs_job_fence",
                        ),
                    ],
                },
            ),
        ),
    ]
