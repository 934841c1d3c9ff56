"""The steps of `aside`: lay tables, seat people, seal batches, act as one of them, judge."""

import base64
import json
import pickle
import sys
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from backports import zstd
from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from audit import health, sequencer
from audit.ids import uuid7
from audit.models import Leaf, Outbox
from consent.status import ConsentStatus
from governance.capture import cut_reads
from governance.jobs import services as jobs
from governance.jobs.clock import database_now
from governance.jobs.models import Job, JobState
from governance.rights import renewal
from governance.rights import services as rights
from governance.vault import orphans
from tests import make
from tests.faults import observing, operations, probes
from tests.faults.history import History
from tests.faults.invariants import check_invariants
from tests.faults.operations import World
from tests.infrastructure import laid

RERUN = {probes.PROBE, probes.SLOW, probes.SEGFAULT, probes.GLUTTON}


def _world(folder: Path) -> World:
    found: World = pickle.loads((folder / "world").read_bytes())
    return found


def lay(folder: Path) -> None:
    """Lay the tables, gather the pages' files, begin the log."""
    laid.lay()
    call_command("collectstatic", interactive=False, verbosity=0)
    with sequencer.opened() as log:
        log.turn()


def manage(folder: Path, *words: str) -> None:
    """Do what a command of `manage.py` does."""
    call_command(*words)


def seat(folder: Path, *people: str) -> None:
    """Make the house; the people named say yes and get a device each."""
    world = World(make.house())
    for name in people:
        operations.decide(world, name, ConsentStatus.GIVEN)
        endpoint = make.endpoint(world.house, name)
        world.devices[name] = endpoint.device.id
        world.keys[name] = endpoint.key.private_bytes_raw()
    (folder / "world").write_bytes(pickle.dumps(world))


def seal(folder: Path, name: str, count: str, form: str = "") -> None:
    """Print sealed batches, one JSON object a line, of a form: "bomb", "one session", "late"."""
    world = _world(folder)
    endpoint = world.endpoint(name)
    for _ in range(int(count)):
        if form != "one session":
            endpoint = world.endpoint(name)
        header, wire = _sealed(endpoint, form)
        line = {
            "batch": header["batch_id"],
            "device": str(endpoint.device.id),
            "key": endpoint.key.private_bytes_raw().hex(),
            "wire": wire.hex(),
            "digest": endpoint.last_digest,
        }
        sys.stdout.write(json.dumps(line) + "\n")


def _sealed(endpoint: make.Endpoint, form: str) -> tuple[dict[str, object], bytes]:
    if form == "bomb":
        bomb = zstd.compress(bytes(200_000_000))
        return make.sealed(endpoint, [], {(make.DESK, "pointer"): 1}, plaintext=bomb)
    if form == "late":
        then = uuid7().int - (30 * 86_400_000 << 80)
        return make.sealed(endpoint, [], {(make.DESK, "pointer"): 1}, batch_id=str(UUID(int=then)))
    return operations.batch(endpoint)


def act(folder: Path, what: str, name: str) -> None:
    """Do something as a person, or as the clock."""
    world, history = _world(folder), History(folder / "history.jsonl")
    subject, actor = world.subject(name), world.house.actor(name)
    if what == "withdraw":
        operations.decide(world, name, ConsentStatus.WITHDRAWN, "pointer")
        cell = {"application": make.DESK, "category": "pointer"}
        history.add("withdraw", subject=subject, purpose=make.TRAIN, **cell)
    elif what == "erase":
        rights.erase_everything(
            subject=subject, actor=actor, language="en", form_digest=operations.FORM
        )
        history.add("erase", subject=subject)
    elif what == "rotate":
        renewal.renew()
    elif what == "release":
        operations.order_release(world)
    elif what == "export":
        rights.export(subject=subject, actor=actor)


def work(folder: Path, kind: str, *refs: str) -> None:
    """Add jobs of a kind."""
    with transaction.atomic():
        for ref in refs:
            jobs.add(kind=kind, ref=ref)


def judge(folder: Path, sequenced: str = "") -> None:
    """Print every violation and the word "judged"; sequence first, unless there is who does."""
    history = History(folder / "history.jsonl")
    if sequenced:
        _wait_for_the_log(history)
    else:
        with sequencer.opened() as log:
            log.turn()
            history.add("checkpoint", size=log.size, root=log.root(log.size).hex())
    health.forget()

    def again() -> None:
        done = Job.objects.filter(state=JobState.DONE).exclude(kind__in=RERUN)
        done.update(state=JobState.READY, attempts=0)
        operations.settle()
        if sequenced:
            _wait_for_the_log(history)

    events = history.read()
    state = observing.observe(events, again=again, look_closely=True)
    for violation in check_invariants(events, state):
        sys.stdout.write(violation + "\n")
    sys.stdout.write("judged\n")


def _wait_for_the_log(history: History) -> None:
    """Wait until everything whose time has come stands under the published head; note it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        _, size, root, *_ = (Path(settings.REMIT_LOG_DIR) / "checkpoint").read_text().split("\n")
        due = Outbox.objects.exclude(not_before__gt=database_now())
        if not due.exists() and int(size) == Leaf.objects.count():
            history.add("checkpoint", size=int(size), root=base64.b64decode(root).hex())
            return
        time.sleep(0.1)
    raise TimeoutError("Nobody sequences.")


def close_cut_reads(folder: Path) -> None:
    """Close what was cut, as the sweep does a quarter of an hour later."""
    cut_reads.close(now=database_now() + cut_reads.GRACE)


def collect_orphans(folder: Path) -> None:
    """Remove what no row names, as beat's task does a day later; print how much it was."""
    sys.stdout.write(str(orphans.collect(now=database_now() + timedelta(hours=25))))


def send(folder: Path, name: str) -> None:
    """Ask a worker for what beat asks it for."""
    from governance.celery import app

    app.send_task(name)


def objects(folder: Path) -> None:
    """Print how many stored objects there are, and how many of them a row names."""
    there, wanted = observing._objects(), observing._wanted_objects()
    sys.stdout.write(f"{len(there)} {len(there & wanted)}")


def task(folder: Path, name: str) -> None:
    """Do what beat asks a worker for."""
    from governance.celery import app

    app.loader.import_default_modules()
    app.tasks[name]()
