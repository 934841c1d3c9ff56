"""Requests of people without an account, and what was decided; nobody changes or removes them."""

import django.db.models.deletion
from django.db import migrations, models

TABLES = ["rights_bystanderrequest", "rights_bystanderanswer"]


def _sqlite(table):
    for verb in ("UPDATE", "DELETE"):
        yield (
            f'CREATE TRIGGER "{table}_no_{verb.lower()}" BEFORE {verb} ON "{table}" '
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _postgresql(table):
    yield (
        f'CREATE TRIGGER "{table}_append_only" BEFORE UPDATE OR DELETE ON "{table}" '
        "FOR EACH ROW EXECUTE FUNCTION rights_refuse()"
    )
    yield (
        f'CREATE TRIGGER "{table}_no_truncate" BEFORE TRUNCATE ON "{table}" '
        "FOR EACH STATEMENT EXECUTE FUNCTION rights_refuse_truncate()"
    )
    for name in (f"{table}_append_only", f"{table}_no_truncate"):
        yield f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER "{name}"'


def lay(apps, schema_editor):
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    for table in TABLES:
        for statement in _postgresql(table) if is_postgresql else _sqlite(table):
            schema_editor.execute(statement, params=None)


def _entry():
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="audit.entry"
    )


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_fewer_indexes"), ("rights", "0004_asking_append_only")]

    operations = [
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
                ("entry", _entry()),
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
                ("entry", _entry()),
            ],
        ),
        migrations.RunPython(lay, migrations.RunPython.noop),
    ]
