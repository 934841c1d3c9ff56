"""The real key file, read as a thief or a backup would read it, across processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys
import django
django.setup()
from django.core.management import call_command
from django.db import transaction
from governance.vault import epochs, keyring, port, sealing, shredding
from governance.vault.models import StoredKey
from audit.ids import uuid7

def seal(subject):
    return sealing.seal_frame(
        subject=subject, application="freight-desk", category="click", frame_id=uuid7(),
        policy_version="freight-desk@1", plaintext=b"plain",
    ).generation

step = sys.argv[1]
if step == "make":
    call_command("migrate", database="keys", verbosity=0)
    print(json.dumps({"sealed": port.SubjectKeys().of("carla")["carla"].seal(
        context=b"c", plaintext=b"words").hex(), "generation": seal("mira")}))
    with transaction.atomic(using="keys"):  # Many pages, one wait for the disk.
        for number in range(300):
            keyring.obtain(keyring.Place("person", f"person-{number}"))
if step == "rows":
    print(json.dumps({row.owner: [bytes(row.wrapped).hex(), epochs.unwrap(row).hex()]
                      for row in StoredKey.objects.filter(owner__in=["mira", "carla"])}))
if step == "destroy":
    print(json.dumps({"keys": shredding.destroy_subject(subject="mira").keys}))
if step == "open":
    opened = port.SubjectKeys().open(owner="carla", context=b"c", sealed=bytes.fromhex(sys.argv[2]))
    print(json.dumps({"opened": opened.decode(), "dead": shredding.is_destroyed(subject="mira")}))
if step == "rotate":
    print(json.dumps({"epoch": epochs.rotate()}))
"""


class House:
    """One installation's key store, used by one process after another."""

    def __init__(self, var: Path) -> None:
        self.var = var

    def run(self, *arguments: str) -> dict[str, object]:
        # The file is SQLite's, whatever database the other tests run on.
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REMIT_KEYSTORE_URL", "REMIT_VAULT_DIR"}
        }
        environment = inherited | {
            "REMIT_VAR": str(self.var),
            "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
        }
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict)
        return answer

    def bytes_on_disk(self) -> bytes:
        vault = self.var / "vault"
        return b"".join(path.read_bytes() for path in vault.rglob("*") if path.is_file())


@pytest.mark.real
@pytest.mark.once
def test_a_destroyed_key_is_in_no_byte_of_the_store_and_the_rest_goes_on(tmp_path: Path) -> None:
    house = House(tmp_path)
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
