"""The tables of keys, of their journal and of the erasure ledger."""

import django.utils.timezone
from django.db import migrations, models

from audit.migrations._together import Together
from ._guards import lay


class Migration(migrations.Migration):
    replaces = [
        ("vault", "0001_initial"),
        ("vault", "0002_append_only"),
        ("vault", "0003_release_chain"),
        ("vault", "0004_ledger"),
        ("vault", "0005_no_epoch_index"),
        ("vault", "0006_epoch_partitions"),
    ]

    initial = True

    dependencies = []

    operations = [
        Together(
            migrations.CreateModel(
                name="Epoch",
                fields=[
                    ("number", models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                    ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ],
                options={
                    "db_table": "vault_epoch",
                },
            ),
            migrations.CreateModel(
                name="StoredKey",
                fields=[
                    ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                    (
                        "kind",
                        models.TextField(
                            choices=[("cell", "Cell"), ("object", "Object"), ("person", "Person")]
                        ),
                    ),
                    (
                        "owner",
                        models.TextField(
                            help_text="Subject key, or a role of the house; empty for nobody's."
                        ),
                    ),
                    (
                        "scope",
                        models.TextField(
                            help_text="application/category of a cell, kind/ref of an object."
                        ),
                    ),
                    ("generation", models.PositiveIntegerField(default=0)),
                    ("epoch", models.PositiveBigIntegerField()),
                    ("nonce", models.BinaryField()),
                    ("wrapped", models.BinaryField()),
                    ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ],
                options={
                    "db_table": "vault_storedkey",
                    "indexes": [models.Index(fields=["owner"], name="vault_key_owner")],
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("kind", "owner", "scope", "generation"), name="vault_key_place"
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("kind", "object")),
                            fields=("scope",),
                            name="vault_key_object",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("kind__in", ["cell", "object", "person"])),
                            name="vault_key_kind",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="CellGeneration",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("subject", models.TextField()),
                    ("scope", models.TextField()),
                    ("number", models.PositiveIntegerField(default=1)),
                    (
                        "month",
                        models.DateField(
                            help_text="First day of the month this generation was opened in."
                        ),
                    ),
                ],
                options={
                    "db_table": "vault_cellgeneration",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("subject", "scope"), name="vault_generation_cell"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="LedgerLine",
                fields=[
                    ("number", models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                    (
                        "token",
                        models.BinaryField(
                            db_index=True, help_text="HMAC under the ledger's key file."
                        ),
                    ),
                    ("value", models.PositiveBigIntegerField()),
                    ("at", models.DateTimeField()),
                    (
                        "link",
                        models.BinaryField(help_text="SHA-256 over the line before and this one."),
                    ),
                ],
                options={
                    "db_table": "vault_ledger",
                },
            ),
            migrations.CreateModel(
                name="KeyRelease",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    ("entry", models.UUIDField(help_text="The audit entry that allowed it.")),
                    (
                        "key",
                        models.TextField(help_text="Id of the stored key, or of the sealing key."),
                    ),
                    ("released_at", models.DateTimeField(default=django.utils.timezone.now)),
                    (
                        "link",
                        models.BinaryField(
                            help_text="MAC over this line and the one before; none in a line older than it.",
                            null=True,
                        ),
                    ),
                ],
                options={
                    "db_table": "vault_keyrelease",
                    "constraints": [
                        models.UniqueConstraint(fields=("entry", "key"), name="vault_release_once")
                    ],
                },
            ),
            migrations.CreateModel(
                name="SealKey",
                fields=[
                    ("key_id", models.TextField(primary_key=True, serialize=False)),
                    ("alg", models.TextField()),
                    ("public", models.BinaryField()),
                    ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ("retired_at", models.DateTimeField(null=True)),
                    ("destroyed_at", models.DateTimeField(null=True)),
                ],
                options={
                    "db_table": "vault_sealkey",
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("destroyed_at__isnull", True),
                                ("retired_at__isnull", False),
                                _connector="OR",
                            ),
                            name="vault_sealkey_retired_before_destroyed",
                        )
                    ],
                },
            ),
        ),
        migrations.RunPython(lay),
    ]
