"""Every table is named, with what each process may do to it, and the database agrees."""

import re

import pytest
from django.apps import apps
from django.db import connections

from governance.tables import KEPT, TABLES, Table
from governance.vault.router import KeyStoreRouter

pytestmark = pytest.mark.django_db

BY_NAME = {alias: {table.name: table for table in tables} for alias, tables in TABLES.items()}


@pytest.mark.parametrize("alias", ["default", "keys"])
def test_every_table_of_every_app_is_named_and_no_other(alias: str) -> None:
    router = KeyStoreRouter()
    of_models = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if router.allow_migrate(alias, model._meta.app_label)
    }
    assert set(BY_NAME[alias]) == of_models | {"django_migrations"}
    assert set(connections[alias].introspection.table_names()) == set(BY_NAME[alias])
    if connections[alias].vendor == "postgresql":
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
            found = {str(name) for (name,) in cursor.fetchall()}
        # One for each epoch: they come and go with the nights, and are touched by their parent.
        found = {name for name in found if not re.fullmatch(r"vault_storedkey_e\d+", name)}
        assert found == {name for table in TABLES[alias] for name in table.partitions}


def refusing(alias: str) -> set[str]:
    """Return the tables whose own triggers refuse both an update and a delete."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
            found: dict[str, set[str]] = {}
            for table, text in cursor.fetchall():
                if verb := re.search(r"BEFORE (UPDATE|DELETE) ON", text):
                    found.setdefault(table, set()).add(verb.group(1))
            return {table for table, verbs in found.items() if len(verbs) == 2}
        # Bits of tgtype: 2 before, 8 delete, 16 update; A: always, whatever a session claims to be.
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger "
            "WHERE NOT tgisinternal AND tgtype & 26 = 26 AND tgenabled = 'A'"
        )
        return {str(name) for (name,) in cursor.fetchall()}


# Written once, like the record, but guarded by rights and authorizer alone.
WITHOUT_TRIGGER = {"consent_notice", "capture_batchoutcome"}


@pytest.mark.parametrize("alias", ["default", "keys"])
def test_what_nobody_may_change_is_what_the_triggers_refuse_to_change(alias: str) -> None:
    kept = set(KEPT[alias]) - WITHOUT_TRIGGER
    if connections[alias].vendor == "sqlite":
        kept -= {name for table in TABLES[alias] for name in table.partitions}
    assert refusing(alias) == kept


def test_rights_read_as_grant_takes_them() -> None:
    table = Table("t", app="SI", sequencer="", written=("a", "b"))
    assert table.rights(table.app) == ["SELECT", "INSERT (a, b)"]
    assert table.is_kept
    assert not Table("t", app="SI", sequencer="D").is_kept
