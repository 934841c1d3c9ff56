"""Why stored work is redacted again; a row stays as it was written."""

import django.db.models.deletion
from django.db import migrations, models

TABLE = "capture_rereading"


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
        ("capture", "0004_missing_events"),
    ]

    operations = [
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
        migrations.RunPython(keep, migrations.RunPython.noop),
    ]
