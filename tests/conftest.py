"""Every test may use both databases; the key store is a database of its own."""

from collections.abc import Iterator

import pytest
from django.db import connections

from tests.infrastructure.fixtures import install, postgres, redis  # noqa: F401

ALIASES = ["default", "keys"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each `django_db` mark reach the key store too, without saying so in every test."""
    for item in items:
        for mark in item.iter_markers("django_db"):
            mark.kwargs.setdefault("databases", ALIASES)


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
            tables = [
                table
                for table in connections[alias].introspection.django_table_names(
                    only_existing=True, include_views=False
                )
            ]
            for statement in connections[alias].ops.sql_flush(
                _style(), tables, reset_sequences=True, allow_cascade=True
            ):
                cursor.execute(statement)
            for _, create, _ in laid[alias]:
                cursor.execute(create)


def _style():  # noqa: ANN202
    from django.core.management.color import no_style

    return no_style()
