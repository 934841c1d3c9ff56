"""Versions, transitions, approvals and rules are append-only in the database itself.

An approval must repeat its version's author and digest: otherwise its CHECK (approver differs from
author) would guard a copy that anybody could have written.
"""

TABLES = (
    "policies_purpose",
    "policies_purpose_version",
    "policies_application",
    "policies_capture_policy",
    "policies_capture_policy_version",
    "policies_transition",
    "policies_approval",
    "policies_retention_schedule",
    "policies_retention_rule",
    "policies_cell_scope",
    "policies_resumption",
    "policies_stop",
    "policies_stop_lift",
)

MISMATCH = """
    SELECT 1 FROM policies_capture_policy_version v
    WHERE v.id = NEW.version_id AND v.author = NEW.author
      AND v.content_digest = NEW.content_digest
"""


def lay(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for table in TABLES:
            for verb in ("UPDATE", "DELETE"):
                schema_editor.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        schema_editor.execute(
            "CREATE TRIGGER policies_approval_is_of_version BEFORE INSERT ON policies_approval "
            f"WHEN NOT EXISTS ({MISMATCH}) "
            "BEGIN SELECT RAISE(ABORT, 'an approval names another author or digest'); END"
        )
        return
    schema_editor.execute(
        "CREATE FUNCTION policies_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$",
        params=None,
    )
    for table in TABLES:
        schema_editor.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION policies_refuse_change()"
        )
        schema_editor.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION policies_refuse_change()"
        )
        for verb in ("change", "truncate"):
            schema_editor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_{verb}")
    schema_editor.execute(
        "CREATE FUNCTION policies_check_approval() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF NOT EXISTS ({MISMATCH}) THEN "
        "RAISE EXCEPTION 'an approval names another author or digest' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$",
        params=None,
    )
    schema_editor.execute(
        "CREATE TRIGGER policies_approval_is_of_version BEFORE INSERT ON policies_approval "
        "FOR EACH ROW EXECUTE FUNCTION policies_check_approval()"
    )
