"""The tables of assessments, agreements, lawful bases and monitoring notices."""

import django.db.models.deletion
from django.db import migrations, models

from audit.migrations._together import Together
from ._guards import lay


class Migration(migrations.Migration):
    replaces = [
        ("compliance", "0001_first"),
        ("compliance", "0002_append_only"),
        ("compliance", "0003_monitoring"),
        ("compliance", "0004_monitoring_append_only"),
    ]

    initial = True

    dependencies = [
        ("audit", "0001_schema"),
    ]

    operations = [
        Together(
            migrations.CreateModel(
                name="Assessment",
                fields=[
                    ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                    ("kind", models.CharField(max_length=24)),
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
                    "db_table": "compliance_assessment",
                },
            ),
            migrations.CreateModel(
                name="AssessmentVersion",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "assessment",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="versions",
                            to="compliance.assessment",
                        ),
                    ),
                    ("number", models.PositiveIntegerField()),
                    ("content", models.BinaryField()),
                    ("content_digest", models.CharField(max_length=64)),
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
                    "db_table": "compliance_assessment_version",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("assessment", "number"), name="compliance_assessment_number"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="AssessmentStep",
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
                            related_name="steps",
                            to="compliance.assessmentversion",
                        ),
                    ),
                    ("number", models.PositiveIntegerField()),
                    ("state", models.CharField(max_length=24)),
                    ("actor", models.CharField(max_length=64)),
                    ("reason", models.CharField(blank=True, default="", max_length=2000)),
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
                    "db_table": "compliance_assessment_step",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("version", "number"), name="compliance_step_number"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "state__in",
                                    [
                                        "Draft",
                                        "InReview",
                                        "Approved",
                                        "ApprovedWithConditions",
                                        "Rejected",
                                        "ReferredToAuthority",
                                        "ReviewRequired",
                                        "Superseded",
                                    ],
                                )
                            ),
                            name="compliance_step_state",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="AssessmentDecision",
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
                            related_name="decisions",
                            to="compliance.assessmentversion",
                        ),
                    ),
                    ("content_digest", models.CharField(max_length=64)),
                    ("author", models.CharField(max_length=64)),
                    ("decider", models.CharField(max_length=64)),
                    ("decision", models.CharField(max_length=24)),
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
                    "db_table": "compliance_assessment_decision",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("decider", models.F("author")), _negated=True),
                            name="compliance_decision_four_eyes",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="Consultation",
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
                            related_name="consultations",
                            to="compliance.assessmentversion",
                        ),
                    ),
                    ("authority", models.CharField(max_length=200)),
                    ("reference", models.CharField(max_length=200)),
                    ("answer", models.CharField(max_length=2000)),
                    ("answered_on", models.DateField()),
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
                    "db_table": "compliance_consultation",
                },
            ),
            migrations.CreateModel(
                name="LawfulBasis",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("purpose", models.CharField(max_length=64)),
                    ("number", models.PositiveIntegerField()),
                    ("basis", models.CharField(max_length=32)),
                    ("evidence", models.CharField(max_length=500)),
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
                    "db_table": "compliance_lawful_basis",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("purpose", "number"), name="compliance_basis_number"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("basis__in", ["A6-1-a-explicit-consent", "A6-1-f"])
                            ),
                            name="compliance_basis_is_known",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="WorksAgreement",
                fields=[
                    ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                    ("application", models.CharField(max_length=64)),
                    ("kind", models.CharField(max_length=16)),
                    ("reference", models.CharField(max_length=200)),
                    ("parties", models.JSONField()),
                    ("places", models.JSONField()),
                    ("valid_from", models.DateField()),
                    ("valid_until", models.DateField(null=True)),
                    ("scope_digest", models.CharField(max_length=64)),
                    ("document_digest", models.CharField(max_length=64)),
                    ("recorder", models.CharField(max_length=64)),
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
                    "db_table": "compliance_works_agreement",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("kind__in", ["agreement", "consultation"])),
                            name="compliance_agreement_kind",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("valid_until__isnull", True),
                                ("valid_until__gt", models.F("valid_from")),
                                _connector="OR",
                            ),
                            name="compliance_agreement_has_a_span",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="AgreementStep",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "agreement",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="steps",
                            to="compliance.worksagreement",
                        ),
                    ),
                    ("state", models.CharField(max_length=16)),
                    ("recorder", models.CharField(max_length=64)),
                    ("actor", models.CharField(max_length=64)),
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
                    "db_table": "compliance_agreement_step",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("agreement", "state"), name="compliance_agreement_step_once"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("state", "ended"),
                                models.Q(
                                    ("state", "confirmed"),
                                    models.Q(("actor", models.F("recorder")), _negated=True),
                                ),
                                _connector="OR",
                            ),
                            name="compliance_agreement_four_eyes",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="WorkPlace",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("subject", models.CharField(max_length=64)),
                    ("number", models.PositiveIntegerField()),
                    ("place", models.CharField(max_length=6)),
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
                    "db_table": "compliance_work_place",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("subject", "number"), name="compliance_place_number"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="MonitoringNotice",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("code", models.CharField(max_length=8)),
                    ("number", models.PositiveIntegerField()),
                    ("texts", models.JSONField()),
                    ("digest", models.CharField(max_length=64)),
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
                    "db_table": "compliance_monitoring_notice",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("code", "number"), name="compliance_notice_number"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="MonitoringPosting",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "notice",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="postings",
                            to="compliance.monitoringnotice",
                        ),
                    ),
                    ("where", models.CharField(max_length=300)),
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
                    "db_table": "compliance_monitoring_posting",
                },
            ),
            migrations.CreateModel(
                name="Acknowledgement",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "notice",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="acknowledgements",
                            to="compliance.monitoringnotice",
                        ),
                    ),
                    ("subject", models.CharField(db_index=True, max_length=64)),
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
                    "db_table": "compliance_acknowledgement",
                },
            ),
        ),
        migrations.RunPython(lay),
    ]
