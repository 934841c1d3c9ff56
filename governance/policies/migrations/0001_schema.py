"""The tables of purposes, applications, policies and their steps."""

import django.db.models.deletion
import uuid
from django.db import migrations, models

from audit.migrations._together import Together
from ._guards import lay


class Migration(migrations.Migration):
    replaces = [
        ("policies", "0001_first"),
        ("policies", "0002_append_only"),
        ("policies", "0003_generation_stamp"),
        ("policies", "0004_stop_and_resume"),
        ("policies", "0005_stop_append_only"),
    ]

    initial = True

    dependencies = [
        ("audit", "0001_schema"),
    ]

    operations = [
        Together(
            migrations.CreateModel(
                name="Purpose",
                fields=[
                    ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                    ("broader", models.CharField(max_length=64)),
                    ("registered_at", models.DateTimeField()),
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
                    "db_table": "policies_purpose",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(
                                    (
                                        "key__in",
                                        (
                                            "behaviour-monitoring",
                                            "biometric-identification",
                                            "emotion-inference",
                                            "pay",
                                            "performance-evaluation",
                                            "promotion",
                                            "sale",
                                            "special-category-inference",
                                            "termination",
                                            "union-activity",
                                            "workload-management",
                                        ),
                                    ),
                                    _negated=True,
                                ),
                                models.Q(
                                    (
                                        "broader__in",
                                        (
                                            "BiometricIdentification",
                                            "DataSharing",
                                            "EmotionInference",
                                            "KeystrokeDynamicsIdentification",
                                            "PersonnelBehaviourMonitoring",
                                            "PersonnelPayment",
                                            "PersonnelPerformanceEvaluation",
                                            "PersonnelPerformanceMonitoring",
                                            "PersonnelPerformancePrediction",
                                            "PersonnelPromotionManagement",
                                            "PersonnelTerminationManagement",
                                            "PersonnelWorkloadManagement",
                                            "SellData",
                                            "SellDataToThirdParties",
                                            "SellInsightsFromData",
                                            "SpecialCategoryInference",
                                            "UnionActivityMonitoring",
                                            "WorksCouncilActivityMonitoring",
                                        ),
                                    ),
                                    _negated=True,
                                ),
                            ),
                            name="policies_purpose_not_prohibited",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="PurposeVersion",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "purpose",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="versions",
                            to="policies.purpose",
                        ),
                    ),
                    ("number", models.PositiveIntegerField()),
                    ("name", models.CharField(max_length=120)),
                    ("description", models.TextField(max_length=2000)),
                    ("content_digest", models.CharField(max_length=64)),
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
                    "db_table": "policies_purpose_version",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("purpose", "number"), name="policies_purpose_number"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="Application",
                fields=[
                    ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                    ("name", models.CharField(max_length=120)),
                    ("kind", models.CharField(max_length=8)),
                    ("registered_at", models.DateTimeField()),
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
                    "db_table": "policies_application",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("kind__in", ["web", "desktop"])),
                            name="policies_application_kind",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="CapturePolicy",
                fields=[
                    (
                        "application",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            primary_key=True,
                            related_name="policy",
                            serialize=False,
                            to="policies.application",
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
                    "db_table": "policies_capture_policy",
                },
            ),
            migrations.CreateModel(
                name="CapturePolicyVersion",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "policy",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="versions",
                            to="policies.capturepolicy",
                        ),
                    ),
                    ("number", models.PositiveIntegerField()),
                    ("content", models.BinaryField()),
                    ("content_digest", models.CharField(max_length=64)),
                    ("scope_digest", models.CharField(max_length=64)),
                    ("author", models.CharField(max_length=64)),
                    ("drafted_at", models.DateTimeField()),
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
                    "db_table": "policies_capture_policy_version",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("policy", "number"), name="policies_version_number"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="PolicyTransition",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "version",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="transitions",
                            to="policies.capturepolicyversion",
                        ),
                    ),
                    ("number", models.PositiveIntegerField()),
                    ("state", models.CharField(max_length=16)),
                    ("actor", models.CharField(max_length=64)),
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
                    "db_table": "policies_transition",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("version", "number"), name="policies_transition_number"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "state__in",
                                    [
                                        "Draft",
                                        "InReview",
                                        "Approved",
                                        "Rejected",
                                        "Active",
                                        "Suspended",
                                        "Superseded",
                                    ],
                                )
                            ),
                            name="policies_transition_state",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Approval",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "version",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="approvals",
                            to="policies.capturepolicyversion",
                        ),
                    ),
                    ("content_digest", models.CharField(max_length=64)),
                    ("author", models.CharField(max_length=64)),
                    ("approver", models.CharField(max_length=64)),
                    ("is_approved", models.BooleanField()),
                    ("reason", models.CharField(blank=True, default="", max_length=500)),
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
                    "db_table": "policies_approval",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("approver", models.F("author")), _negated=True),
                            name="policies_approval_four_eyes",
                        ),
                        models.UniqueConstraint(fields=("version",), name="policies_approval_once"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="RetentionSchedule",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "application",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="schedules",
                            to="policies.application",
                        ),
                    ),
                    ("number", models.PositiveIntegerField()),
                    ("set_at", models.DateTimeField()),
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
                    "db_table": "policies_retention_schedule",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("application", "number"), name="policies_schedule_number"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="RetentionRule",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "schedule",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="rules",
                            to="policies.retentionschedule",
                        ),
                    ),
                    ("category", models.CharField(max_length=32)),
                    ("days", models.PositiveIntegerField()),
                ],
                options={
                    "db_table": "policies_retention_rule",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("schedule", "category"), name="policies_rule_category_once"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("days__gte", 1), ("days__lte", 365)),
                            name="policies_rule_days",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "category__in",
                                    [
                                        "pointer",
                                        "click",
                                        "menu-navigation",
                                        "shortcut",
                                        "keystroke-timing",
                                        "keystroke-text",
                                        "window-metadata",
                                        "ui-structure",
                                        "screenshot",
                                    ],
                                )
                            ),
                            name="policies_rule_category",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Resumption",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "suspension",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="resumptions",
                            to="policies.policytransition",
                        ),
                    ),
                    ("actor", models.CharField(max_length=64)),
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
                    "db_table": "policies_resumption",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("suspension", "actor"), name="policies_resumption_two_people"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="Stop",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("number", models.PositiveIntegerField(unique=True)),
                    ("reason", models.CharField(max_length=500)),
                    ("actor", models.CharField(max_length=64)),
                    ("epoch", models.PositiveBigIntegerField()),
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
                    "db_table": "policies_stop",
                },
            ),
            migrations.CreateModel(
                name="StopLift",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "stop",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="lifts",
                            to="policies.stop",
                        ),
                    ),
                    ("actor", models.CharField(max_length=64)),
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
                    "db_table": "policies_stop_lift",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("stop", "actor"), name="policies_stop_two_people"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="CellScope",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "application",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="scopes",
                            to="policies.application",
                        ),
                    ),
                    ("purpose", models.CharField(max_length=64)),
                    ("category", models.CharField(max_length=32)),
                    ("number", models.PositiveIntegerField()),
                    ("digest", models.CharField(max_length=64)),
                    ("scope", models.BinaryField()),
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
                    "db_table": "policies_cell_scope",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("application", "purpose", "category", "number"),
                            name="policies_scope_number",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="PolicyGeneration",
                fields=[
                    (
                        "id",
                        models.PositiveSmallIntegerField(
                            default=1, primary_key=True, serialize=False
                        ),
                    ),
                    ("epoch", models.PositiveBigIntegerField(default=0)),
                    ("stamp", models.UUIDField(default=uuid.uuid4)),
                ],
                options={
                    "db_table": "policies_generation",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("id", 1)), name="policies_generation_single"
                        )
                    ],
                },
            ),
        ),
        migrations.RunPython(lay),
    ]
