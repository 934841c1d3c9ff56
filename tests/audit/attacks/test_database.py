"""Rows 22, 25, 26, 28 and 30: attacks by somebody who owns the database, or took the log's key."""

import base64
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from pytest_django import Settings

from audit import checkpoint, health, journal
from audit.actions import Action, Verdict
from audit.checkpoint import Head, Signer
from audit.errors import ForkError
from audit.inspection import InspectionError, inspect
from audit.models import Entry, Outbox, TreeState
from governance import authorizer
from governance.vault import reading
from governance.vault.errors import NoGrantError
from governance.vault.models import KeyRelease
from tests.audit.attacks import real as of
from tests.audit.attacks.real import PLACES, TARIQ, Check, Places, in_bulk, turn, written
from tests.governance.vault.test_reading import sealed_frame

pytestmark = pytest.mark.django_db


@pytest.fixture
def open_folder(open_log: Callable[[], None], tmp_path: Path) -> Path:
    """A log of the test's own, with entries about people."""
    written(9)
    in_bulk(40)
    open_log()
    return tmp_path


def owning(statement: str, parameters: list[Any] | None = None) -> None:
    """Act as the owner of the database, past triggers and authorizer."""
    table = next(word for word in statement.split() if word.startswith("audit_"))
    with authorizer.lifted(connection), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for change in ("update", "delete"):
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_keep_{change}")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"DROP TRIGGER IF EXISTS {table}_keep ON {table}")
        cursor.execute(statement, parameters)


