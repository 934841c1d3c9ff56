"""Nobody changes or removes what the log holds: triggers on both databases.

They stop the application, its mistakes and its own role. They cannot stop a superuser or a person
with the file in hand; only the published and witnessed tree shows that.
"""

from django.db import migrations

TABLES = ("audit_entry", "audit_leaf", "audit_checkpoint", "audit_note", "audit_cosignature")

# What INSERT OR REPLACE could collide with; SQLite then deletes the old row silently.
UNIQUE_COLUMNS = {
    "audit_entry": ("id", "uuid", "leaf_hash"),
    "audit_leaf": ('"index"', "entry_id"),
    "audit_checkpoint": ("size",),
    "audit_note": ("checkpoint_id",),
    "audit_cosignature": ("id",),
}

POSTGRESQL_FUNCTIONS = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held boolean := true;
BEGIN
    -- An empty table may be truncated: nothing is lost.
    IF TG_OP = 'TRUNCATE' THEN
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME)
            INTO held;
    END IF;
    IF held THEN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$
"""

POSTGRESQL_OUTBOX = """
CREATE FUNCTION audit_queue_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO audit_outbox (entry_id, queued_at, not_before)
    VALUES (NEW.id, clock_timestamp(),
            CASE WHEN NEW.event IN ('consent:decided', 'capture:ingested')
                 THEN NULL ELSE clock_timestamp() END);
    RETURN NULL;
END
$$
"""


def lay(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        statements = _sqlite()
    else:
        statements = _postgresql()
    for statement in statements:
        schema_editor.execute(statement, params=None)


def _postgresql():
    yield POSTGRESQL_FUNCTIONS
    for table in TABLES:
        yield (
            f"CREATE TRIGGER {table}_keep BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()"
        )
        yield (
            f"CREATE TRIGGER {table}_keep_all BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()"
        )
        # ALWAYS: session_replication_role = replica must not switch them off.
        yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_keep"
        yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_keep_all"
    yield POSTGRESQL_OUTBOX
    yield (
        "CREATE TRIGGER audit_entry_queue AFTER INSERT ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION audit_queue_entry()"
    )


def _sqlite():
    for table, columns in UNIQUE_COLUMNS.items():
        for act in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_keep_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        same = " OR ".join(f"{column} = NEW.{column}" for column in columns)
        yield (
            f"CREATE TRIGGER {table}_keep_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
    yield (
        "CREATE TRIGGER audit_entry_queue AFTER INSERT ON audit_entry BEGIN "
        "INSERT INTO audit_outbox (entry_id, queued_at, not_before) VALUES (NEW.id, "
        "strftime('%Y-%m-%d %H:%M:%f', 'now'), "
        "CASE WHEN NEW.event IN ('consent:decided', 'capture:ingested') THEN NULL "
        "ELSE strftime('%Y-%m-%d %H:%M:%f', 'now') END); END"
    )


def lift(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER audit_entry_queue", params=None)
        for table in TABLES:
            for name in ("update", "delete", "replace"):
                schema_editor.execute(f"DROP TRIGGER {table}_keep_{name}", params=None)
        return
    schema_editor.execute("DROP FUNCTION audit_queue_entry() CASCADE", params=None)
    schema_editor.execute("DROP FUNCTION audit_refuse_change() CASCADE", params=None)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_tables")]

    operations = [migrations.RunPython(lay, lift)]
