"""A database from an older backup: it halts, is brought up to what was signed, and goes on.

What happens inside `forgotten` is rolled back in the database and stays in the files: a restore.
"""

import functools
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models.functions import Now

from audit import checkpoint, inspection, quorum, recovery, relinking, selectors, sequencer, tree
from audit.actions import Action
from audit.checkpoint import Head
from audit.errors import ForkError, RecoveryError
from audit.leaf import parse
from audit.models import Entry, Leaf, Outbox, TreeState
from audit.tiles import TileStore
from audit.verifier.checkpoint import parse_tree
from audit.witness import Server, Witness
from tests.audit.test_sequencer import scan

Write = Callable[..., Entry]
Many = Callable[[int], list[Entry]]
SUBJECT = "7d6f1d9e-1111-4222-8333-444455556666"


@contextmanager
def forgotten() -> Iterator[None]:
    point = transaction.savepoint()
    yield
    transaction.savepoint_rollback(point)


def turn() -> int:
    with sequencer.opened() as log:
        return log.turn().published or log.size


def recover(*arguments: str) -> str:
    out = StringIO()
    call_command("log_recover", *arguments, stdout=out)
    return out.getvalue()


def saved(places: Path) -> Head:
    """Return the published head, as somebody who will compare keeps it."""
    head = parse_tree(checkpoint.parse((places / "log/checkpoint").read_bytes()))
    return Head(head.size, head.root)


def events(start: int) -> list[str]:
    rows = Leaf.objects.filter(index__gte=start).order_by("index")
    return list(rows.values_list("entry__event", flat=True))


def require_whole(places: Path, *heads: Head) -> None:
    """Everything agrees, and every head that was ever seen is a beginning of the present one."""
    size = Leaf.objects.count()
    assert scan(places) == inspection.inspect() == size
    store = TileStore(places / "log")
    for head in heads:
        assert tree.root(store.node(size), head.size) == head.root
    assert not Outbox.objects.exists()


def test_an_older_database_halts_and_is_brought_up_to_what_was_signed(
    places: Path, write: Write, write_many: Many
) -> None:
    write_many(250)
    write()
    turn()
    waited = write()
    with forgotten():
        write_many(300)
        lost = [write(), write(Action.ACCESS_DENIED)]
        turn()
        head = saved(places)
    later = write(Action.LOG_SEARCHED)
    with pytest.raises(ForkError, match=f"{head.size} were signed"):
        turn()

    relinking.use(lambda: [SUBJECT, "somebody else"])
    said = recover()
    assert f"Entries 252 to {head.size - 1} have" in said
    assert "301 access:denied" in said
    assert "1 access:allowed" in said, "the one that waited was not lost"
    assert "Nothing is missing" in recover()
    assert turn() == head.size + 2
    assert events(head.size) == ["log:recovered", "log:searched"]
    require_whole(places, head)
    note = parse(bytes(Leaf.objects.get(index=head.size).entry.leaf))
    assert (note["from"], note["to"]) == (252, head.size)
    assert Leaf.objects.get(entry=waited).index == 252
    assert Leaf.objects.get(entry=later).index == head.size + 1
    # The person finds the lost entries again, closed; no number is missing and none stands twice.
    about = selectors.entries_about(subject=SUBJECT)
    assert [entry.seq for entry in about] == [5, 4, 3, 2, 1]
    assert {each.uuid for each in lost} == {entry.uuid for entry in about[:2]}
    assert [bool(entry.details) for entry in about] == [False, False, True, True, True]


def test_files_restored_with_the_database_come_from_a_copy(
    places: Path, write: Write, write_many: Many, tmp_path: Path
) -> None:
    write_many(10)
    turn()
    shutil.copytree(places / "log", tmp_path / "backup")
    with forgotten():
        write_many(300)
        turn()
        write_many(7)
        turn()
        head = saved(places)
    shutil.copytree(places / "log", tmp_path / "mirror")
    shutil.rmtree(places / "log")
    shutil.copytree(tmp_path / "backup", places / "log")
    with pytest.raises(ForkError, match="were signed"):
        turn()
    before = rows()
    with pytest.raises(CommandError, match=r"Nothing was changed: 318 .* end at 11; give a mirror"):
        recover()
    assert rows() == before
    with served(tmp_path / "mirror") as url:
        for place in (url, str(tmp_path / "mirror")):
            with forgotten():
                recover("--tiles", place)
                assert Leaf.objects.count() == head.size + 1
    recover("--tiles", str(tmp_path / "mirror"))
    turn()
    require_whole(places, head)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def rows() -> tuple[int, ...]:
    return (
        Entry.objects.count(),
        Leaf.objects.count(),
        Outbox.objects.count(),
        TreeState.objects.get().size,
    )


