"""A key store that was put back from an older copy opens nothing until its ledger was replayed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connections
from django.db.models import Model

from governance import authorizer
from governance.vault import keyring, ledger_file, sealing, shredding, standing
from governance.vault.errors import ConsentEndedError, KeyStoreBehindError, LedgerBrokenError
from governance.vault.keyring import Place
from governance.vault.models import CellGeneration, KeyKind, LedgerLine, StoredKey

pytestmark = pytest.mark.django_db(transaction=True)

MIRA, CARLA, TARIQ = str(uuid4()), str(uuid4()), str(uuid4())
CELL = {"application": "desk", "category": "click"}
TABLES: list[type[Model]] = [StoredKey, CellGeneration, LedgerLine]


@pytest.fixture(autouse=True)
def own_files(tmp_path: Path, settings: Any) -> Iterator[None]:
    settings.REMIT_VAULT_DIR = tmp_path / "vault"
    yield
    put_back({table: [] for table in TABLES})


def copy() -> dict[type[Model], list[Model]]:
    return {table: list(table._default_manager.all()) for table in TABLES}


def put_back(rows: dict[type[Model], list[Model]]) -> None:
    """Make the tables what they were, as a restored file is."""
    keys = connections["keys"]
    guards = (
        ["DROP TRIGGER {} ON vault_ledger", "vault_ledger_append_only"]
        if keys.vendor == "postgresql"
        else ["DROP TRIGGER {}", "vault_ledger_no_delete"]
    )
    lay = _definition(guards[1])
    with authorizer.lifted(keys), keys.cursor() as cursor:
        cursor.execute(guards[0].format(guards[1]))
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table._meta.db_table}")
        cursor.execute(lay)
        if keys.vendor == "postgresql":
            cursor.execute(f"ALTER TABLE vault_ledger ENABLE ALWAYS TRIGGER {guards[1]}")
    for table in TABLES:
        table._default_manager.bulk_create(rows[table])


def _definition(trigger: str) -> str:
    with connections["keys"].cursor() as cursor:
        cursor.execute(
            "SELECT sql FROM sqlite_master WHERE name = %s"
            if connections["keys"].vendor == "sqlite"
            else "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = %s",
            [trigger],
        )
        return str(cursor.fetchone()[0])


def seal(subject: str, category: str = "click") -> int:
    return sealing.seal_frame(
        subject=subject,
        application="desk",
        category=category,
        frame_id=uuid4(),
        policy_version="1",
        plaintext=b"{}",
    ).generation


def stands(subject: str, generation: int = 1, **changes: str) -> bool:
    scope = keyring.cell_scope(**(CELL | changes))
    return keyring.find(Place(KeyKind.CELL, subject, scope, generation)) is not None


def test_what_was_destroyed_since_the_copy_is_destroyed_again_and_nothing_else() -> None:
    for subject in (MIRA, CARLA):
        seal(subject)
        seal(subject, category="pointer")
    seal(TARIQ)
    for ref in ("r1", "r2"):
        sealing.seal_object(kind="release", ref=ref, subject=None, plaintext=b"x")
    older = copy()
    shredding.destroy_subject(subject=MIRA)
    shredding.destroy_cell(subject=CARLA, **CELL)
    shredding.advance_generation(subject=TARIQ, **CELL, past=1)
    shredding.destroy_generation(subject=TARIQ, **CELL, generation=1)
    shredding.destroy_object(kind="release", ref="r1")
    standing.end_consent(subject=TARIQ, consent_epoch=7)
    standing.require(owner=MIRA, consent_epoch=0)
    assert standing.replay() == 0

    put_back(older)
    assert stands(MIRA), "The copy brings everything back."
    with pytest.raises(KeyStoreBehindError):
        standing.require(owner=CARLA, consent_epoch=9)
    assert standing.replay() == 5
    assert standing.replay() == 0

    standing.require(owner=CARLA, consent_epoch=9)
    assert not StoredKey.objects.filter(owner=MIRA).exists()
    assert shredding.is_destroyed(subject=MIRA)
    assert (stands(CARLA), stands(CARLA, category="pointer")) == (False, True)
    assert not stands(TARIQ)
    assert (seal(CARLA), seal(TARIQ)) == (2, 2), "Nothing is sealed to a dead generation again."
    assert keyring.find_object(kind="release", ref="r1") is None
    assert keyring.find_object(kind="release", ref="r2") is not None
    with pytest.raises(ConsentEndedError):
        standing.require(owner=TARIQ, consent_epoch=6)
    standing.require(owner=TARIQ, consent_epoch=7)


def test_a_file_that_was_put_back_or_torn_is_brought_up_to_the_table() -> None:
    path = Path(settings.REMIT_VAULT_DIR) / "ledger"
    shredding.destroy_subject(subject=MIRA)
    older = path.read_bytes()
    shredding.destroy_subject(subject=CARLA)
    whole = path.read_bytes()
    for torn in (older, whole[:-7], b""):
        path.write_bytes(torn)
        assert standing.missing() == []
        assert path.read_bytes() == whole
    path.unlink()
    shredding.destroy_subject(subject=MIRA)
    assert path.read_bytes() == whole
    assert path.stat().st_mode & 0o777 == 0o600
    assert MIRA.encode() not in whole


@pytest.mark.parametrize("at", [0, 35, 45, 79, 85, 150])
def test_an_edited_ledger_is_refused(at: int) -> None:
    path = Path(settings.REMIT_VAULT_DIR) / "ledger"
    for subject in (MIRA, CARLA):
        shredding.destroy_subject(subject=subject)
    edited = bytearray(path.read_bytes())
    edited[at] ^= 1
    path.write_bytes(edited)
    for act in (ledger_file.read, standing.missing, standing.replay):
        with pytest.raises(LedgerBrokenError):
            act()


def test_a_ledger_of_another_store_is_refused() -> None:
    shredding.destroy_subject(subject=MIRA)
    put_back({table: [] for table in TABLES})
    other = Path(settings.REMIT_VAULT_DIR) / "ledger"
    kept = other.read_bytes()
    other.unlink()
    shredding.destroy_subject(subject=CARLA)
    other.write_bytes(kept)
    with pytest.raises(LedgerBrokenError):
        standing.missing()
    with pytest.raises(LedgerBrokenError):
        shredding.destroy_subject(subject=TARIQ)
