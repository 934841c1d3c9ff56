"""One installation's life, copied twice on the way, and what is left of it after a restore.

    python -m tests.governance.rights.restored_installation live|restore

mira has herself erased, carla ends one of two purposes of a cell: both after the copies were made.
Prints what the test needs as JSON.
"""

import io
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import django

django.setup()

import psycopg  # noqa: E402 - Django must stand first.
from django.conf import settings  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.db import connections  # noqa: E402

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
from tests.infrastructure import laid  # noqa: E402

ALIASES = ("default", "keys")
PEOPLE = ("mira", "carla")
CELLS = [(make.TRAIN, make.DESK, "pointer"), (make.IMPROVE, make.DESK, "pointer")]
_FORM = "0" * 64


def turn() -> None:
    """Let the log take in and sign what waits."""
    with sequencer.opened() as log:
        for _ in range(3):
            log.turn()


def live() -> dict[str, Any]:
    """Fill an empty installation, copy it, fill it more, copy it again, and end things."""
    laid.lay()
    turn()
    house = make.house()
    agents = {name: make.endpoint(house, name) for name in PEOPLE}
    for name in PEOPLE:
        make.decide(house, name, CELLS)
    told = {}
    for moment in ("first", "second"):
        for agent in agents.values():
            _record(agent)
        jobs.run_due()
        turn()
        told[moment] = look()
        _copy(moment)
    _end()
    told["now"] = look()
    _copy("now")
    return told


def _record(agent: make.Endpoint) -> None:
    line = {"app": make.DESK, "type": "mouse.move", "x": 1, "y": 2}
    events = [event | {"seq": agent.next_seq} for event in make.events(time.time_ns(), line)]
    header, wire = make.sealed(agent, events, {(make.DESK, "pointer"): 1})
    intake.accept_batch(
        uploader=intake.Uploader(agent.device.id, agent.subject),
        idempotency_key=str(header["batch_id"]),
        wire=wire,
    )


def _copy(moment: str) -> None:
    """Copy both databases as they are now: files, or a database beside the database."""
    connections.close_all()
    for alias in ALIASES:
        place = connections[alias].settings_dict
        if connections[alias].vendor == "sqlite":
            # Closed in order, so that the file is whole without its log of writes.
            target = Path(settings.REMIT_VAR).with_name(moment)
            target.mkdir(exist_ok=True)
            shutil.copy(place["NAME"], target / alias)
            continue
        server = {"host": place["HOST"], "port": place["PORT"], "user": place["USER"]}
        with psycopg.connect(
            **server, password=place["PASSWORD"], dbname="postgres", autocommit=True
        ) as administrator:
            name = place["NAME"]
            administrator.execute(f"CREATE DATABASE {name}_{moment} TEMPLATE {name}".encode())


def _end() -> None:
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


def restore() -> dict[str, Any]:
    """Say what is there after a restore, what its check says, and what is there after it."""
    found = look()
    refused = _checked("--check")
    done = _checked()
    return {
        "found": found,
        "refused": refused,
        "done": done,
        "checked": _checked("--check"),
        "mended": look(),
    }


def _checked(*words: str) -> str:
    said = io.StringIO()
    try:
        call_command("restore_check", *words, stdout=said)
    except CommandError as error:
        return f"refused: {error}"
    return said.getvalue()


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
    sys.stdout.write(json.dumps({"live": live, "restore": restore}[sys.argv[1]]()))
