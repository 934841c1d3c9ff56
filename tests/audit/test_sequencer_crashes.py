"""Every line of the table of crashes: what stands then, and that the next start goes on from it."""

import pkgutil
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from audit import checkpoint, health, inspection, journal, outbox, sequencer
from audit.actions import Action
from audit.actors import Actor
from audit.errors import ForkError, LogUnavailableError, NoteError
from audit.models import Checkpoint, Entry, Leaf, Note, Outbox, TreeState
from tests.audit.test_sequencer import rewind, scan

Write = Callable[..., Entry]
Many = Callable[[int], list[Entry]]


class CrashError(BaseException):
    """The process died here; nothing in it may catch this."""


def die(patch: pytest.MonkeyPatch, where: str, *, after: int = 0) -> None:
    """Take a turn in which the process dies at the call of `where`, or after so many calls."""
    owner, name = where.rsplit(".", 1)
    real, calls = getattr(pkgutil.resolve_name(owner), name), iter(range(after))

    def call(*words: Any, **named: Any) -> Any:
        if next(calls, None) is None:
            raise CrashError
        return real(*words, **named)

    with patch.context() as inner:
        inner.setattr(pkgutil.resolve_name(owner), name, call)
        with pytest.raises(CrashError):
            turn()


def turn() -> int:
    with sequencer.opened() as log:
        return log.turn().published or log.size


@pytest.fixture
def begun(places: Path, write: Write, write_many: Many) -> Path:
    """A log of 201 entries, published, and 100 more that wait: a tile becomes full with them."""
    write_many(200)
    assert turn() == 201
    write_many(100)
    return places


def assert_goes_on(where: Path) -> None:
    """The next start gives every entry its one place, and publishes."""
    count = Entry.objects.count()
    assert turn() == count == scan(where) == inspection.inspect()
    assert sorted(Leaf.objects.values_list("entry", flat=True)) == sorted(
        Entry.objects.values_list("pk", flat=True)
    )
    assert not Outbox.objects.exists()
    assert not list((where / "log").rglob(".*.new"))
    assert not TreeState.objects.get().halted


def test_before_the_act_commits_nothing_happened(begun: Path) -> None:
    with suppress(CrashError), transaction.atomic():
        journal.append(Action.ACCESS_DENIED, actor=Actor.system("test"))
        raise CrashError
    assert Entry.objects.count() == 301 == turn()
    assert scan(begun) == 301


def test_after_the_act_it_waits_in_the_outbox(begun: Path) -> None:
    assert Outbox.objects.count() == 100
    assert_goes_on(begun)


