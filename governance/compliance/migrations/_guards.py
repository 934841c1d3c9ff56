"""What was assessed, agreed and decided is append-only in the database itself.

A decision must repeat its version's author and digest, and a step of an agreement its recorder:
otherwise the CHECKs of four eyes would guard copies that anybody could have written.
"""

TABLES = (
    "compliance_assessment",
    "compliance_assessment_version",
    "compliance_assessment_step",
    "compliance_assessment_decision",
    "compliance_consultation",
    "compliance_lawful_basis",
    "compliance_works_agreement",
    "compliance_agreement_step",
    "compliance_work_place",
    "compliance_monitoring_notice",
    "compliance_monitoring_posting",
    "compliance_acknowledgement",
)

# Table, what is wrong, and the row that must exist for an insert to stand.
COPIES = (
    (
        "compliance_assessment_decision",
        "a decision names another author or digest",
        "SELECT 1 FROM compliance_assessment_version v WHERE v.id = NEW.version_id "
        "AND v.author = NEW.author AND v.content_digest = NEW.content_digest",
    ),
    (
        "compliance_agreement_step",
        "a step names another recorder",
        "SELECT 1 FROM compliance_works_agreement a WHERE a.id = NEW.agreement_id "
        "AND a.recorder = NEW.recorder",
    ),
)


def lay(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for table in TABLES:
            for verb in ("UPDATE", "DELETE"):
                schema_editor.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        for table, wrong, there in COPIES:
            schema_editor.execute(
                f"CREATE TRIGGER {table}_is_of_parent BEFORE INSERT ON {table} "
                f"WHEN NOT EXISTS ({there}) BEGIN SELECT RAISE(ABORT, '{wrong}'); END"
            )
        return
    schema_editor.execute(
        "CREATE FUNCTION compliance_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$",
        params=None,
    )
    for table in TABLES:
        schema_editor.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION compliance_refuse_change()"
        )
        schema_editor.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION compliance_refuse_change()"
        )
        for verb in ("change", "truncate"):
            schema_editor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_{verb}")
    for table, wrong, there in COPIES:
        schema_editor.execute(
            f"CREATE FUNCTION {table}_check() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN IF NOT EXISTS ({there}) THEN RAISE EXCEPTION '{wrong}' "
            "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$",
            params=None,
        )
        schema_editor.execute(
            f"CREATE TRIGGER {table}_is_of_parent BEFORE INSERT ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_check()"
        )
