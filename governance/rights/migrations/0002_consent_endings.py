"""Ends of consents that officers propose and decide; each row stays as it was written."""

import django.db.models.deletion
from django.db import migrations, models

from ._guards import lay_on

TABLES = ["rights_consentending", "rights_endingdecision", "rights_endingreach"]
# Otherwise the CHECK of four eyes would guard a copy that anybody could have written.
_THERE = "SELECT 1 FROM rights_consentending e WHERE e.id = NEW.ending_id AND e.author = NEW.author"
_WRONG = "a decision names another author"


def lay(apps, schema_editor):
    lay_on(TABLES, schema_editor)
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    for statement in _postgresql() if is_postgresql else _sqlite():
        schema_editor.execute(statement, params=None)


def _sqlite():
    yield (
        "CREATE TRIGGER rights_endingdecision_is_of_parent BEFORE INSERT ON rights_endingdecision "
        f"WHEN NOT EXISTS ({_THERE}) BEGIN SELECT RAISE(ABORT, '{_WRONG}'); END"
    )


def _postgresql():
    yield (
        "CREATE FUNCTION rights_ending_is_of_parent() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF NOT EXISTS ({_THERE}) THEN RAISE EXCEPTION '{_WRONG}' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$"
    )
    yield (
        "CREATE TRIGGER rights_endingdecision_is_of_parent BEFORE INSERT "
        "ON rights_endingdecision FOR EACH ROW EXECUTE FUNCTION rights_ending_is_of_parent()"
    )
    yield (
        "ALTER TABLE rights_endingdecision ENABLE ALWAYS TRIGGER rights_endingdecision_is_of_parent"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_schema"),
        ("rights", "0001_schema"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentEnding",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("organisation", models.TextField(default="default")),
                (
                    "reason",
                    models.TextField(
                        choices=[
                            ("purpose-closed", "purpose-closed"),
                            ("application-removed", "application-removed"),
                            ("scope-changed", "scope-changed"),
                            ("defect-found", "defect-found"),
                            ("authority-order", "authority-order"),
                            ("court-order", "court-order"),
                        ]
                    ),
                ),
                ("words", models.TextField()),
                ("purpose", models.TextField()),
                ("application", models.TextField(blank=True)),
                ("category", models.TextField(blank=True)),
                ("subject", models.TextField(blank=True)),
                ("author", models.TextField()),
                ("at", models.DateTimeField()),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="audit.entry",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EndingReach",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("subject", models.TextField(db_index=True)),
                (
                    "ending",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reached",
                        to="rights.consentending",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="audit.entry",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("ending", "subject"), name="rights_ending_reach_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EndingDecision",
            fields=[
                (
                    "ending",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="decision",
                        serialize=False,
                        to="rights.consentending",
                    ),
                ),
                ("is_approved", models.BooleanField()),
                ("author", models.TextField()),
                ("actor", models.TextField()),
                ("role", models.TextField()),
                ("at", models.DateTimeField()),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="audit.entry",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("actor", models.F("author")), _negated=True),
                        name="rights_ending_four_eyes",
                    )
                ],
            },
        ),
        migrations.RunPython(lay),
    ]
