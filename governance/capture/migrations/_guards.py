"""Large tables by month on PostgreSQL, and no row of the record changed or removed on either.

Written as SQL because it says what the database itself enforces; imports no app code.
"""

PARTITIONED = ("capture_capturebatch", "capture_frame", "capture_framestate")
APPEND_ONLY = (
    *PARTITIONED,
    "capture_dispositionrecord",
    "capture_forgottenspan",
    "capture_rereading",
    "capture_nevercapture",
)

REFUSE = """
CREATE FUNCTION capture_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""

# TRUNCATE empties a table without asking the triggers of its rows.
REFUSE_TRUNCATE = """
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
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    # Indexes and foreign keys, which Django puts off to the end: a table is divided as a whole.
    while schema_editor.deferred_sql:
        schema_editor.execute(schema_editor.deferred_sql.pop(0), params=None)
    for statement in _sqlite() if is_sqlite else (*_partitions(), *_postgresql()):
        schema_editor.execute(statement, params=None)


def _partitions():
    for table in PARTITIONED:
        # A new table by range of the UUIDv7 key; months are cut off the default as they come.
        yield f"ALTER TABLE {table} RENAME TO {table}_plain"
        yield (
            f"CREATE TABLE {table} (LIKE {table}_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS, "
            "PRIMARY KEY (id)) PARTITION BY RANGE (id)"
        )
        yield f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT"
        yield f"DROP TABLE {table}_plain"
        yield (
            f"ALTER TABLE {table} ADD FOREIGN KEY (entry_id) REFERENCES audit_entry (id) "
            "DEFERRABLE INITIALLY DEFERRED"
        )
    yield "CREATE INDEX capture_batch_subject ON capture_capturebatch (subject)"
    yield "CREATE INDEX capture_frame_subject ON capture_frame (subject)"
    yield "CREATE INDEX capture_framestate_frame ON capture_framestate (frame_id)"


def _postgresql():
    yield REFUSE
    yield REFUSE_TRUNCATE
    for table in APPEND_ONLY:
        yield (
            f"CREATE TRIGGER {table}_keep BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION capture_append_only()"
        )
        yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_keep"
    # Partitions take a TRUNCATE themselves.
    for table in (*APPEND_ONLY, *(f"{table}_rest" for table in PARTITIONED)):
        yield (
            f"CREATE TRIGGER {table}_keep_all BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION capture_refuse_truncate()"
        )
        yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_keep_all"


def _sqlite():
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
