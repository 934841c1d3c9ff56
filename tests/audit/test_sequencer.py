"""The sequencer: one place an entry, whatever crashes; a halt where the past is contradicted."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from audit import health, inspection, sequencer, tree
from audit.actions import Action
from audit.errors import ForkError, LogUnavailableError, SequencerBusyError
from audit.leaf import parse
from audit.models import Checkpoint, Entry, Leaf, Note, Outbox, TreeState
from audit.sequencer import Sequencer
from audit.verifier.checkpoint import Trust, accept
from audit.verifier.keys import parse_vkeys
from audit.verifier.rules import Rules
from audit.verifier.scan import Frontier, Scan
from audit.verifier.source import open_source
from governance import authorizer

Write = Callable[..., Entry]
Many = Callable[[int], list[Entry]]


def turn() -> int:
    with sequencer.opened() as log:
        return log.turn().published or log.size


def scan(where: Path) -> int:
    """Read the whole log with the stand-alone verifier; return its size."""
    trust = Trust(keys=tuple(parse_vkeys((where / "log/vkeys").read_text())))
    checkpoint = accept((where / "log/checkpoint").read_bytes(), trust)
    Scan(
        source=open_source(str(where / "log")),
        checkpoint=checkpoint,
        rules=Rules(origin=checkpoint.origin, longest_delay=7200.0, no_later_than=2.0**40),
        frontier=Frontier(),
    ).run()
    return checkpoint.size


def test_the_first_leaf_names_the_log_though_others_waited_before(
    places: Path, write: Write
) -> None:
    waiting = [write() for _ in range(3)]
    assert turn() == 4
    genesis = Leaf.objects.select_related("entry").get(index=0).entry
    body = parse(bytes(genesis.leaf))
    assert body["ev"] == "log:genesis"
    assert body["origin"] == settings.REMIT_LOG_ORIGIN
    assert body["vkeys"] == (places / "log/vkeys").read_text().split()[:2]
    assert list(Leaf.objects.order_by("index").values_list("entry", flat=True))[1:] == [
        entry.pk for entry in waiting
    ]
    assert not Outbox.objects.exists()
    assert scan(places) == 4
    assert turn() == 4
    assert inspection.inspect() == 4


@pytest.mark.parametrize("size", [255, 256, 257, 600])
def test_a_log_of_any_size_is_read_by_the_stand_alone_verifier(
    places: Path, write: Write, write_many: Many, size: int
) -> None:
    write_many(size - 1)
    assert turn() == size
    write()
    assert turn() == size + 1
    assert scan(places) == size + 1
    assert inspection.inspect() == size + 1


CRASHES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "inside the transaction": lambda patch: patch.setattr(Sequencer, "_place", _crash),
    "before the tiles": lambda patch: patch.setattr(Sequencer, "integrate", _crash),
    "in the middle of the tiles": lambda patch: patch.setattr(
        "audit.frontier.Frontier._push", _crash
    ),
    "before the intent": lambda patch: patch.setattr(Sequencer, "intend", _crash),
    "before the signer remembers": lambda patch: patch.setattr(Sequencer, "sign", _crash),
    "before the note is stored": lambda patch: patch.setattr(
        "audit.models.Note.objects.create", _crash
    ),
    "before the witnesses": lambda patch: patch.setattr(Sequencer, "witness", _crash),
    "before publication": lambda patch: patch.setattr(Sequencer, "release", _crash),
}


class CrashError(Exception):
    """The process died here."""


def _crash(*_: Any, **__: Any) -> Any:
    raise CrashError


@pytest.mark.parametrize("point", sorted(CRASHES))
@pytest.mark.parametrize("first", [True, False])
def test_a_crash_anywhere_loses_nothing_and_repeats_nothing(
    places: Path, write_many: Many, monkeypatch: pytest.MonkeyPatch, point: str, first: bool
) -> None:
    if not first:
        write_many(1)
        turn()
    entries = write_many(300)
    with monkeypatch.context() as patch:
        CRASHES[point](patch)
        with pytest.raises(CrashError):
            turn()
    # More arrives before the restart: what was signed must stay a prefix.
    entries += write_many(1)
    expected = Entry.objects.count() + (0 if Leaf.objects.exists() else 1)
    assert turn() == expected == scan(places) == inspection.inspect()
    placed = list(Leaf.objects.values_list("entry", flat=True))
    assert len(placed) == len(set(placed))
    assert {entry.pk for entry in entries} <= set(placed)


def test_one_sequencer_at_a_time(places: Path, write: Write) -> None:
    with sequencer.opened(), pytest.raises(SequencerBusyError), sequencer.opened():
        pass
    assert turn() == 1


def test_batches_fill_the_tree_in_the_order_of_commit(places: Path, write: Write) -> None:
    ids = [write(subject=None).pk for _ in range(7)]
    with sequencer.opened() as log:
        log.begin()
        assert [log.sequence(limit=3) for _ in range(4)] == [3, 3, 1, 0]
    assert (
        list(Leaf.objects.filter(index__gt=0).order_by("index").values_list("entry", flat=True))
        == ids
    )


def rewind(size: int) -> None:
    """Do what restoring an older backup does: later places are gone, their entries wait again."""
    lift = {
        "sqlite": "DROP TRIGGER {0}_keep_delete",
        "postgresql": "DROP TRIGGER {0}_keep ON {0}",
    }[connection.vendor]
    with authorizer.lifted(connection), connection.cursor() as cursor:
        for table in ("audit_leaf", "audit_checkpoint", "audit_note"):
            cursor.execute(lift.format(table))
        cursor.execute("DELETE FROM audit_note WHERE checkpoint_id > %s", [size])
        cursor.execute("DELETE FROM audit_checkpoint WHERE size > %s", [size])
        cursor.execute('DELETE FROM audit_leaf WHERE "index" >= %s', [size])
    TreeState.objects.update(size=size, published_size=size)


def is_halted() -> bool:
    health.forget()
    with pytest.raises(LogUnavailableError):
        health.require_open()
    return bool(TreeState.objects.get().halted)


def test_a_database_older_than_the_signature_halts_the_log(places: Path, write: Write) -> None:
    turn()
    write()
    turn()
    before = (places / "log/checkpoint").read_bytes()
    rewind(1)
    with pytest.raises(ForkError, match="were signed"):
        turn()
    assert is_halted()
    assert (places / "log/checkpoint").read_bytes() == before


def test_a_restored_database_that_grew_otherwise_halts_the_log(places: Path, write: Write) -> None:
    turn()
    for _ in range(3):
        write()
    turn()
    rewind(2)
    others = [write(purpose="another") for _ in range(6)]
    with connection.cursor() as cursor:
        cursor.executemany(
            'INSERT INTO audit_leaf ("index", entry_id, leaf_hash) VALUES (%s, %s, %s)',
            [(2 + at, entry.pk, bytes(entry.leaf_hash)) for at, entry in enumerate(others)],
        )
    Outbox.objects.all().delete()
    TreeState.objects.update(size=8)
    with pytest.raises(ForkError, match="not the one that was signed"):
        turn()
    shutil.rmtree(places / "log/tile")
    with pytest.raises(ForkError, match="not the one that was signed"):
        turn()
    assert is_halted()


def test_a_leaf_that_was_edited_before_it_had_a_place_halts_the_log(
    places: Path, write: Write
) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL refuses the edit itself: the hash is checked in the row.")
    turn()
    entry = write()
    with authorizer.lifted(connection), connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_entry_keep_update")
        cursor.execute(
            "UPDATE audit_entry SET leaf = CAST(replace(CAST(leaf AS TEXT), 'allow\"', 'deny\"') "
            "AS BLOB) WHERE id = %s",
            [entry.pk],
        )
    with pytest.raises(ForkError, match="does not hold the leaf"):
        turn()
    assert is_halted()


def test_a_second_root_for_one_size_is_never_signed(places: Path, write: Write) -> None:
    turn()
    write()
    with sequencer.opened() as log:
        log.sequence()
        Checkpoint.objects.create(size=log.size, root=bytes(32))
        with pytest.raises(ForkError, match="another root"):
            log.publish()
    assert not Note.objects.filter(pk=2).exists()


def test_lost_tiles_are_laid_anew_and_changed_ones_halt(
    places: Path, write: Write, write_many: Many
) -> None:
    write_many(300)
    turn()
    shutil.rmtree(places / "log/tile")
    turn()
    assert scan(places) == 301
    write()
    tile = places / "log/tile/0/001.p/45"
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    with pytest.raises(ForkError):
        turn()
    assert is_halted()


def test_the_head_is_published_again_when_it_grows_old(places: Path, write: Write) -> None:
    turn()
    with sequencer.opened() as log:
        log.turn()
        assert log.turn().published is None
        TreeState.objects.update(published_at=timezone.now() - timedelta(minutes=11))
        assert log.turn().published == 1


def test_a_frozen_log_shows_a_heartbeat_each_hour(
    places: Path, write: Write, time_machine: Callable[..., None]
) -> None:
    turn()
    now = timezone.now()
    time_machine(now + timedelta(minutes=59))
    assert turn() == 1
    time_machine(now + timedelta(minutes=61))
    turn()
    turn()
    assert list(Entry.objects.order_by("id").values_list("event", flat=True)) == [
        Action.LOG_GENESIS,
        Action.LOG_HEARTBEAT,
    ]


def test_a_signed_head_is_the_root_of_its_leaves(places: Path, write: Write) -> None:
    for _ in range(5):
        write()
    turn()
    hashes = [bytes(row.leaf_hash) for row in Leaf.objects.order_by("index")]

    def node(level: int, index: int) -> bytes:
        return tree.perfect_root(hashes[index << level : (index + 1) << level])

    assert bytes(Checkpoint.objects.latest("size").root) == tree.root(node, 6)
