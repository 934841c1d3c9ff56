"""A session counts the numbers it skipped."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("capture", "0003_no_truncate")]

    operations = [
        migrations.AddField(
            model_name="capturesession",
            name="missing",
            field=models.BigIntegerField(db_default=0),
        )
    ]
