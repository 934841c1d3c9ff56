"""The log's tables.

`audit_entry` is laid by hand, because its query columns are generated from the leaf by functions
that PostgreSQL and SQLite write differently. Whoever alters that table later writes SQL too.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

POSTGRESQL = """
CREATE FUNCTION audit_leaf_text(leaf bytea, name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT COALESCE(convert_from(leaf, 'UTF8')::jsonb ->> name, '')
$$;
CREATE FUNCTION audit_leaf_number(leaf bytea, name text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (convert_from(leaf, 'UTF8')::jsonb ->> name)::bigint
$$;
CREATE FUNCTION audit_leaf_time(leaf bytea) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (convert_from(leaf, 'UTF8')::jsonb ->> 't')::timestamptz
$$;
CREATE TABLE audit_entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid uuid NOT NULL UNIQUE,
    organisation text NOT NULL,
    leaf bytea NOT NULL,
    leaf_hash bytea NOT NULL UNIQUE,
    occurred_at timestamptz NOT NULL GENERATED ALWAYS AS (audit_leaf_time(leaf)) STORED,
    event text NOT NULL GENERATED ALWAYS AS (audit_leaf_text(leaf, 'ev')) STORED,
    verdict text NOT NULL GENERATED ALWAYS AS (audit_leaf_text(leaf, 'dec')) STORED,
    purpose text NOT NULL GENERATED ALWAYS AS (audit_leaf_text(leaf, 'pur')) STORED,
    role text NOT NULL GENERATED ALWAYS AS (audit_leaf_text(leaf, 'role')) STORED,
    act text NOT NULL GENERATED ALWAYS AS (audit_leaf_text(leaf, 'act')) STORED,
    count bigint GENERATED ALWAYS AS (audit_leaf_number(leaf, 'n')) STORED,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT audit_entry_is_short CHECK (octet_length(leaf) BETWEEN 2 AND 65535),
    CONSTRAINT audit_entry_has_its_hash CHECK (leaf_hash = sha256('\\x00'::bytea || leaf)),
    CONSTRAINT audit_entry_has_its_id CHECK (audit_leaf_text(leaf, 'id') = uuid::text)
);
CREATE INDEX audit_entry_event ON audit_entry (event, id DESC);
CREATE INDEX audit_entry_time ON audit_entry (occurred_at);
"""

# SQLite keeps times as text in the form Django writes them; it has no SHA-256.
SQLITE = """
CREATE TABLE audit_entry (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    uuid char(32) NOT NULL UNIQUE,
    organisation text NOT NULL,
    leaf BLOB NOT NULL CHECK (length(leaf) BETWEEN 2 AND 65535),
    leaf_hash BLOB NOT NULL UNIQUE CHECK (length(leaf_hash) = 32),
    occurred_at datetime NOT NULL GENERATED ALWAYS AS (
        replace(substr(json_extract(CAST(leaf AS TEXT), '$.t'), 1, 23), 'T', ' ') || '000'
    ) STORED,
    event text NOT NULL GENERATED ALWAYS AS (
        COALESCE(json_extract(CAST(leaf AS TEXT), '$.ev'), '')) STORED,
    verdict text NOT NULL GENERATED ALWAYS AS (
        COALESCE(json_extract(CAST(leaf AS TEXT), '$.dec'), '')) STORED,
    purpose text NOT NULL GENERATED ALWAYS AS (
        COALESCE(json_extract(CAST(leaf AS TEXT), '$.pur'), '')) STORED,
    role text NOT NULL GENERATED ALWAYS AS (
        COALESCE(json_extract(CAST(leaf AS TEXT), '$.role'), '')) STORED,
    act text NOT NULL GENERATED ALWAYS AS (
        COALESCE(json_extract(CAST(leaf AS TEXT), '$.act'), '')) STORED,
    count bigint GENERATED ALWAYS AS (json_extract(CAST(leaf AS TEXT), '$.n')) STORED,
    CONSTRAINT audit_entry_has_its_id
        CHECK (replace(json_extract(CAST(leaf AS TEXT), '$.id'), '-', '') = uuid)
);
CREATE INDEX audit_entry_event ON audit_entry (event, id DESC);
CREATE INDEX audit_entry_time ON audit_entry (occurred_at);
"""


def lay_entry(apps, schema_editor):
    text = SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL
    for statement in _statements(text):
        schema_editor.execute(statement, params=None)


def drop_entry(apps, schema_editor):
    schema_editor.execute("DROP TABLE audit_entry", params=None)
    if schema_editor.connection.vendor != "sqlite":
        for name in (
            "audit_leaf_text(bytea, text)",
            "audit_leaf_number(bytea, text)",
            "audit_leaf_time(bytea)",
        ):
            schema_editor.execute(f"DROP FUNCTION {name}", params=None)


def _statements(text):
    return [part.strip() for part in text.split(";\n") if part.strip()]


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(lay_entry, drop_entry)],
            state_operations=[
                migrations.CreateModel(
                    name="Entry",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("uuid", models.UUIDField(unique=True)),
                        ("organisation", models.TextField(default="default")),
                        ("leaf", models.BinaryField()),
                        ("leaf_hash", models.BinaryField(unique=True)),
                        (
                            "occurred_at",
                            models.GeneratedField(
                                db_persist=True,
                                expression=models.Func(
                                    models.F("leaf"), function="audit_leaf_time"
                                ),
                                output_field=models.DateTimeField(),
                            ),
                        ),
                        (
                            "event",
                            models.GeneratedField(
                                db_persist=True,
                                expression=models.Func(
                                    models.F("leaf"), models.Value("ev"), function="audit_leaf_text"
                                ),
                                output_field=models.TextField(),
                            ),
                        ),
                        (
                            "verdict",
                            models.GeneratedField(
                                db_persist=True,
                                expression=models.Func(
                                    models.F("leaf"),
                                    models.Value("dec"),
                                    function="audit_leaf_text",
                                ),
                                output_field=models.TextField(),
                            ),
                        ),
                        (
                            "purpose",
                            models.GeneratedField(
                                db_persist=True,
                                expression=models.Func(
                                    models.F("leaf"),
                                    models.Value("pur"),
                                    function="audit_leaf_text",
                                ),
                                output_field=models.TextField(),
                            ),
                        ),
                        (
                            "role",
                            models.GeneratedField(
                                db_persist=True,
                                expression=models.Func(
                                    models.F("leaf"),
                                    models.Value("role"),
                                    function="audit_leaf_text",
                                ),
                                output_field=models.TextField(),
                            ),
                        ),
                        (
                            "act",
                            models.GeneratedField(
                                db_persist=True,
                                expression=models.Func(
                                    models.F("leaf"),
                                    models.Value("act"),
                                    function="audit_leaf_text",
                                ),
                                output_field=models.TextField(),
                            ),
                        ),
                        (
                            "count",
                            models.GeneratedField(
                                db_persist=True,
                                expression=models.Func(
                                    models.F("leaf"),
                                    models.Value("n"),
                                    function="audit_leaf_number",
                                ),
                                output_field=models.BigIntegerField(null=True),
                            ),
                        ),
                    ],
                    options={
                        "db_table": "audit_entry",
                    },
                ),
                migrations.AddIndex(
                    model_name="entry",
                    index=models.Index(fields=["event", "-id"], name="audit_entry_event"),
                ),
                migrations.AddIndex(
                    model_name="entry",
                    index=models.Index(fields=["occurred_at"], name="audit_entry_time"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("size", models.BigIntegerField(primary_key=True, serialize=False)),
                ("root", models.BinaryField()),
                (
                    "intended_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "db_table": "audit_checkpoint",
            },
        ),
        migrations.CreateModel(
            name="Disclosure",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("slot", models.TextField()),
                ("owner", models.BinaryField()),
                ("sealed", models.BinaryField()),
            ],
            options={
                "db_table": "audit_disclosure",
            },
        ),
        migrations.CreateModel(
            name="Leaf",
            fields=[
                ("index", models.BigIntegerField(primary_key=True, serialize=False)),
                ("leaf_hash", models.BinaryField()),
            ],
            options={
                "db_table": "audit_leaf",
            },
        ),
        migrations.CreateModel(
            name="SubjectCounter",
            fields=[
                ("token", models.TextField(primary_key=True, serialize=False)),
                ("last", models.BigIntegerField()),
            ],
            options={
                "db_table": "audit_subjectcounter",
            },
        ),
        migrations.CreateModel(
            name="SubjectIndex",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("token", models.TextField()),
                ("seq", models.BigIntegerField()),
            ],
            options={
                "db_table": "audit_subjectindex",
            },
        ),
        migrations.CreateModel(
            name="TreeState",
            fields=[
                ("origin", models.TextField(primary_key=True, serialize=False)),
                ("size", models.BigIntegerField(default=0)),
                ("behind_since", models.DateTimeField(null=True)),
                ("published_size", models.BigIntegerField(default=0)),
                ("published_at", models.DateTimeField(null=True)),
                ("heartbeat_at", models.DateTimeField(null=True)),
                ("quorum_at", models.DateTimeField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("halted", models.TextField(default="")),
            ],
            options={
                "db_table": "audit_treestate",
            },
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "checkpoint",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="signed",
                        serialize=False,
                        to="audit.checkpoint",
                    ),
                ),
                ("text", models.TextField()),
                (
                    "signed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "db_table": "audit_note",
            },
        ),
        migrations.CreateModel(
            name="Cosignature",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("witness", models.TextField()),
                ("line", models.TextField()),
                (
                    "received_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "checkpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="cosignatures",
                        to="audit.checkpoint",
                    ),
                ),
            ],
            options={
                "db_table": "audit_cosignature",
            },
        ),
        migrations.CreateModel(
            name="Outbox",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        serialize=False,
                        to="audit.entry",
                    ),
                ),
                (
                    "queued_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("not_before", models.DateTimeField(db_index=True, null=True)),
            ],
            options={
                "db_table": "audit_outbox",
            },
        ),
        migrations.AddField(
            model_name="disclosure",
            name="entry",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="disclosures",
                to="audit.entry",
            ),
        ),
        migrations.AddField(
            model_name="leaf",
            name="entry",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="place",
                to="audit.entry",
            ),
        ),
        migrations.AddField(
            model_name="subjectindex",
            name="entry",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="subjects",
                to="audit.entry",
            ),
        ),
        migrations.AddConstraint(
            model_name="disclosure",
            constraint=models.UniqueConstraint(
                fields=("entry", "slot"), name="audit_disclosure_slot"
            ),
        ),
        migrations.AddConstraint(
            model_name="subjectindex",
            constraint=models.UniqueConstraint(
                fields=("token", "seq"), name="audit_subjectindex_seq"
            ),
        ),
    ]
