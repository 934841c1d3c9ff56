"""A house that stands while tests come and go: built once, and every test finds it untouched.

Below the transaction of each test lies one more, in which the house was built. A test that asks
for nothing of it first sees that transaction rolled back. Files are copied for each test.
"""

import contextlib
import copy
import shutil
from pathlib import Path

from django.db import connections, transaction
from django.test import override_settings
from pytest_django import Settings

from audit import health, sequencer
from tests import make

ALIASES = ["default", "keys"]


def settings_of(folder: Path) -> dict[str, object]:
    """Return the settings that keep every file of log, keys and vault in a folder."""
    return {
        "REMIT_LOG_DIR": folder / "log",
        "REMIT_KEYS_DIR": folder / "keys",
        "REMIT_VAULT_DIR": folder / "vault",
        "REMIT_WITNESS_POLICY": str(folder / "log" / "policy"),
    }


class StandingHouse:
    """The house of this test process, or the empty ground where it will stand."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built = 0
        self._ground: contextlib.ExitStack | None = None
        self._house: make.House | None = None

    @property
    def stands(self) -> bool:
        """Say whether tests now run above a house."""
        return self._ground is not None

    @property
    def built(self) -> int:
        """Say how often a house was built: what was seen of one says nothing of the next."""
        return self._built

    def build(self) -> None:
        """Build the house unless it stands."""
        if self._ground is not None:
            if not any(connections[alias].closed_in_transaction for alias in ALIASES):
                return
            self.clear()
        ground = contextlib.ExitStack()
        for alias in ALIASES:
            atomic = transaction.atomic(using=alias)
            # As TestCase does: what asks to be outermost may run inside.
            atomic._from_testcase = True  # type: ignore[attr-defined] # Django's own word for it.
            ground.enter_context(atomic)
            ground.callback(transaction.set_rollback, True, using=alias)
        self._built += 1
        with override_settings(**settings_of(self._place)), contextlib.ExitStack() as unfinished:
            unfinished.push(ground)
            with sequencer.opened() as log:
                log.turn()
            health.forget()
            self._house = make.house()
            self._ground = unfinished.pop_all()

    def clear(self) -> None:
        """Leave no row behind."""
        if self._ground is not None:
            self._ground.close()
        self._ground = self._house = None

    def furnish(self, folder: Path, settings: Settings) -> None:
        """Give a test its own copy of the files."""
        for name in ("log", "keys", "vault"):
            shutil.copytree(self._place / name, folder / name)
        for name, value in settings_of(folder).items():
            setattr(settings, name, value)

    def people(self) -> make.House:
        """Return the house, with people of the test's own."""
        return copy.deepcopy(self._house) if self._house else make.house()

    @property
    def _place(self) -> Path:
        return self._folder / f"{self._built}"
