"""The tables of requests for data, releases and recalls."""

import django.db.models.deletion
from django.db import migrations, models

from audit.migrations._together import Together
from ._guards import lay


class Migration(migrations.Migration):
    replaces = [
        ("releases", "0001_initial"),
        ("releases", "0002_append_only"),
        ("releases", "0003_unproven"),
    ]

    initial = True

    dependencies = [
        ("audit", "0001_schema"),
    ]

    operations = [
        Together(
            migrations.CreateModel(
                name="AccessRequest",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("requester", models.TextField()),
                    ("purpose", models.CharField(max_length=64)),
                    ("applications", models.JSONField()),
                    ("categories", models.JSONField()),
                    ("reason", models.TextField(max_length=2000)),
                    ("requested_at", models.DateTimeField()),
                    ("expires_at", models.DateTimeField()),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
                options={
                    "db_table": "releases_access_request",
                    "indexes": [
                        models.Index(fields=["requester"], name="releases_request_requester")
                    ],
                },
            ),
            migrations.CreateModel(
                name="RequestStep",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "request",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="steps",
                            to="releases.accessrequest",
                        ),
                    ),
                    ("number", models.PositiveSmallIntegerField()),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("requested", "requested"),
                                ("reviewed", "reviewed"),
                                ("approved", "approved"),
                                ("rejected", "rejected"),
                            ],
                            max_length=16,
                        ),
                    ),
                    ("actor", models.TextField()),
                    ("note", models.TextField(blank=True, max_length=2000)),
                    ("at", models.DateTimeField()),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
                options={
                    "db_table": "releases_request_step",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("request", "number"), name="releases_step_number"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="AccessApproval",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "request",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="approvals",
                            to="releases.accessrequest",
                        ),
                    ),
                    ("requester", models.TextField()),
                    ("approver", models.TextField()),
                    ("role", models.CharField(max_length=32)),
                    ("at", models.DateTimeField()),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
                options={
                    "db_table": "releases_access_approval",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("approver", models.F("requester")), _negated=True),
                            name="releases_approver_is_not_requester",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("role__in", ("privacy_officer", "policy_approver"))
                            ),
                            name="releases_approving_role",
                        ),
                        models.UniqueConstraint(
                            fields=("request", "approver"), name="releases_approver_once"
                        ),
                        models.UniqueConstraint(
                            fields=("request", "role"), name="releases_role_once"
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="DatasetRelease",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    (
                        "request",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="release",
                            to="releases.accessrequest",
                        ),
                    ),
                    ("requester", models.TextField()),
                    ("purpose", models.CharField(max_length=64)),
                    ("salt", models.BinaryField()),
                    ("ordered_at", models.DateTimeField()),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
                options={
                    "db_table": "releases_release",
                },
            ),
            migrations.CreateModel(
                name="ReleaseStep",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "release",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="steps",
                            to="releases.datasetrelease",
                        ),
                    ),
                    ("number", models.PositiveIntegerField()),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("building", "building"),
                                ("published", "published"),
                                ("withheld", "withheld"),
                                ("unproven", "unproven"),
                                ("affected", "affected"),
                                ("recalled", "recalled"),
                            ],
                            max_length=16,
                        ),
                    ),
                    ("at", models.DateTimeField()),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
                options={
                    "db_table": "releases_release_step",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("release", "number"), name="releases_release_step_number"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="ReleaseManifest",
                fields=[
                    (
                        "release",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            primary_key=True,
                            related_name="manifest",
                            serialize=False,
                            to="releases.datasetrelease",
                        ),
                    ),
                    ("envelope", models.JSONField()),
                    ("digest", models.CharField(max_length=64)),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
                options={
                    "db_table": "releases_manifest",
                },
            ),
            migrations.CreateModel(
                name="ReleaseFile",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    (
                        "release",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="files",
                            to="releases.datasetrelease",
                        ),
                    ),
                    ("name", models.CharField(max_length=80)),
                    ("subject", models.TextField()),
                    ("object_key", models.TextField()),
                    ("length", models.PositiveBigIntegerField()),
                    ("sha256", models.CharField(max_length=64)),
                    ("episodes", models.PositiveIntegerField()),
                    ("steps", models.PositiveIntegerField()),
                    ("retain_until", models.DateTimeField()),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
                options={
                    "db_table": "releases_file",
                    "indexes": [models.Index(fields=["subject"], name="releases_file_subject")],
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("release", "name"), name="releases_file_name"
                        ),
                        models.UniqueConstraint(
                            fields=("release", "subject"), name="releases_file_person"
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="ReleaseItem",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "file",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="items",
                            to="releases.releasefile",
                        ),
                    ),
                    ("frame_id", models.UUIDField(db_index=True)),
                    ("batch_id", models.UUIDField(db_index=True)),
                    ("application", models.CharField(max_length=64)),
                    ("category", models.CharField(max_length=32)),
                    ("policy_version", models.TextField()),
                    ("consent_event", models.TextField()),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
                options={
                    "db_table": "releases_item",
                },
            ),
            migrations.CreateModel(
                name="ReleaseRecall",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    (
                        "release",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="recalls",
                            to="releases.datasetrelease",
                        ),
                    ),
                    (
                        "file",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="recall",
                            to="releases.releasefile",
                        ),
                    ),
                    ("number", models.PositiveIntegerField()),
                    ("reason", models.TextField()),
                    ("at", models.DateTimeField()),
                    ("envelope", models.JSONField()),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
                options={
                    "db_table": "releases_recall",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("release", "number"), name="releases_recall_number"
                        )
                    ],
                },
            ),
        ),
        migrations.RunPython(lay),
    ]
