"""Who stopped capture and who wants it back is append-only in the database itself."""

from django.db import migrations

TABLES = ("policies_resumption", "policies_stop", "policies_stop_lift")


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
                f"FOR EACH {each} EXECUTE FUNCTION policies_refuse_change()"
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
    dependencies = [("policies", "0004_stop_and_resume")]

    operations = [migrations.RunPython(lay, lift)]
