"""Keys are made once, bound to their place, and gone for good when destroyed."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.db.models import F

from audit.ids import uuid7
from governance.vault import epochs, keyring, sealing, shredding
from governance.vault.errors import KeyFileError, KeyShreddedError, UnsealError
from governance.vault.keyring import Place
from governance.vault.models import CellGeneration, Epoch, KeyKind, LedgerLine, StoredKey
from governance.vault.port import SubjectKeys
from governance.vault.rewrap import Wrapped
from governance.vault.sealing import SealedFrame

pytestmark = pytest.mark.django_db

MIRA, CARLA = str(uuid4()), str(uuid4())
CELL = {"subject": MIRA, "application": "freight-desk", "category": "click"}


def seal(now: datetime | None = None, **changes: str) -> SealedFrame:
    return sealing.seal_frame(
        **(CELL | changes),
        frame_id=uuid7(),
        policy_version="freight-desk@1",
        plaintext=b"{}",
        now=now,
    )


def key_of(generation: int, **changes: str) -> keyring.Key | None:
    cell = CELL | changes
    scope = keyring.cell_scope(application=cell["application"], category=cell["category"])
    return keyring.find(Place(KeyKind.CELL, cell["subject"], scope, generation))


@pytest.fixture(autouse=True)
def own_key_files(tmp_path: Path, settings: object) -> None:
    """Key files outlive a rolled-back test, so each test has its own directory."""
    settings.REMIT_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined] # pytest-django's proxy.


def test_two_frames_of_a_cell_share_a_key_and_never_a_nonce() -> None:
    first, second = seal(), seal()
    assert first.generation == second.generation == 1
    assert first.ciphertext[:12] != second.ciphertext[:12]
    assert StoredKey.objects.count() == 1


def test_no_key_is_stored_unwrapped() -> None:
    seal()
    row = StoredKey.objects.get()
    secret = epochs.unwrap(row)
    assert len(secret) == 32
    assert secret not in bytes(row.wrapped)
    kek = (Path(settings.REMIT_VAULT_DIR) / "kek" / "epoch-1.key").read_bytes()
    assert kek not in bytes(row.wrapped)


@pytest.mark.parametrize("field", ["owner", "scope", "generation", "kind", "id"])
def test_a_key_moved_to_another_place_does_not_open(field: str) -> None:
    seal()
    row = StoredKey.objects.get()
    moved = {"generation": 7, "kind": KeyKind.PERSON, "id": uuid7()}.get(field, "elsewhere/else")
    setattr(row, field, moved)
    with pytest.raises(UnsealError):
        epochs.unwrap(row)


def test_a_destroyed_cell_goes_on_with_a_fresh_generation() -> None:
    seal()
    other = seal(category="shortcut")
    (destroyed,) = shredding.destroy_cell(**CELL)
    assert key_of(1) is None
    assert not StoredKey.objects.filter(pk=destroyed).exists()
    assert shredding.destroy_cell(**CELL) == []
    assert seal().generation == 2
    assert key_of(other.generation, category="shortcut") is not None


def test_a_closed_generation_is_never_made_again() -> None:
    seal()
    shredding.destroy_cell(**CELL)
    with pytest.raises(KeyShreddedError):
        keyring.obtain(Place(KeyKind.CELL, MIRA, "freight-desk/click", 1))


def test_a_key_destroyed_while_it_was_being_made_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keyring, "find", lambda _: None)
    with pytest.raises(KeyShreddedError):
        keyring.obtain(Place(KeyKind.PERSON, MIRA))


def test_survivors_move_on_and_the_old_generation_dies() -> None:
    assert seal().generation == 1
    assert shredding.advance_generation(**CELL, past=1) == (1, 2)
    assert shredding.advance_generation(**CELL, past=1) == (2, 2)
    assert key_of(1) is not None, "The survivors have still to be read."
    assert seal().generation == 2
    shredding.destroy_generation(**CELL, generation=1)
    shredding.destroy_generation(**CELL, generation=1)
    assert key_of(1) is None
    assert key_of(2) is not None
    assert seal().generation == 2


def test_destroying_the_newest_generation_opens_the_next() -> None:
    seal()
    shredding.destroy_generation(**CELL, generation=1)
    assert seal().generation == 2


def test_each_month_has_a_generation_and_time_never_runs_back() -> None:
    may, june = datetime(2026, 5, 31, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    assert seal(now=may).generation == 1
    assert seal(now=june).generation == 2
    assert seal(now=may).generation == 2
    assert seal(now=june).generation == 2


def test_a_person_is_destroyed_entirely_and_for_good() -> None:
    keys = SubjectKeys()
    seal()
    seal(application="warehouse-terminal")
    sealing.seal_object(kind="export", ref="e1", subject=MIRA, plaintext=b"x")
    sealed = keys.of(MIRA)[MIRA].seal(context=b"c", plaintext=b"x")
    seal(subject=CARLA)

    report = shredding.destroy_subject(subject=MIRA)

    assert report.keys == 4
    assert shredding.is_destroyed(subject=MIRA)
    assert not StoredKey.objects.filter(owner=MIRA).exists()
    assert not CellGeneration.objects.filter(subject=MIRA).exists()
    assert keys.open(owner=MIRA, context=b"c", sealed=sealed) is None
    assert shredding.destroy_subject(subject=MIRA) == report
    with pytest.raises(KeyShreddedError):
        seal()
    with pytest.raises(KeyShreddedError):
        sealing.seal_object(kind="export", ref="e2", subject=MIRA, plaintext=b"x")
    with pytest.raises(KeyShreddedError):
        keys.tag_key(owner=MIRA)
    assert not StoredKey.objects.filter(owner=MIRA).exists()
    assert not shredding.is_destroyed(subject=CARLA)
    assert seal(subject=CARLA).generation == 1


def test_the_ledger_names_no_one() -> None:
    seal()
    shredding.destroy_subject(subject=MIRA)
    token = bytes(LedgerLine.objects.get().token)
    assert len(token) == 32
    assert MIRA.encode() not in token


def test_an_object_has_its_own_key_and_dies_alone() -> None:
    for ref in ("r1", "r2"):
        sealing.seal_object(kind="release", ref=ref, subject=None, plaintext=b"x")
    shredding.destroy_object(kind="release", ref="r1")
    shredding.destroy_object(kind="release", ref="r1")
    assert shredding.object_is_destroyed(kind="release", ref="r1")
    assert not shredding.object_is_destroyed(kind="release", ref="r2")
    assert keyring.find_object(kind="release", ref="r1") is None
    assert keyring.find_object(kind="release", ref="r2") is not None
    with pytest.raises(KeyShreddedError):
        sealing.seal_object(kind="release", ref="r1", subject=None, plaintext=b"x")


def test_rotation_keeps_what_lives_and_closes_every_older_copy() -> None:
    keys = SubjectKeys()
    sealed = keys.of(MIRA)[MIRA].seal(context=b"c", plaintext=b"kept")
    keys.of(CARLA)[CARLA].seal(context=b"c", plaintext=b"gone")
    copy = list(StoredKey.objects.all())
    shredding.destroy_subject(subject=CARLA)

    assert epochs.rotate() == 2

    assert keys.open(owner=MIRA, context=b"c", sealed=sealed) == b"kept"
    for row in copy:
        with pytest.raises(KeyFileError):
            epochs.unwrap(row)
    folder = Path(settings.REMIT_VAULT_DIR) / "kek"
    assert [path.name for path in folder.iterdir()] == ["epoch-2.key"]
    assert list(Epoch.objects.values_list("number", flat=True)) == [2]


def test_a_rotation_takes_every_name_as_it_is_and_leaves_no_row_of_the_epoch_before() -> None:
    owners = ["plain", "tab\tand\nline\r", r"back\slash \N \.", "Zoë", MIRA]
    keys = SubjectKeys()
    sealed = {owner: keys.of(owner)[owner].seal(context=b"c", plaintext=b"x") for owner in owners}
    made = dict(StoredKey.objects.values_list("id", "created_at"))
    for epoch in (2, 3):
        assert epochs.rotate() == epoch
        assert dict(StoredKey.objects.values_list("id", "created_at")) == made
        assert set(StoredKey.objects.values_list("epoch", flat=True)) == {epoch}
        for owner in owners:
            assert keys.open(owner=owner, context=b"c", sealed=sealed[owner]) == b"x"
    if connections["keys"].vendor == "postgresql":
        with connections["keys"].cursor() as cursor:
            cursor.execute("SELECT to_regclass('vault_storedkey_e2')")
            assert cursor.fetchone() == (None,), "What was wrapped before is dropped, not emptied."


def test_a_rotation_cut_short_before_its_commit_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = SubjectKeys()
    sealed = keys.of(MIRA)[MIRA].seal(context=b"c", plaintext=b"kept")
    with monkeypatch.context() as power_cut:
        power_cut.setattr(Epoch.objects, "create", _cut)
        with pytest.raises(OSError):
            epochs.rotate()
    assert keys.open(owner=MIRA, context=b"c", sealed=sealed) == b"kept"
    assert epochs.rotate() == 2
    assert keys.open(owner=MIRA, context=b"c", sealed=sealed) == b"kept"


def _cut(**_: object) -> None:
    raise OSError


def test_a_rotation_refuses_a_transaction_that_could_take_it_back() -> None:
    seal()
    for act in (epochs.rotate, epochs.tidy):
        with pytest.raises(RuntimeError), transaction.atomic(using="keys"):
            act()
    assert seal().generation == 1


def test_a_reader_that_meets_a_rotation_reads_the_newer_row() -> None:
    scope = keyring.cell_scope(application=CELL["application"], category=CELL["category"])
    place = Place(KeyKind.CELL, MIRA, scope, seal().generation)
    reads = [keyring._at(place)(), None]

    def then() -> Wrapped | None:
        return reads.pop(0) or keyring._at(place)()

    epochs.rotate()
    assert keyring._in_hand(then) == key_of(1)
    reads = [keyring._at(place)(), None]
    epochs.rotate()
    shredding.destroy_cell(**CELL)
    assert keyring._in_hand(then) is None


def test_a_key_file_that_others_may_read_is_refused() -> None:
    seal()
    path = Path(settings.REMIT_VAULT_DIR) / "kek" / "epoch-1.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o640)
    with pytest.raises(KeyFileError):
        seal()


def test_a_lost_key_file_is_not_quietly_made_again() -> None:
    seal()
    path = Path(settings.REMIT_VAULT_DIR) / "kek" / "epoch-1.key"
    path.unlink()
    with pytest.raises(KeyFileError):
        seal()
    assert not path.exists()


@pytest.mark.parametrize("bad", [("", "click"), ("a/b", "click"), ("freight-desk", "")])
def test_an_ambiguous_scope_is_refused(bad: tuple[str, str]) -> None:
    with pytest.raises(ValueError):
        keyring.cell_scope(application=bad[0], category=bad[1])


@pytest.mark.parametrize("table", ["vault_ledger", "vault_keyrelease"])
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_the_ledger_and_the_journal_only_grow(table: str, verb: str) -> None:
    from governance.vault.models import KeyRelease

    LedgerLine.objects.create(number=1, token=b"t", value=1, at=datetime.now(UTC), link=b"l")
    KeyRelease.objects.create(entry=uuid7(), key="k")
    statement = f"DELETE FROM {table}" if verb == "DELETE" else _touch(table)
    with (
        pytest.raises(DatabaseError),
        transaction.atomic(using="keys"),
        connections["keys"].cursor() as cursor,
    ):
        cursor.execute(statement)


def _touch(table: str) -> str:
    column = {"vault_ledger": "value", "vault_keyrelease": "key"}[table]
    return f"UPDATE {table} SET {column} = {column}"


def test_the_generation_number_is_not_a_clock_of_the_person() -> None:
    """What stands in clear beside a cell is a number and a month, no day and no volume."""
    for _ in range(5):
        seal()
    row = CellGeneration.objects.annotate(doubled=F("number") * 2).get()
    assert (row.number, row.doubled, row.month.day) == (1, 2, 1)
