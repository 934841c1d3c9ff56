"""Every test may use both databases; the key store is a database of its own."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import Settings

from tests.infrastructure.fixtures import chromium, install, postgres, redis  # noqa: F401

ALIASES = ["default", "keys"]


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


def _triggers(alias: str) -> list[tuple[str, str, str]]:
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
def real_transactions(transactional_db: None) -> Iterator[None]:
    """Real commits. The append-only triggers are lifted for the flush and laid again after it."""
    yield
    laid: dict[str, list[tuple[str, str, str]]] = {}
    for alias in ALIASES:
        laid[alias] = _triggers(alias)
        with connections[alias].cursor() as cursor:
            for drop, _, _ in laid[alias]:
                cursor.execute(drop)
    for alias in ALIASES:
        with connections[alias].cursor() as cursor:
            tables = connections[alias].introspection.django_table_names(
                only_existing=True, include_views=False
            )
            # In one transaction: SQLite checks foreign keys at its end.
            connections[alias].ops.execute_sql_flush(
                connections[alias].ops.sql_flush(
                    _style(), tables, reset_sequences=True, allow_cascade=True
                )
            )
            for _, create, _ in laid[alias]:
                cursor.execute(create)


def _style():  # noqa: ANN202
    from django.core.management.color import no_style

    return no_style()


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
