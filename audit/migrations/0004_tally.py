"""Counts of what the tree holds, for searches; see audit.tally. Derived: nothing guards them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_safe_functions")]

    operations = [
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
            options={"db_table": "audit_tally"},
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=models.UniqueConstraint(fields=("span", "first"), name="audit_tally_first"),
        ),
        migrations.AddIndex(
            model_name="tally",
            index=models.Index(fields=["span", "hour"], name="audit_tally_hour"),
        ),
        migrations.AddIndex(
            model_name="tally",
            index=models.Index(fields=["span", "segment"], name="audit_tally_segment"),
        ),
    ]
