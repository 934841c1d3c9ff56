"""New keys: the log ends under one name and goes on under the next, wherever it breaks off."""

import pkgutil
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from audit import checkpoint, ended, inspection, lineage, quorum, sequencer, tree
from audit.errors import ForkError, NoteError
from audit.models import Entry, Leaf, TreeState
from audit.tiles import TileStore
from audit.verifier.keys import parse_vkeys
from audit.witness import Server, Witness
from tests.audit.test_recovery import back_up, forgotten, recover, restore, saved
from tests.audit.test_sequencer import scan

Write = Callable[..., Entry]
Many = Callable[[int], list[Entry]]
OLD, NEW, THIRD = "remit.nordhafen.example/log", "remit.example/second", "remit.example/third"


class CrashError(BaseException):
    """The process died here."""


def turn() -> int:
    with sequencer.opened() as log:
        return log.turn().published or log.size


def rotate(settings: Settings, name: str = NEW, *words: str) -> str:
    settings.REMIT_LOG_ORIGIN = name
    out = StringIO()
    call_command("log_rotate", *words, stdout=out)
    return out.getvalue()


def events(start: int) -> list[str]:
    rows = Leaf.objects.filter(index__gte=start).order_by("index")
    return list(rows.values_list("entry__event", flat=True))


def require_whole(places: Path, *origins: str) -> None:
    """The log bears these names, in this order, and all of it agrees."""
    size = Leaf.objects.count()
    assert scan(places) == size == inspection.inspect()
    assert tuple(name.origin for name in lineage.names()) == origins
    assert TreeState.objects.get().origin == origins[-1]
    assert not checkpoint.next_directory().exists()
    mentioned = {key.name for key in parse_vkeys((places / "log/vkeys").read_text())}
    assert mentioned >= set(origins)
    assert [log.name for log in quorum.read().logs] == [origins[-1]]


@contextmanager
def council(places: Path, **more: Any) -> Iterator[Witness]:
    """A witness with its own copy of the policy, as a works council runs it."""
    quorum.ensure()
    key = checkpoint.witness_key(places / "w", name="council.example")
    witness = Witness(where=places / "w", key=key, logs=quorum.read().logs, **more)
    server = Server(("127.0.0.1", 0), witness)
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    ).start()
    quorum.register(key.public, url=f"http://127.0.0.1:{server.server_address[1]}/")
    try:
        yield witness
    finally:
        server.shutdown()
        server.server_close()


def test_the_log_goes_on_under_a_new_name_and_twice_is_as_good_as_once(
    places: Path, write: Write, write_many: Many, settings: Settings
) -> None:
    write_many(300)
    turn()
    old = checkpoint.log_keys()
    write()
    said = rotate(settings)
    assert f"{OLD} ended; entry 303 goes on as {NEW}." in said
    assert events(302) == ["log:closed", "log:rotated"]
    head = checkpoint.parse(ended.path(OLD).read_bytes())
    assert head.text.startswith(f"{OLD}\n303\n")
    assert (places / "log/checkpoint").read_text().startswith(f"{NEW}\n304\n")
    keys = checkpoint.log_keys()
    assert keys.ed25519.private_bytes_raw() != old.ed25519.private_bytes_raw()
    seeds = {path.read_bytes() for path in (places / "keys").rglob("*.key")}
    assert len(seeds) == len(list((places / "keys").rglob("*.key"))), "no copy of a key is left"
    assert "Nothing to do" in rotate(settings)
    write()
    assert turn() == 305
    require_whole(places, OLD, NEW)
    rotate(settings, THIRD)
    require_whole(places, OLD, NEW, THIRD)
    with pytest.raises(CommandError, match="a name that it never had"):
        rotate(settings, OLD)


STEPS = (
    "audit.outbox.place",
    "audit.rotation._settle",
    "audit.rotation._new_keys",
    "audit.rotation._place_closed",
    "audit.sequencer.Sequencer.intend",
    "audit.sequencer.Sequencer.sign",
    "audit.sequencer.Sequencer.release",
    "audit.ended.keep_head",
    "audit.lineage.rotated",
    "audit.rotation._take_over",
    "audit.files.replace",
    "audit.checkpoint.keep_earlier_vkeys",
    "audit.quorum.follow",
    "shutil.rmtree",
    "audit.rotation._publish_first",
)


# A few of them each time: once in the middle of each of what is a transaction or a file.
OFTEN = {("audit.sequencer.Sequencer.sign", 1), ("audit.lineage.rotated", 0)}
OFTEN |= {("audit.files.replace", 12), ("shutil.rmtree", 0)}
CRASHES = [
    pytest.param(where, after, marks=() if (where, after) in OFTEN else pytest.mark.soak)
    for where in STEPS
    for after in ((0, 1) if where != "audit.files.replace" else range(24))
]


