"""Requests, approvals, releases and recalls only ever grow, whoever asks.

An approval must repeat its request's requester: otherwise its CHECK (approver differs from
requester) would guard a copy that anybody could have written.
"""

TABLES = (
    "releases_access_request",
    "releases_request_step",
    "releases_access_approval",
    "releases_release",
    "releases_release_step",
    "releases_manifest",
    "releases_file",
    "releases_item",
    "releases_recall",
)
SAME = "SELECT 1 FROM releases_access_request r WHERE r.id = NEW.request_id AND r.requester = NEW.requester"


def lay(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for table in TABLES:
            for verb in ("UPDATE", "DELETE"):
                schema_editor.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        schema_editor.execute(
            "CREATE TRIGGER releases_approval_is_of_request BEFORE INSERT "
            f"ON releases_access_approval WHEN NOT EXISTS ({SAME}) "
            "BEGIN SELECT RAISE(ABORT, 'an approval names another requester'); END"
        )
        return
    schema_editor.execute(
        "CREATE FUNCTION releases_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$",
        params=None,
    )
    for table in TABLES:
        schema_editor.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION releases_refuse_change()"
        )
        schema_editor.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION releases_refuse_change()"
        )
        for verb in ("change", "truncate"):
            schema_editor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_{verb}")
    schema_editor.execute(
        "CREATE FUNCTION releases_check_approval() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF NOT EXISTS ({SAME}) THEN "
        "RAISE EXCEPTION 'an approval names another requester' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$",
        params=None,
    )
    schema_editor.execute(
        "CREATE TRIGGER releases_approval_is_of_request BEFORE INSERT ON releases_access_approval "
        "FOR EACH ROW EXECUTE FUNCTION releases_check_approval()"
    )
