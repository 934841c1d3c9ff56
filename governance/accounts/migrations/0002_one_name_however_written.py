"""A user name is one person's however it is written, and is looked up like that."""

from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_schema"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(Upper("username"), name="accounts_person_name"),
        ),
    ]
