"""Nobody changes the log in the database: every table, every way, on whichever engine runs."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.models import Checkpoint, Cosignature, Entry
from governance import authorizer

pytestmark = pytest.mark.django_db

TABLES = {
    "audit_entry": "organisation = 'x'",
    "audit_leaf": "leaf_hash = leaf_hash",
    "audit_checkpoint": "root = root",
    "audit_note": "text = 'x'",
    "audit_cosignature": "line = 'x'",
}


@pytest.fixture
def filled(open_log: Any) -> Entry:
    """One row at least in each table."""
    entry = journal.append_now(Action.ACCESS_DENIED, actor=Actor("somebody", "auditor"))
    open_log()
    head = Checkpoint.objects.latest("size")
    Cosignature.objects.create(checkpoint=head, witness="w", line="l")
    return entry


def attempt(statement: str, parameters: list[Any] | None = None) -> None:
    """Try it as somebody whom only the triggers can stop: SQLite's authorizer is out of the way."""
    with authorizer.lifted(connection), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("table", sorted(TABLES))
def test_rows_cannot_be_changed_or_removed(filled: Entry, table: str) -> None:
    before = count(table)
    assert before
    ways = [f"UPDATE {table} SET {TABLES[table]}", f"DELETE FROM {table}"]
    if connection.vendor == "postgresql":
        # Deferred foreign keys of this very transaction would refuse it before the trigger does.
        attempt("SET CONSTRAINTS ALL IMMEDIATE")
        ways.append(f"TRUNCATE {table} CASCADE")
    for way in ways:
        with pytest.raises(DatabaseError, match="append-only"):
            attempt(way)
    assert count(table) == before


def test_an_entry_cannot_be_replaced_by_another(filled: Entry) -> None:
    columns = [filled.pk, filled.uuid.hex, bytes(filled.leaf), bytes(filled.leaf_hash)]
    into = "INTO audit_entry (id, uuid, organisation, leaf, leaf_hash)"
    row = "VALUES (%s, %s, 'x', %s, %s)"
    upsert = "ON CONFLICT (id) DO UPDATE SET organisation = 'x'"
    ways = [f"INSERT {into} OVERRIDING SYSTEM VALUE {row} {upsert}"]
    if connection.vendor == "sqlite":
        # The guard must hold even where somebody switches the pragma off.
        attempt("PRAGMA recursive_triggers=OFF")
        ways = [f"INSERT OR REPLACE {into} {row}", f"INSERT {into} {row} {upsert}"]
    for way in ways:
        with pytest.raises(DatabaseError, match="append-only"):
            attempt(way, columns)
    if connection.vendor == "sqlite":
        attempt("PRAGMA recursive_triggers=ON")
    assert Entry.objects.get(pk=filled.pk).organisation == "default"


@pytest.mark.parametrize("column", ["event", "purpose", "verdict", "occurred_at", "count"])
def test_query_columns_cannot_be_written_even_without_the_triggers(
    filled: Entry, column: str
) -> None:
    with pytest.raises(DatabaseError):
        attempt(f"INSERT INTO audit_entry (uuid, {column}) VALUES ('x', '1')")
    with transaction.atomic():
        drop = {
            "sqlite": "DROP TRIGGER audit_entry_keep_update",
            "postgresql": "DROP TRIGGER audit_entry_keep ON audit_entry",
        }
        attempt(drop[connection.vendor])
        with pytest.raises(DatabaseError, match=r"generated column|can only be updated to DEFAULT"):
            attempt(f"UPDATE audit_entry SET {column} = NULL")
        transaction.set_rollback(True)


def test_a_leaf_of_another_id_or_no_leaf_at_all_is_no_entry() -> None:
    for body in (b'{"id":"x","t":"2026-11-21T07:00:00.000Z"}', b"{", b"", b"[]"):
        with pytest.raises(DatabaseError):
            attempt(
                "INSERT INTO audit_entry (uuid, organisation, leaf, leaf_hash) "
                "VALUES (%s, 'x', %s, %s)",
                ["0" * 32, body, bytes(32)],
            )


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_a_replica_session_cannot_switch_the_triggers_off(filled: Entry) -> None:
    with transaction.atomic():
        attempt("SET LOCAL session_replication_role = replica")
        with pytest.raises(DatabaseError, match="append-only"):
            attempt("DELETE FROM audit_cosignature")


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_postgresql_takes_no_hash_that_is_not_the_leafs(filled: Entry) -> None:
    with pytest.raises(DatabaseError, match="has_its_hash"):
        attempt(
            "INSERT INTO audit_entry (uuid, organisation, leaf, leaf_hash) "
            "SELECT gen_random_uuid(), 'x', leaf, sha256('x') FROM audit_entry LIMIT 1"
        )
