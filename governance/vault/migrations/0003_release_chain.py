from django.db import migrations, models


class Migration(migrations.Migration):
    """Each line of the journal is sealed to the one before; lines from before this are not."""

    dependencies = [("vault", "0002_append_only")]

    operations = [
        migrations.AddField(
            model_name="keyrelease",
            name="link",
            field=models.BinaryField(
                null=True,
                help_text="MAC over this line and the one before; none in a line older than it.",
            ),
        ),
    ]
