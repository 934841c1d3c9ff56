"""Two indexes less: what no question uses is written by every act all the same."""

import django.db.models.deletion
from django.db import migrations, models


def unindexed(model, related_name):
    return migrations.AlterField(
        model_name=model,
        name="entry",
        field=models.ForeignKey(
            db_index=False,
            on_delete=django.db.models.deletion.DO_NOTHING,
            related_name=related_name,
            to="audit.entry",
        ),
    )


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_tally")]

    operations = [
        unindexed("disclosure", "disclosures"),
        unindexed("subjectindex", "subjects"),
    ]
