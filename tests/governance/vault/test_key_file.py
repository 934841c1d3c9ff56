"""The real key file, read as a thief or a backup would read it, across processes."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# One process learns Django; each step is a process forked from it, which ends with its step.
SCRIPT = """
import json, os, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connections, transaction
from governance.vault import epochs, keyring, port, sealing, shredding
from governance.vault.models import StoredKey
from audit.ids import uuid7

def seal(subject):
    return sealing.seal_frame(
        subject=subject, application="freight-desk", category="click", frame_id=uuid7(),
        policy_version="freight-desk@1", plaintext=b"plain",
    ).generation

def take(step, *words):
    if step == "make":
        call_command("migrate", database="keys", verbosity=0)
        sealed = port.SubjectKeys().of("carla")["carla"].seal(context=b"c", plaintext=b"words")
        generation = seal("mira")
        with transaction.atomic(using="keys"):  # Many pages, one wait for the disk.
            for number in range(300):
                keyring.obtain(keyring.Place("person", f"person-{number}"))
        return {"sealed": sealed.hex(), "generation": generation}
    if step == "rows":
        return {row.owner: [bytes(row.wrapped).hex(), epochs.unwrap(row).hex()]
                for row in StoredKey.objects.filter(owner__in=["mira", "carla"])}
    if step == "destroy":
        return {"keys": shredding.destroy_subject(subject="mira").keys}
    if step == "open":
        sealed = bytes.fromhex(words[0])
        opened = port.SubjectKeys().open(owner="carla", context=b"c", sealed=sealed)
        return {"opened": opened.decode(), "dead": shredding.is_destroyed(subject="mira")}
    if step == "rotate":
        return {"epoch": epochs.rotate()}

for line in sys.stdin:
    connections.close_all()
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == 0
    else:
        print(json.dumps(take(*line.split())), flush=True)
        connections.close_all()
        os._exit(0)
"""


class House:
    """One installation's key store, used by one process after another."""

    def __init__(self, var: Path) -> None:
        self.var = var
        # The file is SQLite's, whatever database the other tests run on.
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REMIT_KEYSTORE_URL", "REMIT_VAULT_DIR"}
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            env=inherited | {"REMIT_VAR": str(var)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> dict[str, object]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert isinstance(answer, dict)
        return answer

    def close(self) -> None:
        self._process.communicate(timeout=60)

    def bytes_on_disk(self) -> bytes:
        vault = self.var / "vault"
        return b"".join(path.read_bytes() for path in vault.rglob("*") if path.is_file())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with contextlib.closing(House(tmp_path)) as house:
        yield house


@pytest.mark.real
@pytest.mark.once
def test_a_destroyed_key_is_in_no_byte_of_the_store_and_the_rest_goes_on(house: House) -> None:
    made = house.run("make")
    rows = house.run("rows")
    mira, carla = rows["mira"], rows["carla"]
    assert isinstance(mira, list)
    assert isinstance(carla, list)
    before = house.bytes_on_disk()
    assert bytes.fromhex(mira[0]) in before, "The wrapped key lies in the file to begin with."
    assert bytes.fromhex(mira[1]) not in before, "The key itself never does."

    assert house.run("destroy") == {"keys": 1}

    after = house.bytes_on_disk()
    assert bytes.fromhex(mira[0]) not in after
    assert bytes.fromhex(mira[1]) not in after
    assert bytes.fromhex(carla[0]) in after
    opened = {"opened": "words", "dead": True}
    assert house.run("open", str(made["sealed"])) == opened
    assert house.run("rotate") == {"epoch": 2}
    assert bytes.fromhex(carla[0]) not in house.bytes_on_disk()
    assert house.run("open", str(made["sealed"])) == opened
