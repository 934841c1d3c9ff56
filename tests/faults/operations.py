"""What Remit does that may be cut short, each with what the world does next.

`prepare` makes the moment before, in a process of its own; `act` is what gets killed; `next` is
what happens then: a client asks again, beat comes round. Sweeper and worker always follow.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils import timezone

from consent import selectors as consents
from consent.status import ConsentStatus
from governance.accounts.models import Device
from governance.capture import expiry, gate, intake
from governance.capture.errors import AccessDeniedError, RecordGoneError
from governance.capture.models import LiveFrame
from governance.jobs import services as jobs
from governance.jobs.clock import database_now
from governance.jobs.models import Job, JobState
from governance.releases import services as releases
from governance.rights import renewal
from governance.rights import services as rights
from governance.vault import seal_keys
from remit_agent import signing
from tests import make
from tests.faults.history import History
from tests.faults.probes import PROBE

PEOPLE = ("mira", "tariq", "carla")
LEAVES: Mapping[str, list[dict[str, object]]] = {
    "pointer": [{"type": "mouse.move", "x": 11, "y": 12}],
    "click": [
        {"type": "mouse.down", "x": 40, "y": 50, "button": "left", "element_role": "button"},
        {"type": "mouse.up", "x": 40, "y": 50, "button": "left"},
    ],
}
BATCHES = "/api/v1/agent/capture-batches"
SEALED = "application/vnd.remit.sealed-batch.v1"
FORM = "0" * 64
Facts = dict[str, Any]


@dataclass(slots=True)
class World:
    """Nordhafen with three contributors; plain data, so that a child can hand on what it made."""

    house: make.House
    devices: dict[str, UUID] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)
    sequence: dict[str, int] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)

    def subject(self, name: str) -> str:
        return self.house.subject(name)

    def endpoint(self, name: str) -> make.Endpoint:
        """Return the person's device, at its place in a session of its own."""
        key = Ed25519PrivateKey.from_private_bytes(self.keys[name])
        return make.Endpoint(Device.objects.get(id=self.devices[name]), key)

    def copy(self) -> "World":
        return replace(self, facts=dict(self.facts))


def base() -> World:
    """Build the house; every contributor has records in two cells, all of them in a release."""
    world = World(make.house())
    for name in PEOPLE:
        decide(world, name, ConsentStatus.GIVEN)
        endpoint = make.endpoint(world.house, name)
        world.devices[name] = endpoint.device.id
        world.keys[name] = endpoint.key.private_bytes_raw()
        for _ in range(2):
            assert upload(endpoint, *batch(endpoint)).status_code == 202
    settle()
    order_release(world)
    settle()
    return world


def decide(world: World, name: str, status: ConsentStatus, *categories: str) -> None:
    notice = consents.current_notice(purpose=make.TRAIN, language="en")
    assert notice is not None
    rights.choose(
        person_subject=world.subject(name),
        choices=[
            rights.Answer(make.TRAIN, make.DESK, category, status, notice.reference)
            for category in categories or LEAVES
        ],
        actor=world.house.actor(name),
        language="en",
        form_digest=FORM,
    )


def batch(endpoint: make.Endpoint) -> tuple[dict[str, object], bytes]:
    lines = [{"app": make.DESK, **leaf} for kind in LEAVES for leaf in LEAVES[kind]]
    numbered = [
        event | {"seq": endpoint.next_seq + number}
        for number, event in enumerate(make.events(time.time_ns(), *lines))
    ]
    cells = {(make.DESK, kind): len(LEAVES[kind]) for kind in LEAVES}
    return make.sealed(endpoint, numbered, cells)


def accept(endpoint: make.Endpoint, header: Mapping[str, object], wire: bytes) -> None:
    intake.accept_batch(
        uploader=intake.Uploader(endpoint.device.id, endpoint.subject),
        idempotency_key=str(header["batch_id"]),
        wire=wire,
    )


