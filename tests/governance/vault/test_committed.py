"""No committed entry, no key: BEGIN, grant, read, ROLLBACK in every form one can think of."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, connections, transaction
from pytest_django import Settings

from audit import committed, journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from audit.errors import LogUnavailableError
from audit.models import Entry
from governance.vault import reading
from governance.vault.errors import NoGrantError
from governance.vault.models import KeyRelease
from tests.governance.vault.test_reading import MIRA, REDACTOR, grant, sealed_frame

POSTGRESQL = connection.vendor == "postgresql"


@pytest.fixture
def real(real_transactions: None, tmp_path: Path, settings: Settings) -> Iterator[None]:
    settings.REMIT_VAULT_DIR = tmp_path / "vault"
    yield
    for alias in ("default", "keys"):
        if not transaction.get_autocommit(using=alias):
            transaction.rollback(using=alias)
            transaction.set_autocommit(True, using=alias)


def opens(entry: UUID) -> bool:
    """Say whether a frame of Mira's opens under an entry."""
    frame, ciphertext = sealed_frame()
    try:
        return (
            reading.unseal_frame(
                permit=reading.Permit(entry, 0), frame=frame, ciphertext=ciphertext
            )
            == b"plain"
        )
    except NoGrantError:
        return False


def test_off_the_record_until_committed(real: None) -> None:
    transaction.set_autocommit(False)
    entry = grant()  # `append_now`, which believes it committed.
    assert not opens(entry)
    transaction.rollback()
    assert not opens(entry)
    # Django's SQLite ends its outermost savepoint, and so the transaction, for good.
    assert Entry.objects.filter(uuid=entry).exists() is not POSTGRESQL
    kept = grant()
    transaction.commit()
    assert opens(kept) is POSTGRESQL, "SQLite cannot tell, and refuses"
    transaction.rollback()
    transaction.set_autocommit(True)
    assert opens(kept)
    assert KeyRelease.objects.exclude(entry=kept).count() == 0


@pytest.mark.parametrize("outcome", [transaction.savepoint_commit, transaction.savepoint_rollback])
def test_a_savepoint_commits_nothing(real: None, outcome: object) -> None:
    transaction.set_autocommit(False)
    savepoint = transaction.savepoint()
    entry = grant()
    assert not opens(entry)
    outcome(savepoint)  # type: ignore[operator] # one of two functions of Django's.
    assert not opens(entry)
    transaction.rollback()
    assert KeyRelease.objects.count() == 0


def test_a_savepoint_of_a_block_commits_nothing(real: None) -> None:
    with transaction.atomic():
        with transaction.atomic():
            entry = journal.append(
                Action.ACCESS_ALLOWED, actor=REDACTOR, subject=MIRA, verdict=Verdict.ALLOW
            ).uuid
        assert not opens(entry)
        transaction.set_rollback(True)
    assert not opens(entry)
    assert KeyRelease.objects.count() == 0


def test_a_transaction_begun_behind_django_s_back_grants_nothing(real: None) -> None:
    kept = grant()
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            with pytest.raises((DatabaseError, LogUnavailableError)):
                grant()
            with pytest.raises(DatabaseError):
                opens(kept)
        finally:
            cursor.execute("ROLLBACK")
    assert KeyRelease.objects.count() == 0
    assert opens(kept)


def test_a_key_store_that_does_not_commit_releases_nothing(real: None) -> None:
    entry = grant()
    frame, ciphertext = sealed_frame()
    transaction.set_autocommit(False, using="keys")
    with pytest.raises(NoGrantError, match="does not commit"):
        reading.unseal_frame(permit=reading.Permit(entry, 0), frame=frame, ciphertext=ciphertext)
    transaction.rollback(using="keys")
    transaction.set_autocommit(True, using="keys")
    assert (
        reading.unseal_frame(permit=reading.Permit(entry, 0), frame=frame, ciphertext=ciphertext)
        == b"plain"
    )


@pytest.mark.skipif(not POSTGRESQL, reason="SQLite lets nobody read beside a writer's test.")
def test_another_connection_sees_only_what_is_committed(real: None) -> None:
    seen: list[bool] = []

    def look(entry: UUID) -> None:
        try:
            seen.append(opens(entry))
        finally:
            connections.close_all()

    def ask(entry: UUID) -> None:
        thread = Thread(target=look, args=[entry])
        thread.start()
        thread.join()

    with transaction.atomic():
        entry = journal.append(
            Action.ACCESS_ALLOWED, actor=REDACTOR, subject=MIRA, verdict=Verdict.ALLOW
        ).uuid
        ask(entry)
    ask(entry)
    assert seen == [False, True]


@pytest.mark.skipif(not POSTGRESQL, reason="PostgreSQL numbers its transactions.")
@pytest.mark.django_db
def test_the_database_knows_which_transaction_wrote_an_entry() -> None:
    entry = journal.append_now(Action.ACCESS_DENIED, actor=Actor.system("redactor")).uuid
    assert committed.is_of_this_transaction(entry)
    with transaction.atomic():
        inner = journal.append(Action.ACCESS_DENIED, actor=Actor.system("redactor")).uuid
        assert committed.is_of_this_transaction(inner)
    assert committed.is_of_this_transaction(inner)


@pytest.mark.skipif(not POSTGRESQL, reason="PostgreSQL numbers its transactions.")
def test_a_committed_entry_is_of_no_transaction_any_more(real: None) -> None:
    entry = grant()
    assert not committed.is_of_this_transaction(entry)
    with transaction.atomic():
        grant_of_another = journal.append(Action.ACCESS_DENIED, actor=REDACTOR).uuid
        assert committed.is_of_this_transaction(grant_of_another)
        assert not committed.is_of_this_transaction(entry)
