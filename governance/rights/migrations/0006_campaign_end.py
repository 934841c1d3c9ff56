"""The privacy office may stop asking; that it did is kept like the asking."""

import django.db.models.deletion
from django.db import migrations, models

TABLE = "rights_campaign_end"
TRIGGERS = {
    "sqlite": [
        f'CREATE TRIGGER "{TABLE}_no_{verb.lower()}" BEFORE {verb} ON "{TABLE}" '
        f"BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        f'CREATE TRIGGER "{TABLE}_append_only" BEFORE UPDATE OR DELETE ON "{TABLE}" '
        "FOR EACH ROW EXECUTE FUNCTION rights_refuse()",
        f'CREATE TRIGGER "{TABLE}_no_truncate" BEFORE TRUNCATE ON "{TABLE}" '
        "FOR EACH STATEMENT EXECUTE FUNCTION rights_refuse_truncate()",
        f'ALTER TABLE "{TABLE}" ENABLE ALWAYS TRIGGER "{TABLE}_append_only"',
        f'ALTER TABLE "{TABLE}" ENABLE ALWAYS TRIGGER "{TABLE}_no_truncate"',
    ],
}


def lay(apps, schema_editor):
    for statement in TRIGGERS[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0005_fewer_indexes"),
        ("rights", "0005_bystanders"),
    ]

    operations = [
        migrations.CreateModel(
            name="CampaignEnd",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="end",
                        to="rights.campaign",
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
            options={"db_table": "rights_campaign_end"},
        ),
        migrations.RunPython(lay, migrations.RunPython.noop),
    ]
