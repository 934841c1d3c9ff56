"""Who is never to be captured, by marks alone; a row stays as it was written."""

import django.db.models.deletion
from django.db import migrations, models

TABLE = "capture_nevercapture"


def keep(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for suffix, when, each, function in (
            ("keep", "UPDATE OR DELETE", "ROW", "capture_append_only"),
            ("keep_all", "TRUNCATE", "STATEMENT", "capture_refuse_truncate"),
        ):
            schema_editor.execute(
                f"CREATE TRIGGER {TABLE}_{suffix} BEFORE {when} ON {TABLE} "
                f"FOR EACH {each} EXECUTE FUNCTION {function}()"
            )
            schema_editor.execute(f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER {TABLE}_{suffix}")
        return
    for verb in ("UPDATE", "DELETE"):
        schema_editor.execute(
            f"CREATE TRIGGER {TABLE}_{verb.lower()} BEFORE {verb} ON {TABLE} "
            f"BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0005_fewer_indexes"),
        ("capture", "0008_budgets"),
    ]

    operations = [
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
        migrations.RunPython(keep, migrations.RunPython.noop),
    ]
