"""What the tables' owner alone can still tighten: names that are bound, and shapes that are checked.

On PostgreSQL. A function that finds its tables by the caller's search path can be led to another
table: whoever may make a temporary `audit_outbox` could have let an entry vanish into it. Roles,
grants and the guard against reshaping need an administrator: `manage.py database_roles`.
"""

from django.db import migrations

# Every name with its schema: no search path can put another operator in. PL/pgSQL keeps its plans
# for the session; a function in SQL is planned anew by each INSERT, which cost 40% of an entry.
LEAF_FUNCTIONS = """
CREATE OR REPLACE FUNCTION audit_leaf_text(leaf bytea, name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$ BEGIN
RETURN COALESCE(pg_catalog.convert_from(leaf, 'UTF8')::pg_catalog.jsonb
                OPERATOR(pg_catalog.->>) name, ''); END $$;
CREATE OR REPLACE FUNCTION audit_leaf_number(leaf bytea, name text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$ BEGIN
RETURN (pg_catalog.convert_from(leaf, 'UTF8')::pg_catalog.jsonb
        OPERATOR(pg_catalog.->>) name)::pg_catalog.int8; END $$;
CREATE OR REPLACE FUNCTION audit_leaf_time(leaf bytea) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$ BEGIN
RETURN (pg_catalog.convert_from(leaf, 'UTF8')::pg_catalog.jsonb
        OPERATOR(pg_catalog.->>) 't')::pg_catalog.timestamptz; END $$
"""

UNBOUND_LEAF_FUNCTIONS = """
CREATE OR REPLACE FUNCTION audit_leaf_text(leaf bytea, name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
'SELECT COALESCE(convert_from(leaf, ''UTF8'')::jsonb ->> name, '''')';
CREATE OR REPLACE FUNCTION audit_leaf_number(leaf bytea, name text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
'SELECT (convert_from(leaf, ''UTF8'')::jsonb ->> name)::bigint';
CREATE OR REPLACE FUNCTION audit_leaf_time(leaf bytea) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
'SELECT (convert_from(leaf, ''UTF8'')::jsonb ->> ''t'')::timestamptz'
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
PRIVATE = """
REVOKE EXECUTE ON FUNCTION audit_queue_entry() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION audit_refuse_change() FROM PUBLIC
"""

# A session that claims to be a replica must not write entries that nobody queues.
ALWAYS = "ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_queue"

CHECKS = {
    "audit_leaf": ("shape", '"index" >= 0 AND octet_length(leaf_hash) = 32'),
    "audit_checkpoint": ("shape", "size > 0 AND octet_length(root) = 32"),
    "audit_note": ("shape", "octet_length(text) BETWEEN 1 AND 65535"),
    "audit_cosignature": ("shape", "octet_length(line) BETWEEN 1 AND 65535"),
    "audit_treestate": ("shape", "size >= 0 AND published_size BETWEEN 0 AND size"),
}


def lay(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for statement in (*parts(LEAF_FUNCTIONS), SAFE_PATH, *parts(PRIVATE), ALWAYS):
        schema_editor.execute(statement, params=None)
    for table, (name, condition) in CHECKS.items():
        schema_editor.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_{name} CHECK ({condition})", params=None
        )


def lift(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, (name, _) in CHECKS.items():
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_{name}", params=None)
    for statement in (
        *parts(UNBOUND_LEAF_FUNCTIONS),
        "ALTER TABLE audit_entry ENABLE TRIGGER audit_entry_queue",
        "GRANT EXECUTE ON FUNCTION audit_queue_entry() TO PUBLIC",
        "GRANT EXECUTE ON FUNCTION audit_refuse_change() TO PUBLIC",
        "ALTER FUNCTION audit_refuse_change() RESET search_path",
    ):
        schema_editor.execute(statement, params=None)


def parts(text):
    return [part.strip() for part in text.split(";\n") if part.strip()]


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]

    operations = [migrations.RunPython(lay, lift)]
