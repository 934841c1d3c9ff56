import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("audit", "__first__"),
    ]

    operations = [
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
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="policies.capturepolicy",
                    ),
                ),
            ],
            options={
                "db_table": "policies_capture_policy_version",
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
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="approvals",
                        to="policies.capturepolicyversion",
                    ),
                ),
            ],
            options={
                "db_table": "policies_approval",
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
                ("purpose", models.CharField(max_length=64)),
                ("category", models.CharField(max_length=32)),
                ("number", models.PositiveIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("scope", models.BinaryField()),
                ("at", models.DateTimeField()),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scopes",
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
                "db_table": "policies_cell_scope",
            },
        ),
        migrations.CreateModel(
            name="PolicyGeneration",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("epoch", models.PositiveBigIntegerField(default=0)),
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
        migrations.CreateModel(
            name="PolicyTransition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
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
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transitions",
                        to="policies.capturepolicyversion",
                    ),
                ),
            ],
            options={
                "db_table": "policies_transition",
            },
        ),
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
                (
                    "purpose",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="policies.purpose",
                    ),
                ),
            ],
            options={
                "db_table": "policies_purpose_version",
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
                ("number", models.PositiveIntegerField()),
                ("set_at", models.DateTimeField()),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="schedules",
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
                "db_table": "policies_retention_schedule",
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
                ("category", models.CharField(max_length=32)),
                ("days", models.PositiveIntegerField()),
                (
                    "schedule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rules",
                        to="policies.retentionschedule",
                    ),
                ),
            ],
            options={
                "db_table": "policies_retention_rule",
            },
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["web", "desktop"])),
                name="policies_application_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.CheckConstraint(
                condition=models.Q(("approver", models.F("author")), _negated=True),
                name="policies_approval_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.UniqueConstraint(fields=("version",), name="policies_approval_once"),
        ),
        migrations.AddConstraint(
            model_name="cellscope",
            constraint=models.UniqueConstraint(
                fields=("application", "purpose", "category", "number"),
                name="policies_scope_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="policytransition",
            constraint=models.UniqueConstraint(
                fields=("version", "number"), name="policies_transition_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="policytransition",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="purpose",
            constraint=models.CheckConstraint(
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
            ),
        ),
        migrations.AddConstraint(
            model_name="purposeversion",
            constraint=models.UniqueConstraint(
                fields=("purpose", "number"), name="policies_purpose_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionschedule",
            constraint=models.UniqueConstraint(
                fields=("application", "number"), name="policies_schedule_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionrule",
            constraint=models.UniqueConstraint(
                fields=("schedule", "category"), name="policies_rule_category_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("days__gte", 1), ("days__lte", 365)), name="policies_rule_days"
            ),
        ),
        migrations.AddConstraint(
            model_name="retentionrule",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="capturepolicyversion",
            constraint=models.UniqueConstraint(
                fields=("policy", "number"), name="policies_version_number"
            ),
        ),
    ]
