"""SQLite: what a statement of this process may not do, and what refused it."""

import contextlib
import re
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.models import Entry
from governance import authorizer
from governance.tables import KEPT, TABLES

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has roles and a guard."),
]

# Each attempt to change the record in SQL, by what it would bring.
ATTEMPTS = {
    "edit a row": "UPDATE audit_entry SET organisation = 'x'",
    "edit nothing, for a start": "UPDATE audit_entry SET organisation = 'x' WHERE 1 = 0",
    "remove a row": "DELETE FROM audit_entry",
    "edit another app's record": "UPDATE consent_event SET status = 'ConsentGiven'",
    "edit what has no trigger": "UPDATE capture_batchoutcome SET accepted = 0",
    "remove the table": "DROP TABLE audit_entry",
    "rename the table": "ALTER TABLE audit_entry RENAME TO other",
    "rename it in other letters": "ALTER TABLE AUDIT_ENTRY RENAME TO other",
    "add a column": "ALTER TABLE audit_entry ADD COLUMN note text",
    "rename a column": "ALTER TABLE audit_entry RENAME COLUMN organisation TO other",
    "remove the trigger": "DROP TRIGGER audit_entry_keep_update",
    "swallow inserts": (
        "CREATE TRIGGER t BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(IGNORE); END"
    ),
    "swallow them for this connection": (
        "CREATE TEMP TRIGGER t BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(IGNORE); END"
    ),
    "write through a view": "CREATE TEMP VIEW v AS SELECT * FROM audit_entry",
    "hide it behind a table": "CREATE TEMP TABLE audit_entry (id integer)",
    "refuse what an index cannot hold": "CREATE UNIQUE INDEX i ON audit_entry (organisation)",
    "drop an index": "DROP INDEX audit_entry_event",
    "number entries anew": "UPDATE sqlite_sequence SET seq = 0",
    "forget their numbers": "DELETE FROM sqlite_sequence",
    "write the schema": "PRAGMA writable_schema = ON",
    "replace silently": "PRAGMA recursive_triggers = OFF",
    "tie rows to nothing": "PRAGMA foreign_keys = OFF",
    "break the row's own rules": "PRAGMA ignore_check_constraints = ON",
    "lose commits": "PRAGMA synchronous = OFF",
    "keep what is wiped": "PRAGMA secure_delete = OFF",
    "lock without a journal": "PRAGMA journal_mode = MEMORY",
    "attach a file": "ATTACH DATABASE ':memory:' AS other",
    "a table of somebody's code": "CREATE VIRTUAL TABLE v USING fts5(x)",
}


@pytest.fixture
def entry(db: None) -> Entry:
    return journal.append_now(Action.ACCESS_DENIED, actor=Actor("somebody", "auditor"))


