"""What was asked, ordered, reported and certified cannot be changed or removed by anybody."""

TABLES = [
    "rights_rightsrequest",
    "rights_requeststep",
    "rights_erasureorder",
    "rights_erasurestep",
    "rights_erasurecertificate",
    "rights_campaign",
    "rights_campaign_end",
    "rights_asked",
    "rights_askinglimit",
    "rights_pressurereport",
    "rights_pressurefinding",
    "rights_participation",
    "rights_bystanderrequest",
    "rights_bystanderanswer",
]

FUNCTIONS = [
    "CREATE FUNCTION rights_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; "
    "END $$",
    # An empty table may be truncated: nothing is lost, and a test database is flushed that way.
    "CREATE FUNCTION rights_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ "
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
        "FOR EACH ROW EXECUTE FUNCTION rights_refuse()"
    )
    yield (
        f'CREATE TRIGGER "{table}_no_truncate" BEFORE TRUNCATE ON "{table}" '
        "FOR EACH STATEMENT EXECUTE FUNCTION rights_refuse_truncate()"
    )
    # ALWAYS: replication roles and session_replication_role do not get round it.
    for name in (f"{table}_append_only", f"{table}_no_truncate"):
        yield f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER "{name}"'


def lay(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for function in FUNCTIONS:
            schema_editor.execute(function, params=None)
    lay_on(TABLES, schema_editor)


def lay_on(tables, schema_editor):
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    for table in tables:
        for statement in _postgresql(table) if is_postgresql else _sqlite(table):
            schema_editor.execute(statement, params=None)
