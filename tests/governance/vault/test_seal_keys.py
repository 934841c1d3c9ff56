"""The keys that agents seal to."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite

from governance.vault import seal_keys
from governance.vault.errors import KeyFileError, KeyShreddedError, UnsealError
from governance.vault.seal_keys import SealKey

pytestmark = pytest.mark.django_db

SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: object) -> Path:
    settings.REMIT_VAULT_DIR = tmp_path  # type: ignore[attr-defined] # pytest-django's proxy.
    return tmp_path / "seal"


def sealed_to(key: SealKey, header: bytes = b"{}") -> bytes:
    """Seal as an agent does, from the public half alone."""
    public = MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(key.public[:1184]),
        X25519PublicKey.from_public_bytes(key.public[1184:]),
    )
    return SUITE.encrypt(b"events", public, info=seal_keys.info(header))


def test_what_an_agent_seals_opens_under_its_header_only() -> None:
    (key,) = seal_keys.current()
    assert (key.alg, len(key.public)) == ("MLKEM768_X25519", 1216)
    sealed = sealed_to(key)
    assert seal_keys.unseal(key_id=key.key_id, header=b"{}", sealed=sealed) == b"events"
    cases = [
        (key.key_id, b"{ }", sealed),
        (key.key_id, b"{}", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (key.key_id, b"{}", sealed[:100]),
        (key.key_id, b"{}", b""),
        ("0" * 16, b"{}", sealed),
    ]
    for key_id, header, wire in cases:
        with pytest.raises(UnsealError):
            seal_keys.unseal(key_id=key_id, header=header, sealed=wire)


def test_the_private_half_is_a_file_of_the_worker_only(folder: Path) -> None:
    (key,) = seal_keys.current()
    (path,) = folder.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert path.read_bytes()[64:] not in key.public


def test_a_retired_key_opens_what_is_under_way_and_a_destroyed_one_nothing(folder: Path) -> None:
    (old,) = seal_keys.current()
    sealed = sealed_to(old)
    new = seal_keys.rotate()
    assert seal_keys.current() == [new]
    assert seal_keys.retired() == [old.key_id]
    assert seal_keys.is_open(old.key_id)
    assert seal_keys.unseal(key_id=old.key_id, header=b"{}", sealed=sealed) == b"events"

    seal_keys.destroy(key_id=old.key_id)
    seal_keys.destroy(key_id=old.key_id)

    assert seal_keys.retired() == []
    assert not seal_keys.is_open(old.key_id)
    assert not seal_keys.is_open("unknown")
    assert [path.stem for path in folder.iterdir()] == [new.key_id]
    with pytest.raises(KeyShreddedError):
        seal_keys.unseal(key_id=old.key_id, header=b"{}", sealed=sealed)


def test_the_only_key_may_be_retired_and_the_next_question_makes_another() -> None:
    (old,) = seal_keys.current()
    seal_keys.retire(key_id=old.key_id)
    (new,) = seal_keys.current()
    assert new != old


def test_a_lost_private_half_is_said_and_not_replaced(folder: Path) -> None:
    (key,) = seal_keys.current()
    (folder / f"{key.key_id}.key").unlink()
    with pytest.raises(KeyFileError):
        seal_keys.unseal(key_id=key.key_id, header=b"{}", sealed=sealed_to(key))
