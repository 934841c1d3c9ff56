"""By what each living frame was redacted, beside it, so that it can be counted by an index."""

from django.db import migrations, models


def fill(apps, schema_editor):
    said = {
        "postgresql": "(f.redaction ->> 'patterns_sha256')",
        "sqlite": "json_extract(f.redaction, '$.patterns_sha256')",
    }[schema_editor.connection.vendor]
    schema_editor.execute(
        f"UPDATE capture_liveframe SET recipe = coalesce((SELECT {said} FROM capture_frame f "
        "WHERE f.id = capture_liveframe.frame_id), '')"
    )


class Migration(migrations.Migration):
    dependencies = [("capture", "0006_refusal_tally")]

    operations = [
        migrations.AddField("liveframe", "recipe", models.TextField(default="")),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            "liveframe", models.Index(fields=["category", "recipe"], name="capture_live_recipe")
        ),
    ]
