"""`manage.py migrate`: Django's, but a migration and the record of it are one transaction.

Promises: killed at any moment, it is taken up where it stood. Django's own writes the record of a
migration that stands for others row by row, and of some after their tables are there: killed
between the two, it can never go on.
"""

import contextlib
from collections.abc import Iterator

from django.core.management.commands import migrate
from django.db import transaction
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState


class Executor(MigrationExecutor):
    """Applies each migration wholly or not at all, where the migration itself allows that."""

    def apply_migration(
        self,
        state: ProjectState,
        migration: Migration,
        fake: bool = False,  # noqa: FBT001, FBT002 - Django's own signature.
        fake_initial: bool = False,  # noqa: FBT001, FBT002
    ) -> ProjectState:
        """Apply a migration and record it."""
        with self._whole(migration):
            return super().apply_migration(state, migration, fake, fake_initial)

    def unapply_migration(
        self,
        state: ProjectState,
        migration: Migration,
        fake: bool = False,  # noqa: FBT001, FBT002 - Django's own signature.
    ) -> ProjectState:
        """Undo a migration and record that."""
        with self._whole(migration):
            return super().unapply_migration(state, migration, fake)

    @contextlib.contextmanager
    def _whole(self, migration: Migration) -> Iterator[None]:
        if not migration.atomic:
            yield
            return
        # SQLite reshapes tables only without foreign keys, and lifts those outside transactions.
        with (
            self.connection.constraint_checks_disabled(),
            transaction.atomic(using=self.connection.alias),
        ):
            yield


# Django's command asks for its executor by this name and no other way.
vars(migrate)["MigrationExecutor"] = Executor


class Command(migrate.Command):
    """Django's command, with that executor."""
