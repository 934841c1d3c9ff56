"""Nobody changes or removes what the log holds: triggers on both databases.

They stop the application, its mistakes and its own role. They cannot stop a superuser or a person
with the file in hand; only the published and witnessed tree shows that. On PostgreSQL a function
that finds its tables by the caller's search path can be led to another table: whoever may make a
temporary `audit_outbox` could have let an entry vanish into it. Roles, grants and the guard against
reshaping need an administrator: `manage.py database_roles`.
"""

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

# pg_temp last: unnamed, PostgreSQL would look there first.
SAFE_PATH = """
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION audit_queue_entry() SET search_path = pg_catalog, %I, pg_temp',
                   current_schema());
    ALTER FUNCTION audit_refuse_change() SET search_path = pg_catalog, pg_temp;
END $$
"""

# Whoever may run it could hang it on a table of his own and queue an entry twice.
PRIVATE = (
    "REVOKE EXECUTE ON FUNCTION audit_queue_entry() FROM PUBLIC",
    "REVOKE EXECUTE ON FUNCTION audit_refuse_change() FROM PUBLIC",
)

# A session that claims to be a replica must not write entries that nobody queues.
ALWAYS = "ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_queue"

CHECKS = {
    "audit_leaf": '"index" >= 0 AND octet_length(leaf_hash) = 32',
    "audit_checkpoint": "size > 0 AND octet_length(root) = 32",
    "audit_note": "octet_length(text) BETWEEN 1 AND 65535",
    "audit_cosignature": "octet_length(line) BETWEEN 1 AND 65535",
    "audit_treestate": "size >= 0 AND published_size BETWEEN 0 AND size",
}


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
    yield SAFE_PATH
    yield from PRIVATE
    yield ALWAYS
    for table, condition in CHECKS.items():
        yield f"ALTER TABLE {table} ADD CONSTRAINT {table}_shape CHECK ({condition})"


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
