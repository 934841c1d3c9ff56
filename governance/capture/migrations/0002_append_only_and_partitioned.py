"""Large tables by month on PostgreSQL, and no row of the record changed or removed on either.

Written as SQL because it says what the database itself enforces; imports no app code.
"""

from django.db import migrations

PARTITIONED = ("capture_capturebatch", "capture_frame", "capture_framestate")
APPEND_ONLY = (*PARTITIONED, "capture_dispositionrecord", "capture_forgottenspan")


def partition(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table in PARTITIONED:
        # A new table by range of the UUIDv7 key; months are cut off the default as they come.
        schema_editor.execute(f"ALTER TABLE {table} RENAME TO {table}_plain")
        schema_editor.execute(
            f"CREATE TABLE {table} (LIKE {table}_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS, "
            f"PRIMARY KEY (id)) PARTITION BY RANGE (id)"
        )
        schema_editor.execute(f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT")
        schema_editor.execute(f"DROP TABLE {table}_plain")
        schema_editor.execute(
            f"ALTER TABLE {table} ADD FOREIGN KEY (entry_id) REFERENCES audit_entry (id) "
            "DEFERRABLE INITIALLY DEFERRED"
        )
    schema_editor.execute("CREATE INDEX capture_batch_subject ON capture_capturebatch (subject)")
    schema_editor.execute("CREATE INDEX capture_frame_subject ON capture_frame (subject)")
    schema_editor.execute("CREATE INDEX capture_framestate_frame ON capture_framestate (frame_id)")


def forbid(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE FUNCTION capture_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION '%% is append-only', TG_TABLE_NAME; END $$"
        )
        for table in APPEND_ONLY:
            schema_editor.execute(
                f"CREATE TRIGGER {table}_keep BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION capture_append_only()"
            )
            schema_editor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_keep")
        return
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            schema_editor.execute(
                f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


class Migration(migrations.Migration):
    dependencies = [("capture", "0001_initial")]

    operations = [
        migrations.RunPython(partition, migrations.RunPython.noop),
        migrations.RunPython(forbid, migrations.RunPython.noop),
    ]
