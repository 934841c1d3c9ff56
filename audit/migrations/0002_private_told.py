"""Private entries wait for the end of their period, and the log remembers which it told last."""

from django.db import migrations, models

SHY = "('consent:decided', 'capture:ingested', 'private:told')"
# pg_temp last: unnamed, PostgreSQL would look there first. Who may run it stays as it was.
POSTGRESQL = f"""
CREATE OR REPLACE FUNCTION audit_queue_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO audit_outbox (entry_id, queued_at, not_before)
    VALUES (NEW.id, clock_timestamp(),
            CASE WHEN NEW.event IN {SHY} THEN NULL ELSE clock_timestamp() END);
    RETURN NULL;
END
$$
"""  # noqa: S608 - all of it is ours.
SAFE_PATH = """
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION audit_queue_entry() SET search_path = pg_catalog, %I, pg_temp',
                   current_schema());
END $$
"""
SQLITE = (
    "DROP TRIGGER audit_entry_queue",
    "CREATE TRIGGER audit_entry_queue AFTER INSERT ON audit_entry BEGIN "  # noqa: S608 - ours.
    "INSERT INTO audit_outbox (entry_id, queued_at, not_before) VALUES (NEW.id, "
    "strftime('%Y-%m-%d %H:%M:%f', 'now'), "
    f"CASE WHEN NEW.event IN {SHY} THEN NULL ELSE strftime('%Y-%m-%d %H:%M:%f', 'now') END); END",
)


def lay(apps, schema_editor):
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in SQLITE if is_sqlite else (POSTGRESQL, SAFE_PATH):
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_schema")]

    operations = [
        migrations.AddField("treestate", "told_until", models.DateTimeField(null=True)),
        migrations.RunPython(lay, migrations.RunPython.noop),
    ]
