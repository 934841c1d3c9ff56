"""Seals batches that hold a canary: python -m tests.leaks.aside FOLDER PERSON CANARY FORM ...

Prints one JSON object a line, as tests.faults.aside does. Forms: "bid:..." is text for the hooks;
"large" does not fit into a row; the others are content that a worker must refuse.
"""

import json
import pickle
import sys
import time
from pathlib import Path

import django

django.setup()

from consent.status import ConsentStatus  # noqa: E402 - Django must stand first.
from governance.capture import content  # noqa: E402
from tests import make  # noqa: E402
from tests.faults import operations  # noqa: E402

CELL = (make.DESK, "keystroke-text")


def main(folder: str, name: str, canary: str, *forms: str) -> None:
    """Print a batch of each form."""
    world: operations.World = pickle.loads((Path(folder) / "world").read_bytes())
    operations.decide(world, name, ConsentStatus.GIVEN, "keystroke-text")
    for form in forms:
        agent = world.endpoint(name)
        lines = _lines(canary, form)
        plaintext = b"{" + canary.encode() if form == "garbage" else None
        if form == "no JSON":
            plaintext = content.pack([json.dumps(canary).encode()[:-1]])
        header, wire = make.sealed(agent, lines, {CELL: len(lines)}, plaintext=plaintext)
        told = {
            "batch": header["batch_id"],
            "device": str(agent.device.id),
            "key": agent.key.private_bytes_raw().hex(),
            "wire": wire.hex(),
            "digest": agent.last_digest,
        }
        sys.stdout.write(json.dumps(told) + "\n")


def _lines(canary: str, form: str) -> list[dict[str, object]]:
    text: dict[str, object] = {
        "app": make.DESK,
        "type": "text.input",
        "field": "note",
        "field_role": "textbox",
        "text": f"{canary} {form}",
    }
    wrong: dict[str, dict[str, object]] = {
        "unknown field": {canary: canary},
        "unknown type": {"type": canary},
        "elsewhere": {"app": "private-" + canary},
        "wrong kind": {"seq": canary},
        "wrong role": {"field_role": canary},
    }
    count = 400 if form == "large" else 1
    # No two alike, or they would shrink to a row's size.
    many = [text | {"text": f"{canary} {number} {time.time_ns():x}"} for number in range(count)]
    lines = many if form == "large" else [text]
    return [event | wrong.get(form, {}) for event in make.events(time.time_ns(), *lines)]


if __name__ == "__main__":
    main(*sys.argv[1:])