@pytest.mark.parametrize(("where", "after"), CRASHES)
def test_broken_off_anywhere_it_is_done_by_the_next_call(
    places: Path,
    write_many: Many,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    after: int,
) -> None:
    write_many(250)
    turn()
    first = saved(places)
    write_many(10)
    owner, name = where.rsplit(".", 1)
    real, calls = getattr(pkgutil.resolve_name(owner), name), iter(range(after))

    def call(*words: Any, **named: Any) -> Any:
        if next(calls, None) is None:
            raise CrashError
        return real(*words, **named)

    with monkeypatch.context() as patch:
        patch.setattr(pkgutil.resolve_name(owner), name, call)
        try:
            rotate(settings)
        except CrashError:
            # Half in place nobody signs, under neither name.
            if checkpoint.next_directory().exists():
                for origin in (OLD, NEW):
                    settings.REMIT_LOG_ORIGIN = origin
                    with pytest.raises(NoteError, match="log_rotate` again"):
                        turn()
    rotate(settings)
    assert events(261) == ["log:closed", "log:rotated"]
    turn()
    require_whole(places, OLD, NEW)
    assert tree.root(TileStore(places / "log").node(263), first.size) == first.root


def test_without_its_witnesses_an_old_name_does_not_end(
    places: Path, write_many: Many, settings: Settings
) -> None:
    with council(places):
        write_many(3)
        turn()
    with pytest.raises(CommandError, match="fewer witnesses answer than the policy wants"):
        rotate(settings)
    assert not checkpoint.next_directory().exists()
    settings.REMIT_LOG_ORIGIN = OLD
    write_many(1)
    assert turn() == 5, "nothing was changed"


def test_a_witness_follows_with_the_memory_of_the_old_name(
    places: Path, write_many: Many, settings: Settings
) -> None:
    with council(places):
        write_many(3)
        turn()
        rotate(settings)
        assert b"council.example" in ended.path(OLD).read_bytes()
        write_many(1)
        turn()
        assert b"council.example" not in (places / "log/checkpoint").read_bytes()
    with council(places, after=OLD) as witness:
        assert witness.last(NEW).size == 5
        write_many(1)
        assert turn() == 8
        assert witness.last(NEW).size == 8
        assert b"council.example" in (places / "log/checkpoint").read_bytes()
    require_whole(places, OLD, NEW)


def test_a_database_from_before_the_new_keys_is_brought_over(
    places: Path, write_many: Many, settings: Settings
) -> None:
    write_many(3)
    turn()
    with forgotten():
        write_many(300)
        rotate(settings)
        write_many(2)
        turn()
        head = saved(places)
    with pytest.raises(ForkError, match=f"the database holds {OLD}"):
        turn()
    with pytest.raises(CommandError, match="log_recover"):
        rotate(settings)
    recover()
    turn()
    require_whole(places, OLD, NEW)
    assert events(head.size) == ["log:recovered"]


def test_a_log_whose_keys_are_lost_goes_on_without_their_word(
    places: Path, write_many: Many, settings: Settings
) -> None:
    write_many(300)
    turn()
    with pytest.raises(CommandError, match="without --dead"):
        rotate(settings, NEW, "--dead")
    shutil.rmtree(places / "keys")
    with pytest.raises(CommandError, match="log_rotate --dead"):
        rotate(settings)
    rotate(settings, NEW, "--dead")
    assert events(300) == ["access:denied", "log:rotated"]
    write_many(3)
    turn()
    require_whole(places, OLD, NEW)
    assert ended.path(OLD).read_bytes().startswith(f"{OLD}\n301\n".encode())


@pytest.mark.parametrize("where", ["audit.rotation._go_on", "audit.rotation._take_over", ""])
def test_a_log_whose_past_is_lost_names_what_it_lost(
    places: Path,
    write_many: Many,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    with council(places) as witness:
        write_many(10)
        turn()
        backup = back_up(places)
        with forgotten():
            write_many(300)
            turn()
            lost = witness.last(OLD)
        restore(backup, places)
        write_many(2)
        with monkeypatch.context() as patch:
            if where:

                def crash(*_: Any) -> None:
                    raise CrashError

                patch.setattr(where, crash)
            with suppress(CrashError):
                rotate(settings, NEW, "--dead")
        rotate(settings, NEW, "--dead")
    assert ended.path(OLD).read_bytes().startswith(f"{OLD}\n{lost.size}\n".encode())
    write_many(300)
    turn()
    require_whole(places, OLD, NEW)
    note = Entry.objects.get(event="log:rotated")
    assert f'"size":{lost.size}' in bytes(note.leaf).decode()
