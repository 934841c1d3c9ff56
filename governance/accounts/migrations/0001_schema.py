"""The tables of people, roles, devices and ways to sign in."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from audit.migrations._together import Together


class Migration(migrations.Migration):
    replaces = [
        ("accounts", "0001_first"),
        ("accounts", "0002_language_of_the_browser"),
        ("accounts", "0003_ways_to_sign_in"),
        ("accounts", "0004_personnel_directory"),
    ]

    initial = True

    dependencies = [
        ("audit", "0001_schema"),
    ]

    operations = [
        Together(
            migrations.CreateModel(
                name="Person",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("password", models.CharField(max_length=128, verbose_name="password")),
                    ("username", models.CharField(max_length=64, unique=True)),
                    ("display_name", models.CharField(max_length=120)),
                    ("subject_key", models.CharField(max_length=36, unique=True)),
                    ("language", models.CharField(blank=True, default="", max_length=8)),
                    ("unit", models.CharField(blank=True, default="", max_length=120)),
                    (
                        "manager",
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="reports",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("is_active", models.BooleanField(default=True)),
                    (
                        "external_id",
                        models.CharField(blank=True, max_length=128, null=True, unique=True),
                    ),
                    ("revision", models.PositiveIntegerField(default=1)),
                    ("is_gone", models.BooleanField(default=False)),
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
                    "db_table": "accounts_person",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("language__in", ("", "en", "de", "fr"))),
                            name="accounts_person_language",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("manager__isnull", True),
                                models.Q(("manager", models.F("id")), _negated=True),
                                _connector="OR",
                            ),
                            name="accounts_person_is_not_own_manager",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="RoleAssignment",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "person",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="assignments",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("role", models.CharField(max_length=32)),
                    ("assigned_at", models.DateTimeField()),
                    ("ended_at", models.DateTimeField(null=True)),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                    (
                        "ended_entry",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
                options={
                    "db_table": "accounts_role_assignment",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "role__in",
                                    [
                                        "employee",
                                        "privacy_officer",
                                        "policy_approver",
                                        "auditor",
                                        "data_requester",
                                        "service_admin",
                                    ],
                                )
                            ),
                            name="accounts_role_is_a_persons",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("ended_at__isnull", True), ("ended_entry__isnull", True)),
                                models.Q(
                                    ("ended_at__isnull", False), ("ended_entry__isnull", False)
                                ),
                                _connector="OR",
                            ),
                            name="accounts_role_ends_with_entry",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("ended_at__isnull", True)),
                            fields=("person", "role"),
                            name="accounts_role_held_once",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(
                                ("ended_at__isnull", True),
                                models.Q(("role", "employee"), _negated=True),
                            ),
                            fields=("person",),
                            name="accounts_one_office_a_person",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Device",
                fields=[
                    ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                    ("subject", models.CharField(db_index=True, max_length=36)),
                    ("label", models.CharField(max_length=80)),
                    ("platform", models.CharField(max_length=40)),
                    ("public_key", models.BinaryField(max_length=32, unique=True)),
                    ("enrolled_at", models.DateTimeField()),
                    ("revoked_at", models.DateTimeField(null=True)),
                    ("last_seen", models.DateTimeField(null=True)),
                    ("policy_epoch", models.PositiveBigIntegerField(null=True)),
                    ("consent_epoch", models.PositiveBigIntegerField(null=True)),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                    (
                        "revoked_entry",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
                options={
                    "db_table": "accounts_device",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(
                                    ("revoked_at__isnull", True), ("revoked_entry__isnull", True)
                                ),
                                models.Q(
                                    ("revoked_at__isnull", False), ("revoked_entry__isnull", False)
                                ),
                                _connector="OR",
                            ),
                            name="accounts_device_revoked_with_entry",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="EnrolmentCode",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("code_mac", models.BinaryField(max_length=32, unique=True)),
                    ("subject", models.CharField(db_index=True, max_length=36)),
                    ("expires_at", models.DateTimeField()),
                    ("used_at", models.DateTimeField(null=True)),
                ],
                options={
                    "db_table": "accounts_enrolment_code",
                },
            ),
            migrations.CreateModel(
                name="DirectoryToken",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("name", models.CharField(max_length=40)),
                    ("mac", models.BinaryField(max_length=32, unique=True)),
                    (
                        "entry",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                    (
                        "ended_entry",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="audit.entry",
                        ),
                    ),
                ],
                options={
                    "db_table": "accounts_directory_token",
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("ended_entry__isnull", True)),
                            fields=("name",),
                            name="accounts_directory_token_named_once",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="HeldSession",
                fields=[
                    ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                    ("session_key", models.CharField(max_length=40, unique=True)),
                    ("subject", models.CharField(db_index=True, max_length=36)),
                    ("computer", models.BinaryField(max_length=16)),
                    ("label", models.CharField(max_length=40)),
                    ("way", models.CharField(max_length=16)),
                    ("since", models.DateField()),
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
                    "db_table": "accounts_session",
                },
            ),
            migrations.CreateModel(
                name="SignInAttempt",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("bucket", models.BinaryField(max_length=16)),
                    ("at", models.DateTimeField()),
                ],
                options={
                    "db_table": "accounts_sign_in_attempt",
                    "indexes": [
                        models.Index(fields=["bucket", "at"], name="accounts_attempt_bucket")
                    ],
                },
            ),
        ),
    ]
