"""No entry, no key: what the vault opens, and everything it does not."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections, transaction
from django.utils import timezone

from audit import journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from audit.ids import uuid7
from governance.vault import reading, seal_keys, sealing, shredding
from governance.vault.errors import KeyShreddedError, NoGrantError, UnsealError
from governance.vault.models import KeyRelease
from governance.vault.reading import FrameRef, Permit
from tests.governance.vault.test_seal_keys import sealed_to

pytestmark = pytest.mark.django_db

MIRA = str(uuid4())
REDACTOR = Actor.system("redactor")


@pytest.fixture(autouse=True)
def own_key_files(tmp_path: Path, settings: object) -> None:
    settings.REMIT_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined] # pytest-django's proxy.


def opened_batch(entry: UUID, key_id: str, header: bytes, sealed: bytes) -> bytes:
    batch = reading.SealedBatch(key_id, header, sealed)
    return reading.open_batches(permit=Permit(entry, 0), batches=[batch])[0]


def grant(
    action: Action = Action.ACCESS_ALLOWED,
    verdict: Verdict = Verdict.ALLOW,
    now: datetime | None = None,
    subject: str | None = MIRA,
) -> UUID:
    entry = journal.append_now(
        action, actor=REDACTOR, subject=subject, verdict=verdict, purpose="redaction", now=now
    )
    return entry.uuid


def sealed_frame() -> tuple[FrameRef, bytes]:
    frame_id = uuid7()
    sealed = sealing.seal_frame(
        subject=MIRA,
        application="freight-desk",
        category="click",
        frame_id=frame_id,
        policy_version="freight-desk@1",
        plaintext=b"plain",
    )
    ref = FrameRef(frame_id, MIRA, "freight-desk", "click", sealed.generation, "freight-desk@1")
    return ref, sealed.ciphertext


def test_a_frame_opens_under_an_entry_and_the_vault_writes_it_down_once() -> None:
    frame, ciphertext = sealed_frame()
    other, second = sealed_frame()
    entry = grant()
    assert (
        reading.unseal_frame(permit=Permit(entry, 0), frame=frame, ciphertext=ciphertext)
        == b"plain"
    )
    assert reading.unseal_frame(permit=Permit(entry, 0), frame=other, ciphertext=second) == b"plain"
    assert KeyRelease.objects.filter(entry=entry).count() == 1
    again = grant()
    reading.unseal_frame(permit=Permit(again, 0), frame=frame, ciphertext=ciphertext)
    assert KeyRelease.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("frame_id", UUID(int=7)),
        ("policy_version", "freight-desk@2"),
    ],
)
def test_a_frame_opens_as_itself_only(field: str, value: Any) -> None:
    frame, ciphertext = sealed_frame()
    wrong = replace(frame, **{field: value})
    with pytest.raises(UnsealError):
        reading.unseal_frame(permit=Permit(grant(), 0), frame=wrong, ciphertext=ciphertext)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", str(UUID(int=7))),
        ("application", "customer-desk"),
        ("category", "shortcut"),
        ("generation", 2),
    ],
)
def test_a_frame_of_another_cell_has_another_key(field: str, value: Any) -> None:
    frame, ciphertext = sealed_frame()
    wrong = replace(frame, **{field: value})
    with pytest.raises(KeyShreddedError):
        reading.unseal_frame(permit=Permit(grant(), 0), frame=wrong, ciphertext=ciphertext)


@pytest.mark.parametrize("change", [b"", b"short", b"x" * 200])
def test_damaged_ciphertext_does_not_open(change: bytes) -> None:
    frame, _ = sealed_frame()
    with pytest.raises(UnsealError):
        reading.unseal_frame(permit=Permit(grant(), 0), frame=frame, ciphertext=change)


def test_without_a_fitting_entry_nothing_opens_and_nothing_is_released() -> None:
    frame, ciphertext = sealed_frame()
    sealed = sealing.seal_object(kind="export", ref="e", subject=MIRA, plaintext=b"x")
    (key,) = seal_keys.current()
    batch = sealed_to(key)
    now = timezone.now()
    entries = {
        "missing": uuid7(),
        "denied": grant(Action.ACCESS_DENIED, Verdict.DENY),
        "allowed in name only": grant(Action.ACCESS_ALLOWED, Verdict.DENY),
        "of another act": grant(Action.ACCESS_CLOSED, Verdict.ALLOW),
        "old": grant(now=now - timedelta(seconds=61)),
        "about nobody": grant(subject=None),
        "about somebody else": grant(subject=str(uuid4())),
        "of the future": grant(now=now + timedelta(seconds=60)),
    }
    for why, entry in entries.items():
        with pytest.raises(NoGrantError):
            reading.unseal_frame(permit=Permit(entry, 0), frame=frame, ciphertext=ciphertext)
        with pytest.raises(NoGrantError):
            reading.unseal_object(permit=Permit(entry, 0), kind="export", ref="e", sealed=sealed)
        if why.startswith("about"):
            continue  # What a batch holds is nobody's before it is open; the gate knows whose.
        with pytest.raises(NoGrantError):
            opened_batch(entry, key.key_id, b"{}", batch)
    assert KeyRelease.objects.count() == 0
    almost = grant(now=now - timedelta(seconds=55))
    assert (
        reading.unseal_frame(permit=Permit(almost, 0), frame=frame, ciphertext=ciphertext)
        == b"plain"
    )


@pytest.mark.parametrize("alias", ["default", "keys"])
def test_nothing_opens_inside_a_transaction(alias: str) -> None:
    frame, ciphertext = sealed_frame()
    entry = grant()
    with transaction.atomic(using=alias), pytest.raises(NoGrantError):
        reading.unseal_frame(permit=Permit(entry, 0), frame=frame, ciphertext=ciphertext)
    assert KeyRelease.objects.count() == 0


def test_a_destroyed_key_opens_nothing_whatever_the_entry_says() -> None:
    frame, ciphertext = sealed_frame()
    sealed = sealing.seal_object(kind="export", ref="e", subject=MIRA, plaintext=b"x")
    release = sealing.seal_object(kind="release", ref="r", subject=None, plaintext=b"x")
    entry = grant()
    assert (
        reading.unseal_object(permit=Permit(entry, 0), kind="export", ref="e", sealed=sealed)
        == b"x"
    )
    shredding.destroy_subject(subject=MIRA)
    shredding.destroy_object(kind="release", ref="r")
    with pytest.raises(KeyShreddedError):
        reading.unseal_frame(permit=Permit(entry, 0), frame=frame, ciphertext=ciphertext)
    with pytest.raises(KeyShreddedError):
        reading.unseal_object(permit=Permit(entry, 0), kind="export", ref="e", sealed=sealed)
    with pytest.raises(KeyShreddedError):
        reading.unseal_object(permit=Permit(entry, 0), kind="release", ref="r", sealed=release)


def test_an_object_opens_as_itself_only() -> None:
    sealed = sealing.seal_object(kind="release", ref="r1", subject=None, plaintext=b"x")
    sealing.seal_object(kind="release", ref="r2", subject=None, plaintext=b"x")
    with pytest.raises(UnsealError):
        reading.unseal_object(permit=Permit(grant(), 0), kind="release", ref="r2", sealed=sealed)


def test_a_batch_opens_under_its_header_and_its_key_is_written_down() -> None:
    (key,) = seal_keys.current()
    entry = grant()
    sealed = sealed_to(key, b'{"v":1}')
    assert opened_batch(entry, key.key_id, b'{"v":1}', sealed) == b"events"
    assert KeyRelease.objects.get(entry=entry).key == key.key_id
    with pytest.raises(UnsealError):
        opened_batch(entry, key.key_id, b"{}", sealed)


@pytest.mark.usefixtures("real_transactions")
def test_an_entry_that_is_not_committed_opens_nothing() -> None:
    frame, ciphertext = sealed_frame()
    refused: list[bool] = []

    def read(entry: UUID) -> None:
        try:
            reading.unseal_frame(permit=Permit(entry, 0), frame=frame, ciphertext=ciphertext)
        except NoGrantError:
            refused.append(True)
        finally:
            connections.close_all()

    with transaction.atomic():
        entry = journal.append(
            Action.ACCESS_ALLOWED, actor=REDACTOR, subject=MIRA, verdict=Verdict.ALLOW
        )
        transaction.set_rollback(True)
    thread = Thread(target=read, args=[entry.uuid])
    thread.start()
    thread.join()
    assert refused == [True]
