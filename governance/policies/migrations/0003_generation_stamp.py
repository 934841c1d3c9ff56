"""A stamp beside the counter: no two changes share one, whatever was rolled back or restored."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("policies", "0002_append_only")]

    operations = [
        migrations.AddField(
            model_name="policygeneration",
            name="stamp",
            field=models.UUIDField(default=uuid.uuid4),
        ),
    ]
