"""TRUNCATE empties a table without asking the triggers of its rows; partitions take it themselves.

On PostgreSQL; SQLite knows no TRUNCATE.
"""

from django.db import migrations

TABLES = (
    "capture_capturebatch",
    "capture_capturebatch_rest",
    "capture_frame",
    "capture_frame_rest",
    "capture_framestate",
    "capture_framestate_rest",
    "capture_dispositionrecord",
    "capture_forgottenspan",
)

FUNCTION = """
CREATE FUNCTION capture_refuse_truncate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held boolean;
BEGIN
    -- An empty table may be truncated: nothing is lost.
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME)
        INTO held;
    IF held THEN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$
"""


def lay(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(FUNCTION, params=None)
    for table in TABLES:
        schema_editor.execute(
            f"CREATE TRIGGER {table}_keep_all BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION capture_refuse_truncate()"
        )
        schema_editor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_keep_all")


def lift(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION capture_refuse_truncate() CASCADE")


class Migration(migrations.Migration):
    dependencies = [("capture", "0002_append_only_and_partitioned")]

    operations = [migrations.RunPython(lay, lift)]
