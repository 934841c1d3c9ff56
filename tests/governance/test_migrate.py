"""A migration is there with its record, or not at all (F41: tests/faults/test_migrations.py)."""

from typing import ClassVar

import pytest
from django.db import connection, migrations, models
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

from governance.authorizer import lifted
from governance.management.commands.migrate import Executor


class DiedError(BaseException):
    """Stands for the end of the process."""


class Squashed(migrations.Migration):
    """Stands for two others, and indexes its table once that is there."""

    replaces: ClassVar = [("passing", "0001_one"), ("passing", "0002_two")]
    operations: ClassVar = [
        migrations.CreateModel(
            "Thing",
            [("id", models.AutoField(primary_key=True)), ("n", models.IntegerField(db_index=True))],
        )
    ]


def what_is_there() -> tuple[int, bool]:
    recorded = MigrationRecorder(connection).migration_qs.filter(app="passing").count()
    return recorded, "passing_thing" in connection.introspection.table_names()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("at", [1, 2])
def test_a_migration_that_dies_before_a_record_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    migration = Squashed("0001_schema", "passing")
    records = iter((1, 2))
    real = MigrationRecorder.record_applied

    def record(self: MigrationRecorder, app: str, name: str) -> None:
        if next(records) == at:
            raise DiedError
        real(self, app, name)

    with lifted(connection):
        with monkeypatch.context() as patch:
            patch.setattr(MigrationRecorder, "record_applied", record)
            with pytest.raises(DiedError):
                Executor(connection).apply_migration(ProjectState(), migration)
        assert what_is_there() == (0, False)
        Executor(connection).apply_migration(ProjectState(), migration)
        assert what_is_there() == (2, True)
        Executor(connection).unapply_migration(ProjectState(), migration)
        assert what_is_there() == (0, False)
