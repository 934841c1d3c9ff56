"""The erasure ledger and the journal of key releases only ever grow; keys lie by their epoch.

On PostgreSQL the keys of each epoch lie in a table of their own, which a rotation drops: rows that
were changed would leave their old wrappings in the table and its indexes until somebody vacuums.
Tables come and go every night, so three functions of the tables' owner make and drop them, for
whoever may add keys, or remove them.
"""

TABLES = ("vault_keyrelease", "vault_ledger")

POSTGRESQL_FUNCTION = """
CREATE FUNCTION vault_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held boolean := true;
BEGIN
    -- An empty table may be truncated: nothing is lost.
    IF TG_OP = 'TRUNCATE' THEN
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME)
            INTO held;
    END IF;
    IF held THEN
        RAISE EXCEPTION '% only ever grows', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$
"""

BEGIN = """
CREATE FUNCTION vault_begin_epoch(epoch bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT has_table_privilege(session_user, 'vault_storedkey', 'INSERT') THEN
        RAISE EXCEPTION 'only who may add keys begins an epoch' USING ERRCODE = '42501';
    END IF;
    -- Two first-comers: the second one finds the table of the first.
    PERFORM pg_advisory_xact_lock(1447118152);
    IF to_regclass(format('vault_storedkey_e%s', epoch)) IS NULL THEN
        EXECUTE format('CREATE TABLE vault_storedkey_e%s '
                       '(LIKE vault_storedkey INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', epoch);
        EXECUTE format('GRANT INSERT ON vault_storedkey_e%s TO %I', epoch, session_user);
    END IF;
END
$$
"""

# Filled first and attached then: its indexes are built at once, and no reader waits meanwhile.
ATTACH = """
CREATE FUNCTION vault_attach_epoch(epoch bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT has_table_privilege(session_user, 'vault_storedkey', 'INSERT') THEN
        RAISE EXCEPTION 'only who may add keys begins an epoch' USING ERRCODE = '42501';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = 'vault_storedkey'::regclass
                   AND inhrelid = to_regclass(format('vault_storedkey_e%s', epoch))) THEN
        EXECUTE format('ALTER TABLE vault_storedkey ATTACH PARTITION vault_storedkey_e%s '
                       'FOR VALUES IN (%s)', epoch, epoch);
    END IF;
END
$$
"""

END = """
CREATE FUNCTION vault_end_epochs(before bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    name text;
BEGIN
    IF NOT has_table_privilege(session_user, 'vault_storedkey', 'DELETE') THEN
        RAISE EXCEPTION 'only who may remove keys ends an epoch' USING ERRCODE = '42501';
    END IF;
    FOR name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'vault_storedkey'::regclass
          AND substring(c.relname FROM '^vault_storedkey_e([0-9]+)$')::bigint < before
    LOOP
        EXECUTE format('DROP TABLE %I', name);
    END LOOP;
END
$$
"""

PARTITIONS = (
    "ALTER TABLE vault_storedkey RENAME TO vault_storedkey_whole",
    "CREATE TABLE vault_storedkey (LIKE vault_storedkey_whole INCLUDING DEFAULTS) "
    "PARTITION BY LIST (epoch)",
    "DROP TABLE vault_storedkey_whole",
    BEGIN,
    ATTACH,
    END,
    # What is unique across epochs is so because every row is of one, whenever nobody rotates.
    "ALTER TABLE vault_storedkey ADD CONSTRAINT vault_storedkey_pkey PRIMARY KEY (id, epoch)",
    "ALTER TABLE vault_storedkey ADD CONSTRAINT vault_key_place "
    "UNIQUE (kind, owner, scope, generation, epoch)",
    "CREATE UNIQUE INDEX vault_key_object ON vault_storedkey (scope, epoch) WHERE kind = 'object'",
    "CREATE INDEX vault_key_owner ON vault_storedkey (owner)",
    "ALTER TABLE vault_storedkey ADD CONSTRAINT vault_key_kind "
    "CHECK (kind IN ('cell', 'object', 'person'))",
)


def lay(apps, schema_editor):
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    # Indexes and foreign keys, which Django puts off to the end: a table is divided as a whole.
    while schema_editor.deferred_sql:
        schema_editor.execute(schema_editor.deferred_sql.pop(0), params=None)
    for statement in _sqlite() if is_sqlite else (*PARTITIONS, *_postgresql()):
        schema_editor.execute(statement, params=None)


def _postgresql():
    yield POSTGRESQL_FUNCTION
    for table in TABLES:
        yield (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION vault_append_only()"
        )
        # Also for a session that claims to be a replica.
        yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only"


def _sqlite():
    for table in TABLES:
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} only ever grows'); END"
            )