def upload(endpoint: make.Endpoint, header: Mapping[str, object], wire: bytes) -> Any:
    """Send a batch through the whole web tier, signed as an agent signs."""
    headers = {"Content-Type": SEALED, "Idempotency-Key": f'"{header["batch_id"]}"'}
    headers |= signing.sign_request(
        target=signing.Target(method="POST", uri=settings.REMIT_EXTERNAL_ORIGIN + BATCHES),
        headers=headers,
        body=wire,
        signer=signing.DeviceSigner(str(endpoint.device.id), endpoint.key),
        now_s=int(time.time()),
    )
    kind = headers.pop("Content-Type")
    return Client().generic("POST", BATCHES, wire, content_type=kind, headers=headers)


def order_release(world: World) -> UUID:
    asked = releases.request_access(
        wish=releases.Wish(make.TRAIN, [make.DESK], list(LEAVES), "To train the desk agent."),
        actor=world.house.jonas,
    )
    releases.approve(request_id=asked.id, actor=world.house.ines)
    releases.approve(request_id=asked.id, actor=world.house.lea)
    return asked.id


def settle() -> None:
    """Let sweeper and worker do what is due."""
    while jobs.run_due():
        pass


def recover() -> None:
    """Let leases run out and pauses end, and let a worker do what is due, until nothing is."""
    for _ in range(12):
        all_due()
        settle()
        if not Job.objects.filter(state__in=[JobState.READY, JobState.LEASED]).exists():
            return


def all_due() -> None:
    """Let the time pass that leases and pauses last."""
    past = database_now() - timedelta(seconds=1)
    Job.objects.filter(state=JobState.READY).update(run_at=past)
    Job.objects.filter(state=JobState.LEASED).update(leased_until=past)


def live(world: World, name: str) -> list[UUID]:
    rows = LiveFrame.objects.filter(subject=world.subject(name)).order_by("frame_id")
    return list(rows.values_list("frame_id", flat=True))