@contextmanager
def witnessed(places: Path) -> Iterator[Witness]:
    policy = quorum.ensure()
    key = checkpoint.witness_key(places / "w", name="w.example")
    witness = Witness(where=places / "w", key=key, logs=policy.logs)
    server = Server(("127.0.0.1", 0), witness)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    quorum.register(key.public, url=f"http://127.0.0.1:{server.server_address[1]}/")
    yield witness
    server.shutdown()
    server.server_close()


def restore(backup: Path, places: Path) -> None:
    for name in ("log", "keys"):
        shutil.rmtree(places / name)
        shutil.copytree(backup / name, places / name)


def back_up(places: Path) -> Path:
    for name in ("log", "keys"):
        shutil.copytree(places / name, places / "backup" / name)
    return places / "backup"


def test_when_everything_is_restored_the_witness_still_knows(
    places: Path, write: Write, write_many: Many, tmp_path: Path
) -> None:
    with witnessed(places):
        write_many(10)
        turn()
        backup = back_up(places)
        with forgotten():
            write_many(20)
            turn()
            head = saved(places)
        shutil.copytree(places / "log", tmp_path / "mirror")
        restore(backup, places)
        write()
        with pytest.raises(ForkError, match=r"w\.example has seen the larger 31"):
            turn()
        assert checkpoint.Signer(checkpoint.log_keys()).last.size == 11, "nothing was signed"
        with pytest.raises(CommandError, match="log_rotate --dead"):
            recover()
        recover("--tiles", str(tmp_path / "mirror"))
        turn()
        require_whole(places, head)


def test_two_signed_histories_are_the_end_of_a_log(
    places: Path, write_many: Many, tmp_path: Path
) -> None:
    write_many(10)
    turn()
    backup = back_up(places)
    with forgotten():
        write_many(20)
        turn()
    shutil.copytree(places / "log", tmp_path / "mirror")
    restore(backup, places)
    write_many(5)
    turn()
    with pytest.raises(CommandError, match=r"do not lead to the head.*log_rotate --dead"):
        recover("--tiles", str(tmp_path / "mirror"))


def test_a_leaf_that_was_edited_is_refused_and_nothing_changes(
    places: Path, write_many: Many
) -> None:
    write_many(10)
    turn()
    with forgotten():
        write_many(20)
        turn()
    before = rows()
    for path in (places / "log/tile/entries").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"access:denied", b"access:closed"))
    with pytest.raises(CommandError, match="do not lead to the head of 31") as raised:
        recover()
    assert "\n" not in str(raised.value)
    assert rows() == before


def test_what_was_placed_but_never_signed_is_put_back_too(
    places: Path, write_many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_many(10)
    turn()
    with forgotten():
        write_many(20)
        turn()
        write_many(300)
        with monkeypatch.context() as patch:
            patch.setattr(sequencer.Sequencer, "publish", lambda _: 0)
            turn()
    assert "Entries 11 to 255 have" in recover()
    turn()
    require_whole(places)


def test_a_crash_in_between_changes_nothing(
    places: Path, write_many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_many(10)
    turn()
    with forgotten():
        write_many(20)
        turn()
    before = rows()
    with monkeypatch.context() as patch:
        patch.setattr(
            "audit.lineage.recovered", lambda **_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            recover()
    assert rows() == before
    recover()
    turn()
    require_whole(places)


def test_a_signer_that_forgot_is_brought_forward(places: Path, write_many: Many) -> None:
    write_many(10)
    turn()
    old = (places / "keys/log/signed-head").read_bytes()
    write_many(10)
    turn()
    (places / "keys/log/signed-head").write_bytes(old)
    with pytest.raises(ForkError, match="remembers 11"):
        turn()
    assert "brought forward" in recover()
    write_many(1)
    assert turn() == 22
    require_whole(places)


def test_an_entry_of_the_same_id_but_another_leaf_is_refused(
    places: Path, write_many: Many, write: Write
) -> None:
    write_many(10)
    turn()
    with forgotten():
        lost = write()
        turn()
    leaf = bytes(lost.leaf).replace(b'"allow"', b'"deny"')
    Entry.objects.create(uuid=lost.uuid, leaf=leaf, leaf_hash=tree.leaf_hash(leaf))
    with pytest.raises(RecoveryError, match="holds another entry"):
        recovery.recover()


def test_an_entry_put_into_the_outbox_again_halts_the_log_until_it_is_taken_out(
    places: Path, write: Write, write_many: Many
) -> None:
    again = write_many(3)[1]
    turn()
    head = saved(places)
    Outbox.objects.create(entry_id=again.pk, queued_at=Now(), not_before=Now())
    later = write()
    with pytest.raises(ForkError, match="has its place already"):
        turn()
    assert TreeState.objects.get().halted
    assert "second place, and no longer does: 1 of" in recover()
    assert "second place" not in recover()
    turn()
    assert Leaf.objects.filter(entry=later).exists(), "what was written meanwhile has its place"
    require_whole(places, head)
