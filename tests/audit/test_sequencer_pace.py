"""When what happens: a slow witness holds up nothing, late lines are added, old parts go."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from audit import circulation, journal, outbox, pruning, sequencer
from audit.actions import SHY
from audit.actors import Actor
from audit.errors import WitnessConflictError
from audit.models import Cosignature, Entry, Outbox, TreeState
from audit.pace import Pace
from audit.verifier.checkpoint import Trust, accept
from audit.verifier.policy import parse_policy
from audit.witness import Answer
from tests.audit.test_sequencer import scan
from tests.audit.test_sequencer_honest import Moody, witnessed

pytestmark = pytest.mark.django_db

Write = Callable[..., Entry]
Many = Callable[[int], list[Entry]]
SLOW_SECONDS = 1.5


@contextmanager
def paced(interval: float = 0.02) -> Iterator[Pace]:
    with sequencer.opened() as log:
        log.begin()
        yield Pace(log, interval)


def until(is_so: Callable[[], bool], pace: Pace, *, seconds: float = 5) -> float:
    """Step until it is so; return how long that took."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds
        pace.step(time.monotonic())
        time.sleep(0.005)
    return time.monotonic() - began


def head(places: Path) -> tuple[int, bool]:
    """Return size and whether the witnesses' quorum stands under the published checkpoint."""
    path = places / "log/checkpoint"
    if not path.exists():
        return 0, False
    data = path.read_bytes()
    policy = parse_policy((places / "log/policy").read_bytes())
    keys = (*policy.logs, *policy.witnesses.values())
    found = accept(data, Trust(keys=keys))
    return found.size, policy.is_satisfied([each.key for each in found.witnesses])


def test_a_slow_witness_holds_up_one_head_for_a_moment_and_no_other(
    places: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circulation, "GRACE_SECONDS", 0.6)
    with witnessed(places) as witness, paced() as pace:
        until(lambda: head(places) == (1, True), pace)
        witness.wait_seconds = SLOW_SECONDS
        write()
        first = until(lambda: head(places)[0] == 2, pace)
        write()
        second = until(lambda: head(places)[0] == 3, pace)
        assert second < 0.5 < first < SLOW_SECONDS
        # The line about the older head is kept; the newest gets its own, under the same body.
        until(lambda: head(places) == (3, True), pace)
        assert set(Cosignature.objects.values_list("checkpoint", flat=True)) == {1, 2, 3}
    assert scan(places) == 3


def test_a_conflict_that_comes_late_still_halts(places: Path) -> None:
    class Other(Moody):
        def add_checkpoint(self, data: bytes) -> Answer:
            time.sleep(SLOW_SECONDS)
            return Answer(HTTPStatus.UNPROCESSABLE_ENTITY)

    with witnessed(places) as witness:
        witness.__class__ = Other
        with pytest.raises(WitnessConflictError), paced() as pace:
            until(lambda: TreeState.objects.get().published_size == 9, pace)
        assert (places / "log/checkpoint").exists()
    assert "another history" in TreeState.objects.get().halted


def test_a_witness_that_came_back_is_asked_again_while_nothing_happens(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer, "_WITNESS_RETRY_SECONDS", 0.1)
    with witnessed(places) as witness, paced() as pace:
        witness.is_away = True
        until((places / "log/checkpoint").exists, pace)
        assert not head(places)[1]
        witness.is_away = False
        until(lambda: head(places)[1], pace)


def test_a_head_published_again_keeps_its_lines_while_witnesses_are_away(places: Path) -> None:
    with witnessed(places) as witness:
        with sequencer.opened() as log:
            log.turn()
        quorum = TreeState.objects.get().quorum_at
        witness.is_away = True
        TreeState.objects.update(published_at=timezone.now() - timedelta(minutes=11))
        with sequencer.opened() as log:
            assert log.turn().published == 1
        assert head(places) == (1, True)
        # Old lines are no sign that witnesses still watch.
        assert TreeState.objects.get().quorum_at == quorum


def test_an_idle_log_asks_the_outbox_and_little_else(places: Path) -> None:
    with paced(1.0) as pace:
        until((places / "log/checkpoint").exists, pace)
        time.sleep(1.01)
        pace.step(time.monotonic())
        with CaptureQueriesContext(connection) as queries:
            for _ in range(3):
                pace.step(time.monotonic())
    assert not [query for query in queries if "audit_outbox" not in query["sql"]]


def test_the_last_entries_are_published_before_the_process_ends(places: Path, write: Write) -> None:
    is_over = iter([False, True])
    with paced(60) as pace:
        pace.step(time.monotonic())
        write()
        pace.wake.wait = lambda *_: True  # type: ignore[method-assign] # no minute's wait.
        pace.run(lambda: next(is_over))
    assert head(places)[0] == 2


def test_the_delays_of_many_shy_entries_are_drawn_in_one_statement(
    places: Path, settings: Settings, write: Write
) -> None:
    settings.REMIT_LOG_DELAY_SECONDS = 3600
    for _ in range(40):
        journal.append_now(min(SHY), actor=Actor.system("test"))
    with CaptureQueriesContext(connection) as queries:
        outbox.draw_delays()
    assert len([query for query in queries if "UPDATE" in query["sql"]]) == 1
    times = {row.not_before for row in Outbox.objects.all()}
    assert None not in times
    assert len(times) == 40


def test_parts_go_once_their_tile_is_full_and_nobody_reads_them(
    places: Path, write_many: Many, time_machine: Callable[..., None]
) -> None:
    for count in (100, 100, 100):
        write_many(count)
        with sequencer.opened() as log:
            log.turn()
    log_dir = places / "log"
    parts = [log_dir / "tile/entries/000.p", log_dir / "tile/0/000.p"]
    later = timezone.now() + pruning.GRACE

    def prune(moment: object) -> None:
        with sequencer.opened() as log:
            log.turn()
            log.publish()
            time_machine(moment)
            log.prune()

    prune(later - timedelta(minutes=1))
    assert all(part.is_dir() for part in parts)
    prune(later + timedelta(minutes=1))
    assert not any(part.exists() for part in parts)
    # The tile that is not full yet keeps every part: each published size stays servable.
    assert (log_dir / "tile/0/001.p/45").exists()
    assert scan(places) == 301
