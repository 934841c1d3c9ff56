"""The tables of rights requests, erasures, campaigns and reports."""

import django.db.models.deletion
from django.db import migrations, models

from audit.migrations._together import Together
from ._guards import lay


class Migration(migrations.Migration):
    replaces = [
        ("rights", "0001_initial"),
        ("rights", "0002_append_only"),
        ("rights", "0003_asking"),
        ("rights", "0004_asking_append_only"),
        ("rights", "0005_bystanders"),
        ("rights", "0006_campaign_end"),
    ]

    initial = True

    dependencies = [
        ("audit", "0001_schema"),
    ]

    operations = [
        Together(
            migrations.CreateModel(
                name="RightsRequest",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("organisation", models.TextField(default="default")),
                    ("subject", models.TextField()),
                    (
                        "kind",
                        models.TextField(
                            choices=[
                                ("access", "access"),
                                ("rectification", "rectification"),
                                ("erasure", "erasure"),
                                ("restriction", "restriction"),
                                ("portability", "portability"),
                                ("objection", "objection"),
                            ]
                        ),
                    ),
                    ("words", models.TextField(blank=True)),
                    ("received_at", models.DateTimeField()),
                    ("due_at", models.DateTimeField()),
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
                    "indexes": [
                        models.Index(fields=["subject", "id"], name="rights_request_subject")
                    ],
                },
            ),
            migrations.CreateModel(
                name="RequestStep",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    (
                        "request",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="steps",
                            to="rights.rightsrequest",
                        ),
                    ),
                    ("number", models.PositiveIntegerField()),
                    (
                        "status",
                        models.TextField(
                            choices=[
                                ("RequestInitiated", "RequestInitiated"),
                                ("RequestAcknowledged", "RequestAcknowledged"),
                                ("RequestRequiresAction", "RequestRequiresAction"),
                                (
                                    "RequestRequiredActionPerformed",
                                    "RequestRequiredActionPerformed",
                                ),
                                ("RequestAccepted", "RequestAccepted"),
                                ("RequestActionDelayed", "RequestActionDelayed"),
                                ("RequestRejected", "RequestRejected"),
                                ("RequestFulfilled", "RequestFulfilled"),
                                ("RequestUnfulfilled", "RequestUnfulfilled"),
                            ]
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
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("request", "number"), name="rights_request_step_once"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="ErasureOrder",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("organisation", models.TextField(default="default")),
                    ("subject", models.TextField()),
                    ("application", models.TextField(blank=True)),
                    ("category", models.TextField(blank=True)),
                    ("purposes", models.JSONField(default=list)),
                    ("reason", models.TextField()),
                    (
                        "request",
                        models.OneToOneField(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="order",
                            to="rights.rightsrequest",
                        ),
                    ),
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
                    "indexes": [
                        models.Index(fields=["subject", "id"], name="rights_order_subject")
                    ],
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("application", ""), ("category", "")),
                            fields=("subject",),
                            name="rights_order_subject_once",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="ErasureStep",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    (
                        "order",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="steps",
                            to="rights.erasureorder",
                        ),
                    ),
                    (
                        "state",
                        models.TextField(
                            choices=[
                                ("Ordered", "Ordered"),
                                ("Restricted", "Restricted"),
                                ("KeyDestroyed", "KeyDestroyed"),
                                ("ObjectsPurged", "ObjectsPurged"),
                                ("RecipientsNotified", "RecipientsNotified"),
                                ("Verified", "Verified"),
                                ("Completed", "Completed"),
                            ]
                        ),
                    ),
                    ("at", models.DateTimeField()),
                    ("figures", models.JSONField(default=dict)),
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
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("order", "state"), name="rights_erasure_step_once"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="ErasureCertificate",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    (
                        "order",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="certificate",
                            to="rights.erasureorder",
                        ),
                    ),
                    ("subject", models.TextField(db_index=True)),
                    ("envelope", models.JSONField()),
                    ("issued_at", models.DateTimeField()),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
            ),
            migrations.CreateModel(
                name="PortabilityExport",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("organisation", models.TextField(default="default")),
                    ("subject", models.TextField()),
                    (
                        "state",
                        models.TextField(
                            choices=[
                                ("building", "building"),
                                ("ready", "ready"),
                                ("failed", "failed"),
                                ("ended", "ended"),
                            ]
                        ),
                    ),
                    ("requested_at", models.DateTimeField()),
                    ("expires_at", models.DateTimeField()),
                    ("ready_at", models.DateTimeField(null=True)),
                    ("object_key", models.TextField(blank=True)),
                    ("length", models.PositiveBigIntegerField(null=True)),
                    ("captures", models.PositiveIntegerField(null=True)),
                    (
                        "request",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="export",
                            to="rights.rightsrequest",
                        ),
                    ),
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
                    "indexes": [
                        models.Index(fields=["subject", "id"], name="rights_export_subject")
                    ],
                },
            ),
            migrations.CreateModel(
                name="Campaign",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("organisation", models.TextField(default="default")),
                    ("purpose", models.TextField()),
                    ("incentive", models.TextField(default="none")),
                    ("sender", models.TextField()),
                    ("sent_at", models.DateTimeField()),
                    ("lapses_at", models.DateTimeField()),
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
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("incentive", "none")),
                            name="rights_campaign_without_incentive",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="CampaignEnd",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "campaign",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="end",
                            to="rights.campaign",
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
                    "db_table": "rights_campaign_end",
                },
            ),
            migrations.CreateModel(
                name="Asked",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    (
                        "campaign",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="asked",
                            to="rights.campaign",
                        ),
                    ),
                    ("subject", models.TextField()),
                    ("is_deferral", models.BooleanField()),
                    ("at", models.DateTimeField()),
                ],
                options={
                    "indexes": [
                        models.Index(fields=["subject", "at"], name="rights_asked_subject")
                    ],
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("campaign", "subject", "is_deferral"), name="rights_asked_once"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="AskingLimit",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("organisation", models.TextField(default="default")),
                    (
                        "kind",
                        models.TextField(
                            choices=[
                                ("review-cycle", "review-cycle"),
                                ("redundancies", "redundancies"),
                                ("probation", "probation"),
                                ("employment-began", "employment-began"),
                                ("exemption", "exemption"),
                            ]
                        ),
                    ),
                    ("subject", models.TextField(blank=True)),
                    ("reason", models.TextField(blank=True)),
                    ("starts_on", models.DateField()),
                    ("ends_on", models.DateField()),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
            ),
            migrations.CreateModel(
                name="PressureReport",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("organisation", models.TextField(default="default")),
                    ("words", models.TextField()),
                    ("reported_on", models.DateField()),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
            ),
            migrations.CreateModel(
                name="PressureFinding",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "report",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="finding",
                            to="rights.pressurereport",
                        ),
                    ),
                    ("is_confirmed", models.BooleanField()),
                    ("purpose", models.TextField(blank=True)),
                    ("below", models.TextField(blank=True)),
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
            ),
            migrations.CreateModel(
                name="BystanderMail",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    ("mark", models.TextField(db_index=True)),
                    ("at", models.DateTimeField(db_index=True)),
                ],
            ),
            migrations.CreateModel(
                name="BystanderRequest",
                fields=[
                    (
                        "request",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            primary_key=True,
                            related_name="bystander",
                            serialize=False,
                            to="rights.rightsrequest",
                        ),
                    ),
                    ("link", models.TextField(unique=True)),
                    ("sealed", models.BinaryField()),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
            ),
            migrations.CreateModel(
                name="BystanderAnswer",
                fields=[
                    (
                        "request",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            primary_key=True,
                            related_name="answer",
                            serialize=False,
                            to="rights.bystanderrequest",
                        ),
                    ),
                    ("is_granted", models.BooleanField()),
                    ("words", models.TextField(blank=True)),
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
            ),
            migrations.CreateModel(
                name="Participation",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("organisation", models.TextField(default="default")),
                    ("purpose", models.TextField()),
                    ("month", models.DateField()),
                    ("band", models.TextField(blank=True)),
                    ("agreed", models.PositiveIntegerField()),
                    ("since", models.DateTimeField()),
                    ("population", models.JSONField(default=list)),
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
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("purpose", "month"), name="rights_participation_once"
                        )
                    ],
                },
            ),
        ),
        migrations.RunPython(lay),
    ]