def check_of(folder: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    def read() -> tuple[str, str]:
        printed = capsys.readouterr()
        return printed.out, printed.err

    return of.checker(folder / "log" / "vkeys", read)


def test_22_entry_dropped_before_sequencing_shows_by_the_kept_receipt(
    open_folder: Path, rng: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = written(PLACES * 2)
    headers = {entry.pk: f"Audit-Entry: {entry.header}" for entry in entries}
    dropped = rng.sample(entries, PLACES)
    for table in ("audit_outbox", "audit_subjectindex", "audit_disclosure"):
        for entry in dropped:
            owning(f"DELETE FROM {table} WHERE entry_id = %s", [entry.pk])
    for entry in dropped:
        owning("DELETE FROM audit_entry WHERE id = %s", [entry.pk])
    turn()
    with pytest.raises(InspectionError, match="are not numbered 1 to"):
        inspect()  # The people it was about remember it even there.
    check = check_of(open_folder, capsys)
    kept = open_folder / "kept"
    log = ("--log", open_folder / "log")
    for entry in dropped:
        kept.write_text(headers[entry.pk] + "\n")
        status, printed = check("receipt", kept, *log)
        assert (status, f"is {entry.uuid}." in printed) == (1, True), printed
        assert "withheld" in printed
    honest = {entry.pk for entry in entries} - {entry.pk for entry in dropped}
    kept.write_text("\n".join(headers[key] for key in honest))
    assert check("receipt", kept, *log)[0] == 0
    lied = next(iter(honest))
    kept.write_text(headers[lied].replace("leaf=", "leaf=" + "AAAA", 1)[: len(headers[lied])])
    assert check("receipt", kept, *log)[0] == 1


def test_22_entry_kept_from_the_outbox_shows_as_an_entry_without_a_place(
    open_folder: Path, rng: Places
) -> None:
    last = Entry.objects.latest("id").pk
    for _ in range(PLACES):
        in_bulk(3)
        entry = rng.choice(list(Entry.objects.filter(pk__gt=last)))
        last = Entry.objects.latest("id").pk
        owning("DELETE FROM audit_outbox WHERE entry_id = %s", [entry.pk])
        turn()
        with pytest.raises(InspectionError, match=f"{entry.uuid}: it has no place"):
            inspect()
        Outbox.objects.bulk_create([Outbox(entry=entry, not_before=timezone.now())])
    turn()
    inspect()


def _copied(folder: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    for name in ("log", "keys"):
        shutil.copytree(folder / name, to / name)
    return to


def _put_back(copy: Path, folder: Path) -> None:
    for name in ("log", "keys"):
        shutil.rmtree(folder / name)
        shutil.copytree(copy / name, folder / name)


def test_25_database_restored_from_a_backup_halts_instead_of_forking(
    open_folder: Path, rng: Places
) -> None:
    """The savepoint is the backup: entries, places and tree go back; files and signer do not."""
    for _ in range(PLACES):
        copy = _copied(open_folder, open_folder / "before")
        backup = transaction.savepoint()
        in_bulk(rng.randrange(1, 300))
        turn()
        published = (open_folder / "log" / "checkpoint").read_bytes()
        transaction.savepoint_rollback(backup)
        in_bulk(rng.randrange(400))
        with pytest.raises(ForkError):
            turn()
        assert TreeState.objects.get().halted, "access closes everywhere"
        assert (open_folder / "log" / "checkpoint").read_bytes() == published, "nothing is signed"
        transaction.savepoint_rollback(backup)
        _put_back(copy, open_folder)
        health.forget()
        turn()


COLUMNS = ("event", "verdict", "purpose", "role", "act", "count", "occurred_at")


@pytest.fixture
def plain(open_folder: Path) -> None:
    """Query columns that the owner of the database made ordinary ones, with what they held."""
    with authorizer.lifted(connection), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for column in COLUMNS:
            if connection.vendor == "postgresql":
                cursor.execute(f'ALTER TABLE audit_entry ALTER COLUMN "{column}" DROP EXPRESSION')
            else:
                _replace(cursor, column)


def _replace(cursor: CursorWrapper, column: str) -> None:
    """Do on SQLite what DROP EXPRESSION does: another column of that name and content."""
    cursor.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') "
        "AND tbl_name = 'audit_entry' AND sql IS NOT NULL"
    )
    around = cursor.fetchall()
    for kind, name, _ in around:
        cursor.execute(f'DROP {kind} "{name}"')
    cursor.execute("ALTER TABLE audit_entry ADD COLUMN kept")
    cursor.execute(f'UPDATE audit_entry SET kept = "{column}"')
    cursor.execute(f'ALTER TABLE audit_entry DROP COLUMN "{column}"')
    cursor.execute(f'ALTER TABLE audit_entry RENAME COLUMN kept TO "{column}"')
    for _, _, sql in around:
        cursor.execute(sql)


@pytest.mark.usefixtures("plain")
def test_26_column_edited_while_the_leaf_is_intact_is_found_by_log_check(rng: Places) -> None:
    total = inspect()
    keys = list(Entry.objects.values_list("pk", flat=True))
    for number in range(max(PLACES, len(COLUMNS))):
        column = COLUMNS[number % len(COLUMNS)]
        entry = Entry.objects.get(pk=rng.choice(keys))
        false: object = f"{getattr(entry, column)}x"
        if column == "count":
            false = (entry.count or 0) + rng.randrange(1, 99)
        elif column == "occurred_at":
            false = entry.occurred_at - timedelta(seconds=rng.randrange(1, 9**6))
        change = f'UPDATE audit_entry SET "{column}" = %s WHERE id = %s'
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT "{column}" FROM audit_entry WHERE id = %s', [entry.pk])
            (honest,) = cursor.fetchone()
        owning(change, [false, entry.pk])
        with pytest.raises(InspectionError, match=f"{entry.uuid}: the column {column}"):
            inspect()
        owning(change, [honest, entry.pk])
    assert inspect() == total


def test_30_key_stolen_a_published_head_that_nobody_intended_is_found_by_log_check(
    open_folder: Path, rng: Places
) -> None:
    """The thief signs elsewhere and puts the head in the place of the log's own."""
    path = open_folder / "log" / "checkpoint"
    honest = path.read_bytes()
    for _ in range(PLACES):
        size = TreeState.objects.get().size + rng.randrange(20)
        thief = Signer(checkpoint.log_keys())
        memory = checkpoint.directory() / "signed-head"
        signed = memory.read_bytes()
        memory.unlink()
        path.write_text(thief.sign(Head(size, rng.randbytes(32)), proof_from=lambda _: ()))
        memory.write_bytes(signed)
        with pytest.raises(InspectionError, match=f"the published checkpoint of {size} is not"):
            inspect()
        path.write_bytes(honest)
    inspect()


@contextmanager
def _nested() -> Iterator[None]:
    with transaction.atomic(), transaction.atomic():
        yield


WAYS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "28 read, then ROLLBACK": transaction.atomic,
    "28 read in a savepoint": _nested,
}


@pytest.mark.usefixtures("real_transactions")
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_28_read_without_a_committed_entry_gets_no_key(
    rng: Places, tmp_path: Path, settings: Settings, way: Callable[[], AbstractContextManager[None]]
) -> None:
    settings.REMIT_VAULT_DIR = tmp_path / "vault"
    frame, ciphertext = sealed_frame()
    for _ in range(PLACES):
        frame, ciphertext = sealed_frame()
        subject = rng.choice([frame.subject, TARIQ])
        with way():
            entry = journal.append(
                Action.ACCESS_ALLOWED, actor=of.JONAS, subject=subject, verdict=Verdict.ALLOW
            )
            with pytest.raises(NoGrantError, match="inside a transaction"):
                reading.unseal_frame(
                    permit=reading.Permit(entry.uuid, 0), frame=frame, ciphertext=ciphertext
                )
            transaction.set_rollback(True)
        with pytest.raises(NoGrantError, match="no such entry"):
            reading.unseal_frame(
                permit=reading.Permit(entry.uuid, 0), frame=frame, ciphertext=ciphertext
            )
        assert KeyRelease.objects.count() == 0, "no key left the vault"
    honest = journal.append_now(
        Action.ACCESS_ALLOWED, actor=of.JONAS, subject=frame.subject, verdict=Verdict.ALLOW
    )
    opened = reading.unseal_frame(
        permit=reading.Permit(honest.uuid, 0), frame=frame, ciphertext=ciphertext
    )
    assert (opened, KeyRelease.objects.count()) == (b"plain", 1)


def test_the_key_files_hold_what_the_thief_needs(open_folder: Path) -> None:
    """Why rows 3 to 7 and 30 sign with the real keys: two files of 32 bytes are all of it."""
    for name in ("ed25519.key", "ml-dsa-44.key"):
        path = open_folder / "keys" / "log" / name
        assert len(base64.b64decode(path.read_bytes())) == 32
        assert path.stat().st_mode & 0o777 == 0o600
