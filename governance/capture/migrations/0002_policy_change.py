"""Whose policy may be another one now: written by the database itself, whoever changes the rows."""

from django.db import migrations, models

# What of a table's row a device's answer rests on (governance.capture.known_policies).
WATCHED = {"consent_epoch": ("subject", "epoch"), "accounts_device": ("subject", "revoked_at")}
# The transaction's number: a reader goes on from the oldest one that was still open.
FUNCTION = """
CREATE FUNCTION capture_note_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO capture_policychange (subject, position)
        VALUES (OLD.subject, pg_current_xact_id()::text::bigint);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO capture_policychange (subject, position)
        VALUES (NEW.subject, pg_current_xact_id()::text::bigint);
    END IF;
    RETURN NULL;
END
$$
"""


def lay(apps, schema_editor):
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    for statement in _postgresql() if is_postgresql else _sqlite():
        schema_editor.execute(statement, params=None)


def _postgresql():
    yield FUNCTION
    for table, columns in WATCHED.items():
        for verb in ("INSERT", "UPDATE", "DELETE"):
            name = f"{table}_noted_{verb.lower()}"
            when = f"WHEN ({_differs(columns, 'IS DISTINCT FROM')})" if verb == "UPDATE" else ""
            yield (
                f"CREATE TRIGGER {name} AFTER {verb} ON {table} "
                f"FOR EACH ROW {when} EXECUTE FUNCTION capture_note_change()"
            )
            yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"


def _sqlite():
    # Whoever writes is alone: the rows' own numbers rise from one COMMIT to the next.
    note = "INSERT INTO capture_policychange (subject, position) VALUES ({}.subject, 0);"
    sides = {"INSERT": ["NEW"], "UPDATE": ["OLD", "NEW"], "DELETE": ["OLD"]}
    for table, columns in WATCHED.items():
        for verb, of in sides.items():
            when = f"WHEN {_differs(columns, 'IS NOT')}" if verb == "UPDATE" else ""
            yield (
                f"CREATE TRIGGER {table}_noted_{verb.lower()} AFTER {verb} ON {table} {when} "
                f"BEGIN {' '.join(note.format(side) for side in of)} END"
            )


def _differs(columns, operator):
    return " OR ".join(f"OLD.{column} {operator} NEW.{column}" for column in columns)


class Migration(migrations.Migration):
    dependencies = [
        ("capture", "0001_schema"),
        ("accounts", "0001_schema"),
        ("consent", "0001_schema"),
    ]

    operations = [
        migrations.CreateModel(
            name="PolicyChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("subject", models.TextField()),
                ("position", models.BigIntegerField(db_index=True)),
                ("noticed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.RunPython(lay, migrations.RunPython.noop),
    ]
