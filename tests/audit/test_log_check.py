"""`log_check` and the other commands: one line and a code, for each thing an insider may edit."""

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from audit import checkpoint, disclosures, leaf, leafcheck, ports
from audit.ids import uuid7
from audit.models import (
    Checkpoint,
    Cosignature,
    Disclosure,
    Entry,
    Leaf,
    Note,
    SubjectCounter,
    SubjectIndex,
    TreeState,
)
from audit.tree import leaf_hash
from governance import authorizer
from governance.vault.models import KeyRelease

SUBJECT = "7d6f1d9e-1111-4222-8333-444455556666"

pytestmark = pytest.mark.django_db

Write = Callable[..., Entry]


@pytest.fixture
def log(open_log: Any, write: Write, write_many: Callable[[int], list[Entry]]) -> None:
    write_many(300)
    write()
    open_log()


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def edit(statement: str, parameters: list[Any] | None = None) -> None:
    """Edit as somebody who owns the database does: without the triggers."""
    table = next(word for word in statement.split() if word.startswith("audit_"))
    with authorizer.lifted(connection), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"DROP TRIGGER IF EXISTS {table}_keep_update")
            cursor.execute(f"DROP TRIGGER IF EXISTS {table}_keep_delete")
        else:
            cursor.execute(f"DROP TRIGGER IF EXISTS {table}_keep ON {table}")
        cursor.execute(statement, parameters)


def flip(path: Path, at: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def last() -> int:
    return Entry.objects.latest("id").pk


def test_an_honest_log_agrees(log: None) -> None:
    assert run("log_check") == "The log agrees: 302 entries.\n"


EDITS: dict[str, tuple[Callable[[Path], object], str]] = {
    "leaf hash": (
        lambda _: edit('UPDATE audit_leaf SET leaf_hash = %s WHERE "index" = 7', [bytes(32)]),
        "another hash",
    ),
    "swapped places": (
        lambda _: edit('UPDATE audit_leaf SET entry_id = -entry_id WHERE "index" = 7'),
        "has no place|another hash|no entry",
    ),
    "size": (lambda _: TreeState.objects.update(size=500), "the tree says 500"),
    "a lost leaf": (
        lambda _: edit('DELETE FROM audit_leaf WHERE "index" = 5'),
        "no place and waits|no entry has this place",
    ),
    "root": (
        lambda _: edit("UPDATE audit_checkpoint SET root = %s", [bytes(32)]),
        "root is not the tree's",
    ),
    "note": (
        lambda _: edit(
            "UPDATE audit_note SET text = replace(text, '302', '301') WHERE checkpoint_id = 302"
        ),
        "another head|does not hold",
    ),
    "a stripped signature": (
        lambda _: edit(
            "UPDATE audit_note SET text = %s WHERE checkpoint_id = 302",
            [Note.objects.get(pk=302).text.rsplit("\u2014", 1)[0]],
        ),
        "signature of the log is missing",
    ),
    "a level-0 tile": (lambda where: flip(where / "log/tile/0/000", 40), "other hashes"),
    "a level-1 tile": (lambda where: flip(where / "log/tile/1/000.p/1"), "other hashes"),
    "a bundle": (
        lambda where: flip(where / "log/tile/entries/001.p/46", 9),
        "index 256: entry bundle 1 differs",
    ),
    "a missing bundle": (
        lambda where: (where / "log/tile/entries/000").unlink(),
        "is missing",
    ),
    "a missing checkpoint": (lambda where: (where / "log/checkpoint").unlink(), "is missing"),
    "the published checkpoint": (lambda where: flip(where / "log/checkpoint", -9), "."),
}


@pytest.mark.parametrize("what", sorted(EDITS))
def test_each_edit_is_found_and_named(log: None, tmp_path: Path, what: str) -> None:
    act, words = EDITS[what]
    if what == "swapped places" and connection.vendor == "postgresql":
        pytest.skip("The foreign key refuses it.")
    act(tmp_path)
    with pytest.raises(CommandError) as raised:
        run("log_check")
    assert re.match(rf"The log does not agree: .*({words})", str(raised.value))
    assert "\n" not in str(raised.value)
    if what == "swapped places":
        edit('UPDATE audit_leaf SET entry_id = -entry_id WHERE "index" = 7')


def test_an_edited_leaf_is_found_by_its_hash(log: None) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL refuses the edit itself: the hash is checked in the row.")
    edit(
        "UPDATE audit_entry SET leaf = CAST(replace(CAST(leaf AS TEXT), '\"allow\"', '\"deny\"') "
        "AS BLOB) WHERE id = %s",
        [last()],
    )
    with pytest.raises(CommandError, match="the leaf hash is not that of the leaf"):
        run("log_check")


def test_a_forged_cosignature_is_found(log: None, tmp_path: Path) -> None:
    from audit import quorum

    key = checkpoint.witness_key(tmp_path / "w", name="w.example")
    quorum.register(key.public, url="http://127.0.0.1:1/")
    head = Checkpoint.objects.latest("size")
    text = Note.objects.get(pk=head.size).text.partition("\n\n")[0] + "\n"
    line = checkpoint.cosign(text, key=key, seconds=1)
    Cosignature.objects.create(checkpoint=head, witness="w.example", line=line)
    assert run("log_check")
    forged = checkpoint.cosign(text + "x\n", key=key, seconds=1)
    Cosignature.objects.create(checkpoint=head, witness="w.example", line=forged)
    with pytest.raises(CommandError, match=r"w\.example does not hold"):
        run("log_check")


def test_each_column_is_held_against_the_leaf(log: None) -> None:
    """The database generates the columns; who owns it may change what generates them."""
    (row,) = leafcheck.placed(301, 302)
    assert list(leafcheck.check_row(row)) == []
    changes: dict[str, Any] = {
        "uuid": "0" * 36,
        "time": row.time.replace("2", "3", 1),
        "event": "access:denied",
        "verdict": "deny",
        "purpose": "other",
        "role": "nobody",
        "act": "read",
        "number": 7,
    }
    for name, value in changes.items():
        (found,) = leafcheck.check_row(row._replace(**{name: value}))
        assert found.kind == "column", name
        assert found.text.startswith("index 301, entry ")
    (found,) = leafcheck.check_row(row._replace(placed_hash=bytes(32)))
    assert found.kind == "leaf hash"
    spaced = row.leaf.replace(b",", b", ", 1)
    edited = row._replace(leaf=spaced, leaf_hash=leaf_hash(spaced), placed_hash=leaf_hash(spaced))
    (found,) = leafcheck.check_row(edited)
    assert "canonical" in found.text


MORE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a counter": (lambda _: SubjectCounter.objects.update(last=9), "counter says 9"),
    "a lost number": (
        lambda _: SubjectIndex.objects.update(seq=2),
        "not numbered 1 to 1",
    ),
    "a lost counter": (lambda _: SubjectCounter.objects.all().delete(), "no counter"),
    "a disclosure of another entry": (
        lambda _: Disclosure.objects.update(sealed=_sealed_elsewhere()),
        "is not the committed one",
    ),
    "a key given away": (
        lambda _: KeyRelease.objects.create(entry=Entry.objects.earliest("id").uuid, key="k"),
        "a key was released under it",
    ),
    "a key given away under nothing": (
        lambda _: KeyRelease.objects.create(entry=uuid7(), key="k"),
        "a key was released under it",
    ),
    "a copy of an older checkpoint": (
        lambda where: (where / "log/checkpoint").write_bytes(
            Note.objects.earliest("pk").text.encode()
        ),
        "is of 1, not of 302",
    ),
}


