"""The tables of what was asked, answered and receipted."""

import django.db.models.deletion
from django.db import migrations, models

from audit.migrations._together import Together
from ._guards import lay


class Migration(migrations.Migration):
    replaces = [("consent", "0001_initial"), ("consent", "0002_append_only")]

    initial = True

    dependencies = [
        ("audit", "0001_schema"),
    ]

    operations = [
        Together(
            migrations.CreateModel(
                name="Notice",
                fields=[
                    ("key", models.SlugField(max_length=64, primary_key=True, serialize=False)),
                    ("created_at", models.DateTimeField()),
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
                    "db_table": "consent_notice",
                },
            ),
            migrations.CreateModel(
                name="NoticeVersion",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    (
                        "notice",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="versions",
                            to="consent.notice",
                        ),
                    ),
                    ("number", models.PositiveIntegerField()),
                    ("language", models.CharField(max_length=8)),
                    ("content", models.JSONField()),
                    ("content_digest", models.CharField(max_length=64)),
                    ("published_at", models.DateTimeField()),
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
                    "db_table": "consent_notice_version",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("notice", "number", "language"),
                            name="consent_notice_version_once",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="ConsentRecord",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("organisation", models.CharField(default="default", max_length=64)),
                    ("subject", models.CharField(max_length=64)),
                    ("purpose", models.CharField(max_length=64)),
                    ("application", models.CharField(max_length=64)),
                    ("category", models.CharField(max_length=64)),
                    ("number", models.PositiveIntegerField(default=1)),
                    ("created_at", models.DateTimeField()),
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
                    "db_table": "consent_record",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("subject", "purpose", "application", "category", "number"),
                            name="consent_record_once",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="ConsentEvent",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("organisation", models.CharField(default="default", max_length=64)),
                    ("subject", models.CharField(max_length=64)),
                    (
                        "record",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="events",
                            to="consent.consentrecord",
                        ),
                    ),
                    ("number", models.PositiveIntegerField()),
                    (
                        "status",
                        models.CharField(
                            choices=[
                                ("ConsentUnknown", "ConsentUnknown"),
                                ("ConsentRequested", "ConsentRequested"),
                                ("ConsentRequestDeferred", "ConsentRequestDeferred"),
                                ("ConsentRefused", "ConsentRefused"),
                                ("ConsentGiven", "ConsentGiven"),
                                ("RenewedConsentGiven", "RenewedConsentGiven"),
                                ("ConsentWithdrawn", "ConsentWithdrawn"),
                                ("ConsentRevoked", "ConsentRevoked"),
                                ("ConsentExpired", "ConsentExpired"),
                                ("ConsentInvalidated", "ConsentInvalidated"),
                            ],
                            max_length=32,
                        ),
                    ),
                    ("occurred_at", models.DateTimeField()),
                    ("valid_until", models.DateTimeField(null=True)),
                    (
                        "notice_version",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="consent.noticeversion",
                        ),
                    ),
                    ("language", models.CharField(max_length=8)),
                    ("form_digest", models.CharField(max_length=64)),
                    ("scope_digest", models.CharField(max_length=64)),
                    ("indicated_by", models.CharField(max_length=64)),
                    ("decision_id", models.UUIDField()),
                    (
                        "previous",
                        models.OneToOneField(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="next",
                            to="consent.consentevent",
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
                    "db_table": "consent_event",
                    "indexes": [
                        models.Index(fields=["subject", "id"], name="consent_event_subject"),
                        models.Index(fields=["decision_id"], name="consent_event_decision"),
                    ],
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("record", "number"), name="consent_event_once"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(
                                    ("status__in", ["ConsentGiven", "RenewedConsentGiven"]),
                                    ("valid_until__gt", models.F("occurred_at")),
                                ),
                                models.Q(
                                    models.Q(
                                        ("status__in", ["ConsentGiven", "RenewedConsentGiven"]),
                                        _negated=True,
                                    ),
                                    ("valid_until__isnull", True),
                                ),
                                _connector="OR",
                            ),
                            name="consent_event_yes_ends",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(
                                    ("status__in", ["ConsentGiven", "RenewedConsentGiven"]),
                                    _negated=True,
                                ),
                                ("indicated_by", models.F("subject")),
                                _connector="OR",
                            ),
                            name="consent_event_no_proxy",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="ConsentState",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("organisation", models.CharField(default="default", max_length=64)),
                    ("subject", models.CharField(max_length=64)),
                    ("purpose", models.CharField(max_length=64)),
                    ("application", models.CharField(max_length=64)),
                    ("category", models.CharField(max_length=64)),
                    (
                        "status",
                        models.CharField(
                            choices=[
                                ("ConsentUnknown", "ConsentUnknown"),
                                ("ConsentRequested", "ConsentRequested"),
                                ("ConsentRequestDeferred", "ConsentRequestDeferred"),
                                ("ConsentRefused", "ConsentRefused"),
                                ("ConsentGiven", "ConsentGiven"),
                                ("RenewedConsentGiven", "RenewedConsentGiven"),
                                ("ConsentWithdrawn", "ConsentWithdrawn"),
                                ("ConsentRevoked", "ConsentRevoked"),
                                ("ConsentExpired", "ConsentExpired"),
                                ("ConsentInvalidated", "ConsentInvalidated"),
                            ],
                            max_length=32,
                        ),
                    ),
                    ("valid_from", models.DateTimeField(null=True)),
                    ("valid_until", models.DateTimeField(null=True)),
                    ("scope_digest", models.CharField(max_length=64)),
                    (
                        "event",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="consent.consentevent",
                        ),
                    ),
                ],
                options={
                    "db_table": "consent_state",
                    "indexes": [
                        models.Index(fields=["valid_until"], name="consent_state_until"),
                        models.Index(
                            fields=["purpose", "application", "category", "subject"],
                            name="consent_state_cell",
                        ),
                    ],
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("subject", "purpose", "application", "category"),
                            name="consent_state_once",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="SubjectEpoch",
                fields=[
                    ("subject", models.CharField(max_length=64, primary_key=True, serialize=False)),
                    ("epoch", models.PositiveBigIntegerField(default=0)),
                ],
                options={
                    "db_table": "consent_epoch",
                },
            ),
            migrations.CreateModel(
                name="CapturePause",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("organisation", models.CharField(default="default", max_length=64)),
                    ("subject", models.CharField(max_length=64)),
                    ("number", models.PositiveIntegerField()),
                    ("device_id", models.UUIDField(null=True)),
                    ("is_paused", models.BooleanField()),
                    ("occurred_at", models.DateTimeField()),
                    ("until", models.DateTimeField(null=True)),
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
                    "db_table": "consent_pause",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("subject", "number"), name="consent_pause_once"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="ConsentReceipt",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("organisation", models.CharField(default="default", max_length=64)),
                    ("subject", models.CharField(max_length=64)),
                    ("decision_id", models.UUIDField(unique=True)),
                    ("envelope", models.JSONField()),
                    ("document_digest", models.CharField(max_length=64)),
                    ("created_at", models.DateTimeField()),
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
                    "db_table": "consent_receipt",
                    "indexes": [
                        models.Index(fields=["subject", "id"], name="consent_receipt_subject")
                    ],
                },
            ),
        ),
        migrations.RunPython(lay),
    ]
