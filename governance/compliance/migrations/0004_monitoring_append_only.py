"""Where people work and what they were told there is append-only in the database itself."""

from django.db import migrations

TABLES = (
    "compliance_work_place",
    "compliance_monitoring_notice",
    "compliance_monitoring_posting",
    "compliance_acknowledgement",
)


def lay(apps, schema_editor):
    if schema_editor.connection.alias != "default":
        return
    for table in TABLES:
        if schema_editor.connection.vendor == "sqlite":
            for verb in ("UPDATE", "DELETE"):
                schema_editor.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
            continue
        for name, act, each in (
            ("change", "UPDATE OR DELETE", "ROW"),
            ("truncate", "TRUNCATE", "STATEMENT"),
        ):
            schema_editor.execute(
                f"CREATE TRIGGER {table}_no_{name} BEFORE {act} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION compliance_refuse_change()"
            )
            schema_editor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_{name}")


def lift(apps, schema_editor):
    if schema_editor.connection.alias != "default":
        return
    for table in TABLES:
        if schema_editor.connection.vendor == "sqlite":
            names = (f"{table}_no_update", f"{table}_no_delete")
        else:
            names = (f"{table}_no_change", f"{table}_no_truncate")
        for name in names:
            on = "" if schema_editor.connection.vendor == "sqlite" else f" ON {table}"
            schema_editor.execute(f"DROP TRIGGER {name}{on}")


class Migration(migrations.Migration):
    dependencies = [("compliance", "0003_monitoring")]

    operations = [migrations.RunPython(lay, lift)]