def attempt(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("statement", ATTEMPTS.values(), ids=list(ATTEMPTS))
def test_the_authorizer_refuses(entry: Entry, statement: str) -> None:
    before = shape()
    with pytest.raises(DatabaseError, match="not authorized"):
        attempt(statement)
    assert shape() == before
    assert Entry.objects.get(pk=entry.pk).organisation == "default"


def shape() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master ORDER BY name")
        return [(str(name), str(text)) for name, text in cursor.fetchall()]


def test_what_it_lets_through_the_triggers_refuse(entry: Entry) -> None:
    """INSERT OR REPLACE and upserts are inserts to the authorizer."""
    row = f"(id, uuid, organisation, leaf, leaf_hash) SELECT {entry.pk}, uuid, 'x', leaf, leaf_hash"
    for words in ("INSERT OR REPLACE INTO", "REPLACE INTO"):
        statement = f"{words} audit_entry {row} FROM audit_entry"
        with pytest.raises(DatabaseError, match="append-only"):
            attempt(statement)
    with pytest.raises(DatabaseError, match="not authorized"):
        attempt(
            f"INSERT INTO audit_entry {row} FROM audit_entry WHERE true "
            "ON CONFLICT (id) DO UPDATE SET organisation = 'x'"
        )


@pytest.mark.parametrize("alias", sorted(KEPT))
def test_no_kept_table_can_be_edited_whether_or_not_it_holds_rows(alias: str) -> None:
    tables = [table for table in TABLES[alias] if table.name in KEPT[alias]]
    for table in tables:
        with connections[alias].cursor() as cursor:
            cursor.execute(f"SELECT name FROM pragma_table_info('{table.name}')")
            (column,) = cursor.fetchone()
            for statement in (
                f'UPDATE {table.name} SET "{column}" = "{column}"',
                f"DELETE FROM {table.name}",
                f"DROP TABLE {table.name}",
            ):
                with pytest.raises(DatabaseError, match="not authorized"):
                    cursor.execute(statement)


def test_it_is_lifted_for_a_migration_and_laid_again(entry: Entry) -> None:
    call_command("migrate", verbosity=0, interactive=False)
    with pytest.raises(DatabaseError, match="not authorized"):
        attempt("DELETE FROM audit_entry")
    with authorizer.lifted(connection), pytest.raises(DatabaseError, match="append-only"):
        attempt("DELETE FROM audit_entry")
    with pytest.raises(DatabaseError, match="not authorized"):
        attempt("DELETE FROM audit_entry")


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA foreign_keys",
        "PRAGMA table_info(audit_entry)",
        "PRAGMA foreign_key_check",
        "PRAGMA busy_timeout = 20000",
        "UPDATE consent_epoch SET epoch = epoch + 1",
        "DELETE FROM audit_disclosure",
        "CREATE TABLE of_somebody_else (x integer)",
    ],
)
def test_what_the_service_and_its_keepers_need_passes(entry: Entry, statement: str) -> None:
    attempt(statement)


_WORDS = st.sampled_from(
    [
        *("UPDATE", "DELETE FROM", "REPLACE INTO", "INSERT OR REPLACE INTO", "DROP TABLE"),
        *("ALTER TABLE", "DROP TRIGGER", "CREATE TRIGGER t BEFORE INSERT ON", "SET", "WHERE"),
        *("audit_entry", "main.audit_entry", "AUDIT_ENTRY", '"audit_entry"', "audit_leaf", "x"),
        *("organisation = 'x'", "RENAME TO y", "ADD COLUMN z", "DROP COLUMN organisation"),
        *("VALUES (1, 2, 3, 4, 5)", "DEFAULT VALUES", "BEGIN SELECT RAISE(IGNORE); END"),
        *("WITH a AS (SELECT 1)", "RETURNING *", "ON CONFLICT DO UPDATE", "PRAGMA", "EXPLAIN"),
        *("writable_schema = 1", "recursive_triggers(0)", "TEMP", "VIEW", "AS SELECT 1", "OR"),
        *("audit_entry_keep_update", "IF EXISTS", "FROM audit_entry", "1 = 1", ","),
    ]
)


def drawn(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test over random sentences."""
    healthy = [HealthCheck.function_scoped_fixture]
    limits = settings(max_examples=examples, deadline=None, suppress_health_check=healthy)
    return lambda test: limits(given(words=st.lists(_WORDS, min_size=2, max_size=7))(test))


@drawn(300)
def test_no_sentence_of_such_words_changes_the_record(entry: Entry, words: list[str]) -> None:
    _changes_nothing(" ".join(words))


@pytest.mark.soak
@drawn(30_000)
def test_nor_do_thirty_thousand(entry: Entry, words: list[str]) -> None:
    _changes_nothing(" ".join(words))


def _changes_nothing(statement: str) -> None:
    before = _record()
    with contextlib.suppress(DatabaseError):
        attempt(statement)
    assert _record() == before


def _record() -> tuple[object, ...]:
    rows = list(Entry.objects.order_by("id").values_list())
    guards = [(name, text) for name, text in shape() if re.match("audit_(entry|leaf)", name)]
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers")
        return rows, guards, cursor.fetchone()
