from django.db import migrations


class Migration(migrations.Migration):
    """All rows are of one epoch but within a rotation, and the index made that one slow."""

    dependencies = [("vault", "0004_ledger")]

    operations = [migrations.RemoveIndex(model_name="storedkey", name="vault_key_epoch")]
