"""The tables of what was captured, and of what agents were told."""

import django.db.models.deletion
from django.db import migrations, models

from audit.migrations._together import Together
from ._guards import lay


class Migration(migrations.Migration):
    replaces = [
        ("capture", "0001_initial"),
        ("capture", "0002_append_only_and_partitioned"),
        ("capture", "0003_no_truncate"),
        ("capture", "0004_missing_events"),
        ("capture", "0005_rereading"),
        ("capture", "0006_refusal_tally"),
        ("capture", "0007_recipe_of_the_living"),
        ("capture", "0008_budgets"),
        ("capture", "0009_never_capture"),
        ("capture", "0010_bystander_mark"),
    ]

    initial = True

    dependencies = [
        ("audit", "0001_schema"),
    ]

    operations = [
        Together(
            migrations.CreateModel(
                name="CaptureBatch",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("organisation", models.TextField(default="default")),
                    ("subject", models.TextField()),
                    ("device_id", models.UUIDField()),
                    ("session_id", models.UUIDField()),
                    ("wire_digest", models.TextField()),
                    ("key_id", models.TextField()),
                    ("policy_digest", models.TextField()),
                    ("received_hour", models.DateTimeField()),
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
                    "indexes": [models.Index(fields=["subject"], name="capture_batch_subject")],
                },
            ),
            migrations.CreateModel(
                name="SealedBatch",
                fields=[
                    ("batch_id", models.UUIDField(primary_key=True, serialize=False)),
                    ("subject", models.TextField(db_index=True)),
                    ("wire", models.BinaryField()),
                    ("received_at", models.DateTimeField()),
                ],
            ),
            migrations.CreateModel(
                name="CaptureSession",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("device_id", models.UUIDField()),
                    ("subject", models.TextField(db_index=True)),
                    ("next_seq", models.BigIntegerField()),
                    ("last_digest", models.TextField()),
                    ("missing", models.BigIntegerField(db_default=0)),
                ],
            ),
            migrations.CreateModel(
                name="BatchOutcome",
                fields=[
                    ("batch_id", models.UUIDField(primary_key=True, serialize=False)),
                    ("subject", models.TextField(db_index=True)),
                    (
                        "state",
                        models.TextField(
                            choices=[
                                ("done", "Done"),
                                ("refused", "Refused"),
                                ("quarantined", "Quarantined"),
                            ]
                        ),
                    ),
                    ("accepted", models.PositiveIntegerField()),
                    ("refused", models.JSONField()),
                    ("redacted", models.JSONField()),
                    ("provenance", models.JSONField()),
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
                name="Frame",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("organisation", models.TextField(default="default")),
                    ("batch_id", models.UUIDField()),
                    ("subject", models.TextField()),
                    ("application", models.TextField()),
                    ("category", models.TextField()),
                    ("generation", models.PositiveIntegerField()),
                    ("policy_version", models.TextField()),
                    ("schedule_version", models.TextField()),
                    ("consent_events", models.JSONField()),
                    ("first_hour", models.DateTimeField()),
                    ("last_hour", models.DateTimeField()),
                    ("event_count", models.PositiveIntegerField()),
                    ("store", models.TextField()),
                    ("object_key", models.TextField()),
                    ("offset", models.PositiveBigIntegerField()),
                    ("length", models.PositiveBigIntegerField()),
                    ("ciphertext_digest", models.TextField()),
                    ("retain_until", models.DateTimeField()),
                    ("redaction", models.JSONField()),
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
                    "indexes": [models.Index(fields=["subject"], name="capture_frame_subject")],
                },
            ),
            migrations.CreateModel(
                name="FrameState",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("frame_id", models.UUIDField(db_index=True)),
                    ("subject", models.TextField()),
                    (
                        "state",
                        models.TextField(
                            choices=[
                                ("stored", "Stored"),
                                ("superseded", "Superseded"),
                                ("deleted", "Deleted"),
                                ("expired", "Expired"),
                                ("erased", "Erased"),
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
            ),
            migrations.CreateModel(
                name="LiveFrame",
                fields=[
                    ("frame_id", models.UUIDField(primary_key=True, serialize=False)),
                    ("subject", models.TextField()),
                    ("application", models.TextField()),
                    ("category", models.TextField()),
                    ("generation", models.PositiveIntegerField()),
                    ("first_hour", models.DateTimeField()),
                    ("last_hour", models.DateTimeField()),
                    ("retain_until", models.DateTimeField(db_index=True)),
                    ("recipe", models.TextField(default="")),
                ],
                options={
                    "indexes": [
                        models.Index(
                            fields=["subject", "application", "category", "first_hour"],
                            name="capture_live_cell",
                        ),
                        models.Index(fields=["category", "recipe"], name="capture_live_recipe"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="FrameBlob",
                fields=[
                    ("key", models.UUIDField(primary_key=True, serialize=False)),
                    ("ciphertext", models.BinaryField()),
                ],
            ),
            migrations.CreateModel(
                name="Rereading",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("cause", models.TextField(choices=[("recipe", "Recipe"), ("miss", "Miss")])),
                    ("recipe", models.TextField()),
                    ("subject", models.TextField(blank=True, default="")),
                    ("sealed", models.BinaryField(null=True)),
                    ("asked_at", models.DateTimeField()),
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
                name="ForgottenSpan",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("subject", models.TextField(db_index=True)),
                    ("start", models.DateTimeField()),
                    ("end", models.DateTimeField()),
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
                name="NeverCapture",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("mark", models.TextField(db_index=True)),
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
                name="BystanderMark",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    ("frame_id", models.UUIDField(db_index=True)),
                    ("mark", models.TextField(db_index=True)),
                ],
            ),
            migrations.CreateModel(
                name="RefusalTally",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("application", models.TextField()),
                    ("reason", models.TextField()),
                    ("events", models.PositiveBigIntegerField()),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("application", "reason"), name="capture_refusaltally_once"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="DispositionRecord",
                fields=[
                    ("id", models.UUIDField(primary_key=True, serialize=False)),
                    ("frame_id", models.UUIDField()),
                    ("object_digest", models.TextField()),
                    ("application", models.TextField()),
                    ("category", models.TextField()),
                    ("schedule_version", models.TextField()),
                    ("clock", models.TextField()),
                    ("method", models.TextField()),
                    ("disposed_at", models.DateTimeField()),
                    ("disposed_by", models.TextField()),
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
                name="IssuedPolicy",
                fields=[
                    ("digest", models.TextField(primary_key=True, serialize=False)),
                    ("device_id", models.UUIDField()),
                    ("policy_epoch", models.BigIntegerField()),
                    ("consent_epoch", models.BigIntegerField()),
                    ("issued_at", models.DateTimeField()),
                    ("expires_at", models.DateTimeField()),
                    ("offline_until", models.DateTimeField(null=True)),
                    ("octets_per_day", models.BigIntegerField(db_default=209715200)),
                    ("etag", models.TextField()),
                    ("envelope", models.BinaryField()),
                ],
                options={
                    "indexes": [
                        models.Index(
                            fields=["device_id", "-issued_at"], name="capture_policy_latest"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="SeenNonce",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    ("key_id", models.TextField()),
                    ("nonce", models.TextField()),
                    ("expires_at", models.DateTimeField(db_index=True)),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("key_id", "nonce"), name="capture_nonce_once"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="DeviceUse",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    ("device_id", models.UUIDField()),
                    ("hour", models.DateTimeField()),
                    ("requests", models.PositiveIntegerField(default=0)),
                    ("octets", models.PositiveBigIntegerField(default=0)),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("device_id", "hour"), name="capture_use_once"
                        )
                    ],
                },
            ),
        ),
        migrations.RunPython(lay),
    ]
