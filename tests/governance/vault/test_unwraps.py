"""The vault's journal of released keys: no line of it can be taken out, changed, moved or added."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connections

from audit import journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from audit.ids import uuid7
from governance import authorizer
from governance.rights import renewal
from governance.vault import reconciliation, unwraps
from governance.vault.models import KeyRelease

pytestmark = pytest.mark.django_db

REDACTOR = Actor.system("redactor")
TABLE = "vault_keyrelease"


@pytest.fixture(autouse=True)
def own_key_files(tmp_path: Path, settings: object) -> None:
    settings.REMIT_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined] # pytest-django's proxy.


def access(*, key: str | None = "key") -> UUID:
    """Allow an access, release a key for it unless there is none, and say that it was completed."""
    entry = journal.append_now(
        Action.ACCESS_ALLOWED, actor=REDACTOR, verdict=Verdict.ALLOW, purpose="redaction"
    ).uuid
    if key:
        unwraps.write(entry=entry, key=key)
    journal.append_now(
        Action.ACCESS_CLOSED,
        actor=REDACTOR,
        purpose="redaction",
        act="open",
        private={"outcome": "completed", "grant": str(entry)},
    )
    return entry


def edit(*statements: str) -> None:
    """Edit as somebody does who owns the database: without the triggers."""
    keys = connections["keys"]
    with authorizer.lifted(keys), keys.cursor() as cursor:
        if keys.vendor == "sqlite":
            cursor.execute(f"DROP TRIGGER {TABLE}_no_update")
            cursor.execute(f"DROP TRIGGER {TABLE}_no_delete")
        else:
            cursor.execute(f"DROP TRIGGER {TABLE}_append_only ON {TABLE}")
        for statement in statements:
            cursor.execute(statement)


def found() -> list[str]:
    return [
        *reconciliation.broken_journal(),
        *reconciliation.unallowed_releases(),
        *reconciliation.unjournalled_accesses(),
    ]


def exchange() -> None:
    edit(
        f"UPDATE {TABLE} SET id = -2 WHERE id = 2",
        f"UPDATE {TABLE} SET id = 2 WHERE id = 3",
        f"UPDATE {TABLE} SET id = 3 WHERE id = -2",
    )


def put_in() -> None:
    """Add a line as who knows the table does, but not the journal's key."""
    KeyRelease.objects.create(id=5, entry=access(key=None), key="other", link=bytes(32))


EDITS: dict[str, tuple[Callable[[], object], str]] = {
    "a line removed": (lambda: edit(f"DELETE FROM {TABLE} WHERE id = 2"), "release 2: it is miss"),
    "the first line removed": (lambda: edit(f"DELETE FROM {TABLE} WHERE id = 1"), "release 2: it"),
    "another key": (lambda: edit(f"UPDATE {TABLE} SET key = 'x' WHERE id = 2"), "release 2: it"),
    "another entry": (
        lambda: edit(f"UPDATE {TABLE} SET entry = '{uuid7().hex}' WHERE id = 3"),
        "release 3: it",
    ),
    "another time": (
        lambda: edit(f"UPDATE {TABLE} SET released_at = '2026-01-01 00:00:00' WHERE id = 1"),
        "release 1: it",
    ),
    "two lines exchanged": (exchange, "release 2: it"),
    "a line added": (put_in, "release 5: it"),
    "the chain taken off": (lambda: edit(f"UPDATE {TABLE} SET link = NULL"), "release 3 is not"),
    "the end cut off": (lambda: edit(f"DELETE FROM {TABLE} WHERE id > 2"), "there are 2 now"),
    "the newest line removed": (lambda: edit(f"DELETE FROM {TABLE} WHERE id = 4"), "no key under"),
}


@pytest.mark.parametrize("what", sorted(EDITS))
def test_a_line_removed_edited_moved_or_added_is_found(what: str) -> None:
    for _ in range(3):
        access()
    renewal.renew()
    access()
    assert found() == []
    act, words = EDITS[what]
    act()
    assert any(words in line for line in found()), found()


def test_who_has_the_journals_key_as_well_meets_the_nights_entry() -> None:
    for _ in range(3):
        access()
    renewal.renew()
    lines = list(KeyRelease.objects.order_by("id").values_list("entry", "key"))
    edit(f"DELETE FROM {TABLE}")
    for entry, key in [*lines[:2], (lines[0][0], "another")]:
        unwraps.write(entry=entry, key=key)
    assert list(unwraps.faults()) == []
    assert any("release 3 is not the one" in line for line in found())


def test_lines_from_before_the_chain_are_taken_as_they_are_and_none_may_follow_it() -> None:
    for number in (1, 2):
        KeyRelease.objects.create(id=number, entry=access(key=None), key="old")
    access()
    assert found() == []
    KeyRelease.objects.create(id=4, entry=access(key=None), key="late")
    assert any("release 4" in line for line in found())
