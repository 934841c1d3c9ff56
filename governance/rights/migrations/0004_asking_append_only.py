"""Whom we asked, when nobody may be asked, what was reported: nobody changes or removes it."""

from django.db import migrations

TABLES = [
    "rights_campaign",
    "rights_asked",
    "rights_askinglimit",
    "rights_pressurereport",
    "rights_pressurefinding",
    "rights_participation",
]


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


def lift(apps, schema_editor):
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    for table in TABLES:
        suffixes = ("append_only", "no_truncate") if is_postgresql else ("no_update", "no_delete")
        for suffix in suffixes:
            on = f' ON "{table}"' if is_postgresql else ""
            schema_editor.execute(f'DROP TRIGGER "{table}_{suffix}"{on}')


class Migration(migrations.Migration):
    dependencies = [("rights", "0003_asking")]
    operations = [migrations.RunPython(lay, lift)]
