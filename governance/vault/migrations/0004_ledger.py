"""The erasure ledger as a chain of lines, which a file outside the database can hold as well."""

import hashlib
from datetime import UTC, datetime, timedelta

from django.db import migrations, models

START = datetime(1970, 1, 1, tzinfo=UTC)


def carry_over(apps, schema_editor):
    alias = schema_editor.connection.alias
    line = apps.get_model("vault", "LedgerLine").objects.using(alias)
    before = b""
    old = apps.get_model("vault", "Tombstone").objects.using(alias).order_by("destroyed_at")
    for number, row in enumerate(old, 1):
        token, at = bytes(row.token), row.destroyed_at
        moment = (at - START) // timedelta(microseconds=1)
        parts = before + token + row.keys.to_bytes(8, "big") + moment.to_bytes(8, "big")
        before = hashlib.sha256(parts).digest()
        line.create(number=number, token=token, value=row.keys, at=at, link=before)


def lay(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE TRIGGER vault_ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
            "ON vault_ledger FOR EACH STATEMENT EXECUTE FUNCTION vault_append_only()"
        )
        schema_editor.execute(
            "ALTER TABLE vault_ledger ENABLE ALWAYS TRIGGER vault_ledger_append_only"
        )
        schema_editor.execute("DROP TRIGGER vault_tombstone_append_only ON vault_tombstone")
        return
    for verb in ["UPDATE", "DELETE"]:
        schema_editor.execute(
            f"CREATE TRIGGER vault_ledger_no_{verb.lower()} BEFORE {verb} ON vault_ledger "
            "BEGIN SELECT RAISE(ABORT, 'vault_ledger only ever grows'); END"
        )
        schema_editor.execute(f"DROP TRIGGER vault_tombstone_no_{verb.lower()}")


class Migration(migrations.Migration):
    dependencies = [("vault", "0003_release_chain")]

    operations = [
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
            options={"db_table": "vault_ledger"},
        ),
        migrations.RunPython(carry_over),
        migrations.RunPython(lay),
        migrations.DeleteModel(name="Tombstone"),
    ]
