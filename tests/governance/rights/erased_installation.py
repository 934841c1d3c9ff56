"""One installation's life, a step a process: mira records, takes her copies home, has it erased.

    python -m tests.governance.rights.erased_installation record|erase|nights FOLDER

Run with the settings of an installation in the environment; prints what the test needs as JSON.
carla records too and stays. Of both a sealed original waits when the copies are made.
"""

import contextlib
import json
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402

import consent.receipt  # noqa: E402
from audit import own, ports, sequencer  # noqa: E402
from audit.models import Disclosure, SubjectIndex  # noqa: E402
from governance.accounts.models import Person  # noqa: E402
from governance.capture import gate, intake  # noqa: E402
from governance.capture.errors import AccessDeniedError  # noqa: E402
from governance.capture.models import LiveFrame  # noqa: E402
from governance.jobs import services as jobs  # noqa: E402
from governance.jobs.clock import database_now  # noqa: E402
from governance.rights import exports, renewal, selectors, services, takeaway  # noqa: E402
from governance.rights.states import ErasureState  # noqa: E402
from governance.vault import epochs  # noqa: E402
from governance.vault.models import StoredKey  # noqa: E402
from tests import make  # noqa: E402
from tests.infrastructure import laid  # noqa: E402

# Where each pointed: what was stored, and what still waits sealed. No such number occurs by chance.
PLACES = {"mira": (1357.2468013579, 2468.3579124681), "carla": (1579.468023580, 2680.579134692)}
NIGHTS = 3


def turn() -> None:
    """Let the log take in and sign what waits."""
    with sequencer.opened() as log:
        for _ in range(3):
            log.turn()


def record(home: Path) -> dict[str, Any]:
    """Fill an empty installation with mira's data, and her folder with what she may keep."""
    laid.lay()
    turn()
    house = make.house()
    subject, actor = house.subject("mira"), house.actor("mira")
    act = make.decide(house, "mira", [(make.TRAIN, make.DESK, "pointer")])
    make.decide(house, "carla", [(make.TRAIN, make.DESK, "pointer")])
    agents = {name: make.endpoint(house, name) for name in PLACES}
    for name, (place, _) in PLACES.items():
        _capture(agents[name], place)
    jobs.run_due()
    for asker, purpose in ((actor, "own-access"), (house.jonas, make.TRAIN)):
        with contextlib.suppress(AccessDeniedError):
            gate.list_frames(
                actor=asker, purpose=purpose, filters=gate.FrameFilter(subject=subject)
            )
    turn()
    frame = LiveFrame.objects.filter(subject=subject).values_list("frame_id", flat=True)[0]
    services.report_miss(subject=subject, frame=frame, text="Ottilie", actor=actor)
    services.export(subject=subject, actor=actor)
    jobs.run_due()
    turn()
    with exports.open_archive(subject=subject, actor=actor) as archive:
        (home / "copy.zip").write_bytes(archive)
    taken = takeaway.take(subject=subject, actor=actor)
    (home / "my-log-key.zip").write_bytes(takeaway.archive(taken, subject=subject))
    (home / "tag-key.txt").write_text(taken.key)
    (home / "disclosures.json").write_text(json.dumps(taken.disclosures))
    receipt = consent.receipt.receipt_document(subject=subject, receipt_id=act.receipt_id)
    (home / "receipt.json").write_text(json.dumps(receipt))
    kept = own.proofs_of(subject=subject)
    for number, (head, text) in enumerate(kept.proofs):
        (home / f"{number}.tlog-proof").write_text(f"{text}\n{kept.heads[head]}")
    for name, (_, place) in PLACES.items():
        _capture(agents[name], place)
    return _secrets(subject, taken) | {"known": _known(house)}


def _capture(agent: make.Endpoint, place: float) -> None:
    line = {"app": make.DESK, "type": "mouse.move", "x": place, "y": 2}
    events = [event | {"seq": agent.next_seq} for event in make.events(time.time_ns(), line)]
    header, wire = make.sealed(agent, events, {(make.DESK, "pointer"): 1})
    intake.accept_batch(
        uploader=intake.Uploader(agent.device.id, agent.subject),
        idempotency_key=str(header["batch_id"]),
        wire=wire,
    )


def _known(house: make.House) -> dict[str, dict[str, str]]:
    """Return what a thief would be after: every key of both, and what both did, by whose it is."""
    secrets = {
        epochs.unwrap(row).hex(): f"{name}: {row.kind}"
        for name in PLACES
        for row in StoredKey.objects.filter(owner=house.subject(name))
    }
    words: dict[str, str] = {}
    for name, (stored, waiting) in PLACES.items():
        words |= {str(stored): f"{name}: stored", str(waiting): f"{name}: waiting"}
    return {"secrets": secrets, "words": words}


def _secrets(subject: str, taken: takeaway.LogKey) -> dict[str, Any]:
    """Return, in hex, whatever must be gone afterwards."""
    entries = SubjectIndex.objects.filter(token=ports.keys().token(owner=subject))
    sealed = Disclosure.objects.filter(entry_id__in=entries.values("entry_id"))
    return {
        "disclosures": taken.disclosures,
        "tag key": own.tag_key(subject=subject).hex(),
        "token": ports.keys().token(owner=subject),
        "sealed": [bytes(row.sealed).hex() for row in sealed],
        "wrapped": [bytes(row.wrapped).hex() for row in StoredKey.objects.filter(owner=subject)],
    }


def erase(home: Path) -> dict[str, Any]:
    """Have mira erased, and say what the tables still know of her."""
    del home
    turn()  # Or what waits would wait on for a log that nobody tends, and its key stay for it.
    mira = Person.objects.get(username="mira")
    house = make.House({"mira": mira})
    order = services.erase_everything(
        subject=mira.subject_key, actor=house.actor("mira"), language="en", form_digest="0" * 64
    )
    for _ in range(20):
        jobs.run_due()
        if selectors.erasure_state(order) is ErasureState.COMPLETED:
            break
        time.sleep(0.5)
    turn()
    return {
        "state": selectors.erasure_state(order).value,
        "own": len(own.proofs_of(subject=mira.subject_key).proofs),
        "keys": StoredKey.objects.filter(owner=mira.subject_key).count(),
        "tokens": list(SubjectIndex.objects.values_list("token", flat=True)),
        "named": _naming(mira.subject_key),
    }


def _naming(subject: str) -> list[str]:
    """Return the tables in some row of which a person's key stands."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            if any(subject in str(row) for row in cursor.fetchall()):
                found.append(table)
    return sorted(found)


def nights(home: Path) -> dict[str, Any]:
    """Let the nights pass after which no copy opens, as the certificate says."""
    del home
    for night in range(NIGHTS):
        renewal.renew(now=database_now() + timedelta(days=night))
    turn()
    return {}


if __name__ == "__main__":
    steps = {"record": record, "erase": erase, "nights": nights}
    sys.stdout.write(json.dumps(steps[sys.argv[1]](Path(sys.argv[2]))))