Step = Callable[[World, History], None]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that may be cut short."""

    name: str
    prepare: Callable[[World], None]
    act: Step
    next: Step
    # The clock brings it round again, whoever died.
    comes_round: bool = False


# Intake.


def _seal_a_batch(world: World) -> None:
    endpoint = world.endpoint("mira")
    world.facts["header"], world.facts["wire"] = batch(endpoint)


def _upload(world: World, history: History) -> None:
    endpoint, header = world.endpoint("mira"), world.facts["header"]
    answer = upload(endpoint, header, world.facts["wire"])
    digest = endpoint.last_digest or _digest(world.facts["wire"])
    phase = "acked" if answer.status_code == 202 else "refused"
    facts = {"batch": header["batch_id"], "digest": digest, "status": answer.status_code}
    if phase == "acked":
        facts["entry"] = answer.json()["entry"]
    history.add("upload", phase, **facts)


def _digest(wire: bytes) -> str:
    return hashlib.sha256(wire).hexdigest()


# Redaction.


def _queue_batches(world: World) -> None:
    endpoint = world.endpoint("mira")
    for _ in range(2):
        accept(endpoint, *batch(endpoint))


def _work(world: World, history: History) -> None:
    settle()


def _nothing(world: World, history: History) -> None:
    """Nobody asks again: the sweeper comes."""


# Ends.


def _withdraw(world: World, history: History) -> None:
    decide(world, "mira", ConsentStatus.WITHDRAWN, "pointer")
    history.add(
        "withdraw",
        subject=world.subject("mira"),
        purpose=make.TRAIN,
        application=make.DESK,
        category="pointer",
    )
    settle()


def _erase(world: World, history: History) -> None:
    subject = world.subject("mira")
    rights.erase_everything(
        subject=subject, actor=world.house.actor("mira"), language="en", form_digest=FORM
    )
    history.add("erase", subject=subject)
    settle()


def _choose_frame(world: World) -> None:
    world.facts["frame"] = live(world, "mira")[0]


def _delete_one(world: World, history: History) -> None:
    try:
        rights.delete_capture(
            subject=world.subject("mira"),
            frames=[world.facts["frame"]],
            actor=world.house.actor("mira"),
        )
    except RecordGoneError:
        history.add("delete", "refused")
    else:
        history.add("delete", frame=world.facts["frame"])
    settle()


def _forget(world: World, history: History) -> None:
    rights.forget(subject=world.subject("mira"), last_minutes=15, actor=world.house.actor("mira"))
    history.add("forget", subject=world.subject("mira"))
    settle()


# Clockwork.


def _rotate_twice(world: World) -> None:
    _queue_batches(world)
    for hours in (40, 15):
        renewal.renew(now=database_now() - timedelta(hours=hours))


def _rotate(world: World, history: History) -> None:
    renewal.renew()
    history.add("rotate")


def _retire_two_seal_keys(world: World) -> None:
    """Let batches wait that are sealed to the first; the second was offered and never used."""
    _queue_batches(world)
    used = seal_keys.rotate().key_id
    seal_keys.rotate()
    world.facts["needless"], world.facts["needed"] = used, seal_keys.retired()[0]


def _end_seal_keys(world: World, history: History) -> None:
    renewal.end_seal_keys(now=timezone.now() + timedelta(hours=26))
    history.add("end seal keys", gone=world.facts["needless"], left=world.facts["needed"])


def _expire(world: World, history: History) -> None:
    expiry.expire_due(now=timezone.now() + timedelta(days=make.DAYS + 1))
    history.add("expire")


# A job with no effect but one entry: nothing else in the database would refuse a second one.


def _queue_probes(world: World) -> None:
    with transaction.atomic():
        for number in range(3):
            jobs.add(kind=PROBE, ref=str(number))


def _second_worker(world: World, history: History) -> None:
    """The lease of the one that stalls runs out, and another one takes over."""
    recover()


# Releases, exports, reads.


def _order(world: World) -> None:
    order_release(world)


def _refuse_before(world: World, history: History) -> None:
    """Two of three contributors say no: too few remain to hide among."""
    for name in ("tariq", "carla"):
        decide(world, name, ConsentStatus.WITHDRAWN)


def _order_export(world: World) -> None:
    rights.export(subject=world.subject("mira"), actor=world.house.actor("mira"))


def _read(world: World, history: History) -> None:
    try:
        with gate.open_own(actor=world.house.actor("mira"), frame=world.facts["frame"]) as record:
            history.add("read", "got", purpose="own-access", events=len(record.events))
    except (RecordGoneError, AccessDeniedError):
        history.add("read", "refused")


OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation("intake", _seal_a_batch, _upload, _upload),
        Operation("redaction", _queue_batches, _work, _nothing),
        Operation("withdrawal", _queue_batches, _withdraw, _withdraw),
        Operation("erasure", _queue_batches, _erase, _erase),
        Operation("deletion", _choose_frame, _delete_one, _nothing),
        Operation("forgetting", _queue_batches, _forget, _nothing),
        Operation("rotation", _rotate_twice, _rotate, _rotate, comes_round=True),
        Operation(
            "seal keys", _retire_two_seal_keys, _end_seal_keys, _end_seal_keys, comes_round=True
        ),
        Operation("expiry", lambda _: None, _expire, _expire, comes_round=True),
        Operation("release", _order, _work, _nothing),
        Operation("export", _order_export, _work, _nothing),
        Operation("read", _choose_frame, _read, _nothing),
        Operation("work", _queue_probes, _work, _nothing),
    )
}

# What is struck at each of its statements, COMMITs and file effects.
FLOWS = frozenset({"intake", "redaction", "erasure", "rotation", "expiry"})

# An operation that stops at each of its points while somebody else does something.
MEETINGS: Mapping[str, tuple[Operation, Step]] = {
    f"{operation} while {words}": (OPERATIONS[operation], meanwhile)
    for operation, words, meanwhile in (
        ("intake", "consent is withdrawn", _withdraw),
        ("intake", "the person is erased", _erase),
        ("redaction", "consent is withdrawn", _withdraw),
        ("redaction", "the person is erased", _erase),
        ("redaction", "the last minutes are forgotten", _forget),
        ("redaction", "a second worker takes over", _second_worker),
        ("work", "a second worker takes over", _second_worker),
        ("release", "consent is withdrawn", _withdraw),
        ("release", "others withdraw", _refuse_before),
        ("export", "the person is erased", _erase),
        ("withdrawal", "the keys are rotated", _rotate),
        ("deletion", "the last minutes are forgotten", _forget),
    )
}