@pytest.mark.parametrize("where", ["audit.outbox.place", "audit.sequencer:Sequencer._place"])
def test_inside_the_placing_all_of_it_is_undone(
    begun: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    die(monkeypatch, where)
    assert (Leaf.objects.count(), Outbox.objects.count()) == (201, 100)
    assert_goes_on(begun)


def test_after_the_deletion_from_the_outbox_but_before_the_commit(
    begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = outbox.place

    def place(*words: Any, **named: Any) -> None:
        real(*words, **named)
        raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "place", place)
        with pytest.raises(CrashError):
            turn()
    assert (Leaf.objects.count(), Outbox.objects.count()) == (201, 100)
    assert_goes_on(begun)


@pytest.mark.parametrize("after", range(5))
def test_among_the_tiles_temporary_files_are_written_over(
    begun: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    die(monkeypatch, "audit.files._write_beside", after=after)
    assert Leaf.objects.count() == 301
    # What is signed and published still stands and verifies.
    assert scan(begun) == 201
    assert_goes_on(begun)


@pytest.mark.parametrize("after", range(3))
def test_between_renaming_and_the_directories(
    begun: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    die(monkeypatch, "audit.files.sync_directory", after=after)
    assert scan(begun) == 201
    assert_goes_on(begun)


@pytest.mark.parametrize("name", ["tile/entries/000", "tile/0/001.p/45", "tile/1/000.p/1"])
@pytest.mark.parametrize("kept", [0, 20])
def test_a_torn_file_beyond_the_signed_tree_is_written_anew(
    begun: Path, monkeypatch: pytest.MonkeyPatch, name: str, kept: int
) -> None:
    die(monkeypatch, "audit.sequencer:Sequencer.intend")
    path = begun / "log" / name
    path.write_bytes(path.read_bytes()[:kept])
    assert_goes_on(begun)


@pytest.mark.parametrize("kept", [0, 20, 3000, -1])
def test_a_torn_head_is_published_again_at_the_next_start(begun: Path, kept: int) -> None:
    """F26: although nothing was added since."""
    turn()
    path = begun / "log" / "checkpoint"
    whole = path.read_bytes()
    path.write_bytes(whole[:kept])
    turn()
    assert path.read_bytes() == whole


STEPS = {
    "after the tiles, before the intent": "audit.sequencer:Sequencer.intend",
    "after the intent, before the signer": "audit.checkpoint:Signer.sign",
    "while the signer remembers": "audit.files.replace",
    "after the signer, before the signature": "audit.checkpoint:Signer._note",
    "after the signature, before the note": "audit.models:Note.objects.create",
    "after the note, before the witnesses": "audit.sequencer:Sequencer.witness",
    "after the witnesses, before the file": "audit.sequencer:Sequencer._write",
    "after the file, before the row": "audit.sequencer:Sequencer._note_down",
}


@pytest.mark.parametrize("step", sorted(STEPS))
def test_between_the_steps_of_a_publication(
    begun: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    die(monkeypatch, STEPS[step])
    assert scan(begun) == (301 if "before the row" in step else 201)
    # More arrives before the restart: what was signed must stay a prefix.
    journal.append_now(Action.ACCESS_DENIED, actor=Actor.system("test"))
    assert_goes_on(begun)


def test_the_same_head_is_signed_again_where_its_note_was_lost(
    begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(monkeypatch, "audit.models:Note.objects.create")
    assert checkpoint.Signer(checkpoint.log_keys()).last.size == 301
    assert not Note.objects.filter(pk=301).exists()
    intended = bytes(Checkpoint.objects.get(pk=301).root)
    assert_goes_on(begun)
    assert bytes(Checkpoint.objects.get(pk=301).root) == intended
    assert Note.objects.filter(pk=301).exists()


@pytest.mark.parametrize("with_tiles", [False, True])
def test_a_restored_database_halts_and_says_the_way_out(begun: Path, with_tiles: bool) -> None:
    saved = begun / "saved"
    shutil.copytree(begun / "log", saved)
    assert turn() == 301
    rewind(201)
    if with_tiles:
        shutil.rmtree(begun / "log")
        saved.rename(begun / "log")
    with pytest.raises(CommandError, match=r"301 were signed.*manage\.py log_recover") as error:
        call_command("sequencer", "--once", verbosity=0)
    assert error.value.returncode == 3
    health.forget()
    with pytest.raises(LogUnavailableError, match="halted"):
        health.require_open()
    # Starting again does not help, and does not open it.
    with pytest.raises(ForkError):
        turn()
    assert TreeState.objects.get().halted


def test_a_signer_that_forgot_halts_the_log(begun: Path) -> None:
    (checkpoint.directory() / "signed-head").unlink()
    with pytest.raises(ForkError, match="the signer remembers 0"):
        turn()


@pytest.mark.parametrize("name", ["ed25519.key", "ml-dsa-44.key"])
def test_a_missing_key_is_never_replaced(begun: Path, name: str) -> None:
    path = checkpoint.directory() / name
    held = path.read_bytes()
    path.unlink()
    with pytest.raises(NoteError, match="missing"):
        turn()
    assert not path.exists()
    assert Outbox.objects.count() == 100
    health.forget()
    TreeState.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=31))
    with pytest.raises(LogUnavailableError, match="silent"):
        health.require_open()
    path.write_bytes(held)
    assert_goes_on(begun)
    health.forget()
    health.require_open()


def test_other_keys_do_not_go_on_with_this_tree(begun: Path) -> None:
    shutil.rmtree(checkpoint.directory())
    with pytest.raises(ForkError):
        turn()
    assert TreeState.objects.get().halted


def test_keys_and_memory_are_their_owners_alone(begun: Path) -> None:
    folder = checkpoint.directory()
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("ed25519.key", "ml-dsa-44.key", "signed-head", ".lock"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600


@contextmanager
def full_disk() -> Iterator[None]:
    """Refuse every byte of a file beyond some, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    was = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, was)


def test_a_full_disk_lets_entries_wait_until_there_is_room(begun: Path) -> None:
    before = (begun / "log/checkpoint").read_bytes()
    for _ in range(2):
        with full_disk(), pytest.raises(OSError, match="too large"):
            turn()
    assert (begun / "log/checkpoint").read_bytes() == before
    assert scan(begun) == 201
    TreeState.objects.update(behind_since=timezone.now() - timedelta(seconds=121))
    health.forget()
    with pytest.raises(LogUnavailableError, match="not published"):
        health.require_open()
    # What lets access go stays possible meanwhile.
    journal.append_now(Action.ACCESS_DENIED, actor=Actor.system("test"))
    assert_goes_on(begun)
    health.forget()
    health.require_open()
