"""One installation's life around a restore, a step a process; prints what the test needs as JSON.

    python -m tests.governance.rights.restored_installation record|end|look

mira has herself erased, carla ends one of two purposes of a cell: both after the copies were made.
"""

import json
import sys
import time
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django must stand first.

from audit import sequencer  # noqa: E402
from audit.actors import Actor  # noqa: E402
from audit.errors import LogUnavailableError  # noqa: E402
from consent import selectors as consents  # noqa: E402
from consent.status import ConsentStatus  # noqa: E402
from governance.accounts.models import Person  # noqa: E402
from governance.capture import gate, intake  # noqa: E402
from governance.capture.errors import AccessDeniedError, RecordGoneError  # noqa: E402
from governance.capture.models import LiveFrame  # noqa: E402
from governance.jobs import services as jobs  # noqa: E402
from governance.rights import services  # noqa: E402
from governance.vault.errors import VaultError  # noqa: E402
from governance.vault.models import StoredKey  # noqa: E402
from tests import make  # noqa: E402

PEOPLE = ("mira", "carla")
CELLS = [(make.TRAIN, make.DESK, "pointer"), (make.IMPROVE, make.DESK, "pointer")]
_FORM = "0" * 64


def turn() -> None:
    """Let the log take in and sign what waits."""
    with sequencer.opened() as log:
        for _ in range(3):
            log.turn()


def record() -> dict[str, Any]:
    """Fill an empty installation."""
    for alias in ("default", "keys"):
        call_command("migrate", database=alias, verbosity=0)
    turn()
    house = make.house()
    for name in PEOPLE:
        make.decide(house, name, CELLS)
        agent = make.endpoint(house, name)
        events = make.events(
            time.time_ns(), {"app": make.DESK, "type": "mouse.move", "x": 1, "y": 2}
        )
        header, wire = make.sealed(agent, events, {(make.DESK, "pointer"): 1})
        intake.accept_batch(
            uploader=intake.Uploader(agent.device.id, agent.subject),
            idempotency_key=str(header["batch_id"]),
            wire=wire,
        )
    jobs.run_due()
    turn()
    return look()


def end() -> dict[str, Any]:
    """Have mira erased, and end one purpose of carla's."""
    mira, carla = (Person.objects.get(username=name) for name in PEOPLE)
    services.erase_everything(
        subject=mira.subject_key, actor=_actor(mira), language="en", form_digest=_FORM
    )
    services.choose(
        person_subject=carla.subject_key,
        choices=[services.Answer(*CELLS[0], ConsentStatus.WITHDRAWN)],
        actor=_actor(carla),
        language="en",
        form_digest=_FORM,
    )
    jobs.run_due()
    turn()
    return look()


def look() -> dict[str, Any]:
    """Say, for each person, which keys there are, what can be read and what is consented to."""
    return {name: _of(Person.objects.get(username=name)) for name in PEOPLE}


def _of(person: Person) -> dict[str, Any]:
    subject = person.subject_key
    keys = StoredKey.objects.filter(owner=subject, kind__in=["cell", "object"])
    return {
        "keys": keys.count(),
        "read": _read(person),
        "consents": len(consents.valid_cells(subject=subject)),
    }


def _read(person: Person) -> str:
    frames = LiveFrame.objects.filter(subject=person.subject_key)
    ids = list(frames.values_list("frame_id", flat=True))
    if not ids:
        return "nothing"
    try:
        with gate.open_records(actor=_actor(person), purpose="own-access", frames=ids) as records:
            return f"{sum(len(record.events) for record in records)} events"
    except (AccessDeniedError, LogUnavailableError, RecordGoneError, VaultError) as error:
        return type(error).__name__


def _actor(person: Person) -> Actor:
    return Actor(person.subject_key, "employee")


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"record": record, "end": end, "look": look}[sys.argv[1]]()))