def _sealed_elsewhere() -> bytes:
    """Return another value, sealed as well as the first: whoever holds the keys can."""
    row = Disclosure.objects.get(slot="main")
    kept = disclosures.opened(row.entry)
    half = disclosures.seal(
        row.entry.uuid,
        slot="main",
        owner=SUBJECT,
        keys=ports.keys().of(ports.ORGANISATION, SUBJECT),
        disclosures=leaf.disclose({"reason": "other"}),
        shy=False,
    )
    assert kept
    return half.sealed


@pytest.mark.parametrize("what", sorted(MORE))
def test_each_journal_agrees_with_the_others(
    open_log: Any, write: Write, write_many: Callable[[int], list[Entry]], tmp_path: Path, what: str
) -> None:
    write_many(300)
    entry = write()
    open_log()
    KeyRelease.objects.create(entry=entry.uuid, key="k")
    assert run("log_check") == "The log agrees: 302 entries.\n"
    act, words = MORE[what]
    act(tmp_path)
    with pytest.raises(CommandError, match=words):
        run("log_check")


def test_findings_come_one_a_line_and_a_few_of_each_kind(log: None) -> None:
    edit('UPDATE audit_leaf SET leaf_hash = %s WHERE "index" < 20', [bytes(32)])
    out = StringIO()
    with pytest.raises(CommandError, match="index 0, entry"):
        call_command("log_check", stdout=out)
    lines = out.getvalue().splitlines()
    assert [line for line in lines if "another hash" in line][4].startswith("index 4, ")
    assert "leaf hash: and 15 more" in lines
    assert any("root is not the tree's" in line for line in lines)


def test_the_quick_check_reads_no_entries_and_still_sees_heads(log: None) -> None:
    assert run("log_check", "--quick") == "The log agrees: 302 entries.\n"
    edit('UPDATE audit_leaf SET leaf_hash = %s WHERE "index" = 7', [bytes(32)])
    assert run("log_check", "--quick")
    edit("UPDATE audit_checkpoint SET root = %s", [bytes(32)])
    with pytest.raises(CommandError, match="root is not the tree's"):
        run("log_check", "--quick")


def test_a_log_that_never_was_does_not_agree(places: Path) -> None:
    with pytest.raises(CommandError, match="never been sequenced"):
        run("log_check")


def test_keygen_prints_the_same_keys_each_time_and_registers_witnesses(
    places: Path, settings: Settings
) -> None:
    first = run("log_keygen")
    assert first == run("log_keygen")
    assert first in (places / "log/vkeys").read_text()
    assert [key.split("+")[0] for key in first.split()] == [settings.REMIT_LOG_ORIGIN] * 2
    key = checkpoint.vkey(checkpoint.witness_key(places / "w", name="w.example").public)
    run("log_keygen", "--witness", key, "http://127.0.0.1:1/")
    policy = (places / "log/policy").read_text()
    assert policy == (
        f"log {first.split()[0]}\nwitness w.example {key} http://127.0.0.1:1/\n"
        "group witnesses any w.example\nquorum witnesses\n"
    )
    for wrong in ("nonsense", first.split()[0]):
        with pytest.raises(CommandError):
            run("log_keygen", "--witness", wrong, "http://127.0.0.1:1/")
    settings.REMIT_LOG_ORIGIN = "elsewhere.example"
    with pytest.raises(CommandError, match="made for"):
        run("log_keygen")


def test_the_sequencer_command_publishes_what_waits(places: Path, write: Write) -> None:
    write()
    assert "at 0" in run("sequencer", "--once")
    assert Leaf.objects.count() == 2
    TreeState.objects.update(size=3)
    with pytest.raises(CommandError, match="halted") as raised:
        run("sequencer", "--once")
    assert raised.value.returncode == 3
