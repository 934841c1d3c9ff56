"""The log's tables."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from ._entry import lay_entry
from ._together import Together
from ._guards import lay


class Migration(migrations.Migration):
    replaces = [
        ("audit", "0001_tables"),
        ("audit", "0002_append_only"),
        ("audit", "0003_safe_functions"),
        ("audit", "0004_tally"),
        ("audit", "0005_fewer_indexes"),
    ]

    initial = True

    dependencies = []

    operations = [
        Together(
            migrations.SeparateDatabaseAndState(
                database_operations=[migrations.RunPython(lay_entry)],
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
                                        models.F("leaf"),
                                        models.Value("ev"),
                                        function="audit_leaf_text",
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
                            "indexes": [
                                models.Index(fields=["event", "-id"], name="audit_entry_event"),
                                models.Index(fields=["occurred_at"], name="audit_entry_time"),
                            ],
                        },
                    ),
                ],
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
            migrations.CreateModel(
                name="Leaf",
                fields=[
                    ("index", models.BigIntegerField(primary_key=True, serialize=False)),
                    (
                        "entry",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="place",
                            to="audit.entry",
                        ),
                    ),
                    ("leaf_hash", models.BinaryField()),
                ],
                options={
                    "db_table": "audit_leaf",
                },
            ),
            migrations.CreateModel(
                name="Tally",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    ("segment", models.BigIntegerField()),
                    ("span", models.SmallIntegerField()),
                    ("hour", models.BigIntegerField()),
                    ("event", models.TextField()),
                    ("verdict", models.TextField()),
                    ("purpose", models.TextField()),
                    ("role", models.TextField()),
                    ("entries", models.IntegerField()),
                    ("first", models.BigIntegerField()),
                    ("last", models.BigIntegerField()),
                ],
                options={
                    "db_table": "audit_tally",
                    "indexes": [
                        models.Index(fields=["span", "hour"], name="audit_tally_hour"),
                        models.Index(fields=["span", "segment"], name="audit_tally_segment"),
                    ],
                    "constraints": [
                        models.UniqueConstraint(fields=("span", "first"), name="audit_tally_first")
                    ],
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
                    (
                        "checkpoint",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="cosignatures",
                            to="audit.checkpoint",
                        ),
                    ),
                    ("witness", models.TextField()),
                    ("line", models.TextField()),
                    (
                        "received_at",
                        models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                    ),
                ],
                options={
                    "db_table": "audit_cosignature",
                },
            ),
            migrations.CreateModel(
                name="Disclosure",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "entry",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="disclosures",
                            to="audit.entry",
                        ),
                    ),
                    ("slot", models.TextField()),
                    ("owner", models.BinaryField()),
                    ("sealed", models.BinaryField()),
                ],
                options={
                    "db_table": "audit_disclosure",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("entry", "slot"), name="audit_disclosure_slot"
                        )
                    ],
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
                    (
                        "entry",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="subjects",
                            to="audit.entry",
                        ),
                    ),
                ],
                options={
                    "db_table": "audit_subjectindex",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("token", "seq"), name="audit_subjectindex_seq"
                        )
                    ],
                },
            ),
        ),
        migrations.RunPython(lay),
    ]
