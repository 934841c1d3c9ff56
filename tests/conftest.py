"""Every test may use both databases; the key store is a database of its own."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker, Settings

from tests.infrastructure.fixtures import chromium, install, postgres, redis  # noqa: F401

ALIASES = ["default", "keys"]
# How a trigger is dropped, how it is laid again, and its name.
Trigger = tuple[str, str, str]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each `django_db` mark reach the key store too, without saying so in every test."""
    for item in items:
        marks = list(item.iter_markers("django_db"))
        for mark in marks:
            mark.kwargs.setdefault("databases", ALIASES)
        fixtures = set(getattr(item, "fixturenames", ()))
        if not marks and fixtures & {"db", "transactional_db"}:
            real = "transactional_db" in fixtures
            item.add_marker(pytest.mark.django_db(databases=ALIASES, transaction=real))


def _triggers(alias: str) -> list[Trigger]:
    """Return (drop, create, name) for each trigger of a database."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            return [(f'DROP TRIGGER "{name}"', sql, name) for name, sql in cursor.fetchall()]
        cursor.execute(
            "SELECT t.tgname, c.relname, pg_get_triggerdef(t.oid), t.tgenabled FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE NOT t.tgisinternal AND t.tgparentid = 0"
        )
        return [
            (
                f'DROP TRIGGER "{name}" ON "{table}"',
                f'{sql}; ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER "{name}"'
                if enabled == "A"
                else sql,
                name,
            )
            for name, table, sql, enabled in cursor.fetchall()
        ]


@pytest.fixture
def _lifted_triggers(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, list[Trigger]]]:
    """Set up before the database, so torn down after its flush: lays again what was lifted."""
    lifted: dict[str, list[Trigger]] = {}
    yield lifted
    with django_db_blocker.unblock():
        for alias, triggers in lifted.items():
            with connections[alias].cursor() as cursor:
                for _, create, _ in triggers:
                    cursor.execute(create)


@pytest.fixture
def real_transactions(
    _lifted_triggers: dict[str, list[Trigger]], transactional_db: None
) -> Iterator[None]:
    """Real commits. The append-only triggers are lifted for the flush and laid again after it."""
    yield
    for alias in ALIASES:
        _lifted_triggers[alias] = _triggers(alias)
        with connections[alias].cursor() as cursor:
            for drop, _, _ in _lifted_triggers[alias]:
                cursor.execute(drop)


@pytest.fixture
def time_machine(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Move the service's clock: code takes time from django.utils.timezone alone."""

    def move(to: datetime) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: to)

    return move


@pytest.fixture
def open_log(db: None, tmp_path: Path, settings: Settings) -> Iterator[Callable[[], None]]:
    """A log of the test's own that stands open; call it to sequence and publish what waits."""
    from audit import health, sequencer

    settings.REMIT_LOG_DIR = tmp_path / "log"
    settings.REMIT_KEYS_DIR = tmp_path / "keys"
    settings.REMIT_WITNESS_POLICY = str(tmp_path / "log" / "policy")

    def turn() -> None:
        with sequencer.opened() as log:
            log.turn()
        health.forget()

    turn()
    yield turn
    health.forget()
