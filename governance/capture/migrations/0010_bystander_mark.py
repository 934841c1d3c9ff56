"""Which stored frame showed whom, by marks alone; a row goes with its frame."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("capture", "0009_never_capture")]

    operations = [
        migrations.CreateModel(
            name="BystanderMark",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("frame_id", models.UUIDField(db_index=True)),
                ("mark", models.TextField(db_index=True)),
            ],
        ),
    ]
