"""One installation's life for test_planted, a step a process: `send`, then `look` until it is done.

    python -m tests.governance.capture.planted_installation send|look FOLDER

`look` writes whatever anybody can see of mira's upload into FOLDER, and prints what was counted.
"""

import hashlib
import io
import json
import struct
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django must stand first.
from django.test import Client  # noqa: E402

from audit import sequencer  # noqa: E402
from consent import services as consent  # noqa: E402
from governance.accounts.models import Person  # noqa: E402
from governance.capture import agent_policy, content, gate  # noqa: E402
from governance.capture.models import BatchOutcome, LiveFrame  # noqa: E402
from governance.jobs import services as jobs  # noqa: E402
from governance.policies import services as policies  # noqa: E402
from governance.policies.categories import Category  # noqa: E402
from governance.rights import services as rights  # noqa: E402
from tests import make  # noqa: E402
from tests.faults import operations  # noqa: E402
from tests.governance.capture import planted_leaves as leaves  # noqa: E402
from tests.governance.capture.planted_screen import drawn  # noqa: E402
from tests.infrastructure import laid  # noqa: E402

PATIENCE_SECONDS = 60


def turn() -> None:
    """Let the log show a sign of life, or it closes half a minute after the last one."""
    with sequencer.opened() as log:
        log.turn()


def send(folder: Path) -> dict[str, Any]:
    """Lay an installation in which mira allows everything, and upload a batch for her."""
    laid.lay()
    call_command("collectstatic", interactive=False, verbosity=0)
    turn()
    house = make.house()
    policies.set_retention(
        application=make.DESK, days=dict.fromkeys(Category, make.DAYS), actor=house.ines
    )
    for purpose in make.PURPOSES:
        texts = {language: make.notice(purpose, Category) for language in ("en", "de", "fr")}
        consent.publish_notice(purpose=purpose, texts=texts, actor=house.ines)
    make.activate(house, make.policy_content(make.DESK, tuple(Category)))
    make.decide(house, "mira", [(make.TRAIN, make.DESK, kind.value) for kind in Category])
    agent = make.endpoint(house, "mira")
    picture = drawn()
    policy = make._payload(
        agent_policy.current(device_id=agent.device.id, subject=agent.subject).envelope
    )
    lines = leaves.batch(make.DESK, picture, hashlib.sha256(policy).hexdigest())
    numbered = make.events(time.time_ns(), *lines)
    cells = {(make.DESK, kind.value): 1 for kind in Category}
    cells[make.DESK, Category.KEYSTROKE_TEXT.value] += len(lines) - len(cells)
    behind = b"\0" + struct.pack(">I", len(picture)) + picture
    body = b"\n".join(json.dumps(line).encode() for line in numbered) + behind
    header, sealed = make.sealed(agent, numbered, cells, plaintext=content.pack([body]))
    answer = operations.upload(agent, header, sealed)
    assert answer.status_code == 202, answer.content
    return {"sent": len(lines)}


def look(folder: Path) -> dict[str, Any]:
    """Wait for the worker; then write down all that the owner of the data can come by."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not BatchOutcome.objects.exists() and time.monotonic() < deadline:
        turn()
        time.sleep(0.1)
    turn()
    outcome = BatchOutcome.objects.get()
    subject = Person.objects.get(username="mira").subject_key
    actor = make.House({"mira": Person.objects.get(username="mira")}).actor("mira")
    ids = list(LiveFrame.objects.filter(subject=subject).values_list("frame_id", flat=True))
    client = Client()
    client.login(username="mira", password="demo")
    with gate.open_records(actor=actor, purpose="own-access", frames=ids) as records:
        opened = [event for record in records for event in record.events]
        removed = sorted({kind for one in records for kind in one.frame.redaction["removed"]})  # type: ignore[attr-defined]
    (folder / "opened.jsonl").write_text("\n".join(map(json.dumps, opened)))
    for frame in ids:
        for name, path in (
            ("page", f"/data/event/{frame}/"),
            ("api", f"/api/v1/me/captures/{frame}"),
        ):
            answer = client.get(path)
            assert answer.status_code == 200, path
            (folder / f"{name}-{frame}").write_bytes(answer.content)
    rights.export(subject=subject, actor=actor)
    answer = client.post("/requests/copy.zip")
    while answer.status_code != 200 and time.monotonic() < deadline:
        jobs.run_due()
        answer = client.post("/requests/copy.zip")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    archive.extractall(folder / "export")
    return {
        "state": outcome.state,
        "accepted": outcome.accepted,
        "refused": outcome.refused,
        "redacted": outcome.redacted,
        "removed": removed,
        "types": sorted({str(event["type"]) for event in opened}),
    }


if __name__ == "__main__":
    steps = {"send": send, "look": look}
    sys.stdout.write(json.dumps(steps[sys.argv[1]](Path(sys.argv[2]))))
