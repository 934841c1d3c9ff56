"""An honest log raises no alarm, in whatever order acts, turns, restarts and witnesses come."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import Settings

from audit import checkpoint, inspection, journal, quorum, sequencer
from audit.actions import Action
from audit.actors import Actor
from audit.models import Entry, Leaf, Outbox, TreeState
from audit.pace import Pace
from audit.verifier.checkpoint import Trust, accept
from audit.verifier.keys import parse_vkeys
from audit.verifier.monitor import Limits, Monitor
from audit.verifier.policy import parse_policy
from audit.verifier.source import open_source
from audit.witness import Answer, Server, Witness
from tests.audit.test_sequencer import scan

pytestmark = pytest.mark.django_db

KINDS = [action for action in Action if not action.startswith("log:")]
NAME = "witness.test.example/one"


class Moody(Witness):
    """A witness that answers, is slow, or is away."""

    wait_seconds = 0.0
    is_away = False

    def add_checkpoint(self, data: bytes) -> Answer:
        time.sleep(self.wait_seconds)
        if self.is_away:
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE)
        return super().add_checkpoint(data)


@contextmanager
def witnessed(places: Path) -> Iterator[Moody]:
    """Run a registered witness on a thread of its own."""
    where = places / "witness"
    key = checkpoint.witness_key(where, name=NAME)
    witness = Moody(where=where, key=key, logs=quorum.ensure().logs)
    server = Server(("127.0.0.1", 0), witness)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        quorum.register(key.public, url=f"http://127.0.0.1:{server.server_address[1]}/")
        yield witness
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Life:
    """What may happen to an honest log, one thing after another."""

    def __init__(self, rng: random.Random, places: Path, witness: Moody) -> None:
        self.rng = rng
        self.places = places
        self.witness = witness
        self.people = sorted(str(uuid4()) for _ in range(4))
        self.actor = Actor(str(uuid4()), "data_requester")

    def acts(self) -> None:
        for _ in range(self.rng.choice((1, 3, 9))):
            subject = self.rng.choice([*self.people, None])
            journal.append_now(self.rng.choice(KINDS), actor=self.actor, subject=subject)

    def crowd(self) -> None:
        about: list[journal.Facts] = [
            {"actor": self.actor, "subject": person} for person in self.people
        ]
        facts = [self.rng.choice(about) for _ in range(self.rng.choice((40, 120, 250)))]
        journal.append_all(self.rng.choice(KINDS), facts)

    def turn(self) -> None:
        with sequencer.opened() as log:
            for _ in range(self.rng.choice((1, 2))):
                log.turn()

    def run(self) -> None:
        """Go on as the process does, acts coming in between."""
        with sequencer.opened() as log:
            pace = Pace(log, 0.02)
            log.begin()
            for _ in range(self.rng.choice((2, 5))):
                self.acts()
                pace.step(time.monotonic())
                time.sleep(self.rng.choice((0, 0.02)))

    def crash(self) -> None:
        """Sequence and sign, then stop as if killed."""
        with sequencer.opened() as log:
            log.begin()
            log.sequence(limit=self.rng.choice((1, 4096)))
            if self.rng.random() < 0.5:
                log.circulate()

    def time_passes(self) -> None:
        TreeState.objects.update(published_at=timezone.now() - timedelta(minutes=11))
        Outbox.objects.exclude(not_before=None).update(not_before=Now())

    def mood(self) -> None:
        self.witness.wait_seconds = self.rng.choice((0, 0, 0.05, 0.3))
        self.witness.is_away = self.rng.random() < 0.3

    def end(self) -> None:
        """Let everything reach the log, with a witness that answers."""
        self.witness.wait_seconds, self.witness.is_away = 0, False
        with sequencer.opened() as log:
            log.turn()
            self.time_passes()
            log.turn()


def look(places: Path, trust: Trust) -> int:
    """Let a monitor that remembers take its round."""
    source = open_source(str(places / "log"))
    watch = Monitor(
        source=source,
        trust=trust,
        state=places / "monitor",
        limits=Limits(longest_delay=7200.0, oldest_signature=86400.0, longest_silence=7200.0),
    )
    return watch.round().checkpoint.size


def live(life: Life, rng: random.Random) -> None:
    things: list[Callable[[], None]] = [
        *(life.acts, life.acts, life.crowd, life.turn, life.turn),
        *(life.run, life.crash, life.time_passes, life.mood),
    ]
    for _ in range(rng.choice((4, 8))):
        rng.choice(things)()
        if (life.places / "log/checkpoint").exists() and rng.random() < 0.3:
            keys = parse_vkeys((life.places / "log/vkeys").read_text())[:2]
            look(life.places, Trust(keys=tuple(keys)))


RUNS = [*range(20), *(pytest.param(run, marks=pytest.mark.soak) for run in range(20, 1020))]


@pytest.mark.parametrize("run", RUNS)
def test_an_honest_log_raises_no_alarm(places: Path, settings: Settings, run: int) -> None:
    settings.REMIT_LOG_DELAY_SECONDS = run % 2
    rng = random.Random(run)
    with witnessed(places) as witness:
        life = Life(rng, places, witness)
        live(life, rng)
        life.end()
        trust = Trust(policy=parse_policy((places / "log/policy").read_bytes()))
        assert accept((places / "log/checkpoint").read_bytes(), trust).witnesses
        size = Entry.objects.count()
        assert look(places, trust) == size == scan(places) == inspection.inspect()
    assert Leaf.objects.count() == size
    assert not Outbox.objects.exists()
    assert not TreeState.objects.get().halted
