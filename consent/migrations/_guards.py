"""The database itself refuses to change or remove what was decided, told or receipted."""

TABLES = [
    "consent_notice_version",
    "consent_record",
    "consent_event",
    "consent_pause",
    "consent_receipt",
]

FUNCTIONS = [
    "CREATE FUNCTION consent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; "
    "END $$",
    # An empty table may be truncated: nothing is lost, and a test database is flushed that way.
    "CREATE FUNCTION consent_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "DECLARE held boolean; BEGIN "
    "EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME) "
    "INTO held; IF held THEN "
    "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; "
    "END IF; RETURN NULL; END $$",
]


def _sqlite(table):
    for verb in ("UPDATE", "DELETE"):
        yield (
            f'CREATE TRIGGER "{table}_no_{verb.lower()}" BEFORE {verb} ON "{table}" '
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _postgresql(table):
    yield (
        f'CREATE TRIGGER "{table}_append_only" BEFORE UPDATE OR DELETE ON "{table}" '
        "FOR EACH ROW EXECUTE FUNCTION consent_refuse()"
    )
    yield (
        f'CREATE TRIGGER "{table}_no_truncate" BEFORE TRUNCATE ON "{table}" '
        "FOR EACH STATEMENT EXECUTE FUNCTION consent_refuse_truncate()"
    )
    # ALWAYS: replication roles and session_replication_role do not get round it.
    for name in (f"{table}_append_only", f"{table}_no_truncate"):
        yield f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER "{name}"'


def lay(apps, schema_editor):
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    if is_postgresql:
        for function in FUNCTIONS:
            schema_editor.execute(function, params=None)
    for table in TABLES:
        for statement in _postgresql(table) if is_postgresql else _sqlite(table):
            schema_editor.execute(statement, params=None)
