"""What a policy lets a device send a day, and how long it may go on without the service."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("capture", "0007_recipe_of_the_living")]

    operations = [
        migrations.AddField(
            model_name="issuedpolicy",
            name="offline_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="issuedpolicy",
            name="octets_per_day",
            field=models.BigIntegerField(db_default=200 << 20),
        ),
    ]
