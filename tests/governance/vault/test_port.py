"""What the log asks of the key store."""

import hmac
from pathlib import Path
from uuid import uuid4

import pytest

from audit.ports import KeyPort
from governance.vault import shredding
from governance.vault.port import SubjectKeys

pytestmark = pytest.mark.django_db

MIRA, CARLA = str(uuid4()), str(uuid4())


@pytest.fixture
def keys(tmp_path: Path, settings: object) -> KeyPort:
    settings.REMIT_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined] # pytest-django's proxy.
    return SubjectKeys()


def test_a_disclosure_opens_for_its_owner_in_its_context_only(keys: KeyPort) -> None:
    sealed = keys.of(MIRA)[MIRA].seal(context=b"entry 1", plaintext=b"words")
    keys.of(CARLA)[CARLA].seal(context=b"entry 1", plaintext=b"words")
    assert keys.open(owner=MIRA, context=b"entry 1", sealed=sealed) == b"words"
    assert keys.open(owner=MIRA, context=b"entry 2", sealed=sealed) is None
    assert keys.open(owner=CARLA, context=b"entry 1", sealed=sealed) is None
    assert keys.open(owner=str(uuid4()), context=b"entry 1", sealed=sealed) is None
    flipped = sealed[:-1] + bytes([sealed[-1] ^ 1])
    assert keys.open(owner=MIRA, context=b"entry 1", sealed=flipped) is None
    assert keys.open(owner=MIRA, context=b"entry 1", sealed=b"short") is None


def test_equal_words_never_look_equal(keys: KeyPort) -> None:
    first = keys.of(MIRA)[MIRA].seal(context=b"c", plaintext=b"words")
    assert first != keys.of(MIRA)[MIRA].seal(context=b"c", plaintext=b"words")
    assert len(first) == 12 + len(b"words") + 16


def test_the_key_a_person_takes_home_finds_their_tags_and_opens_nothing(keys: KeyPort) -> None:
    home = keys.tag_key(owner=MIRA)
    assert keys.tag(owner=MIRA, nonce=b"n") == hmac.digest(home, b"n", "sha256")[:16]
    assert keys.token(owner=MIRA) == hmac.digest(home, b"index", "sha256").hex()
    assert keys.tag(owner=CARLA, nonce=b"n") != keys.tag(owner=MIRA, nonce=b"n")
    assert keys.tag_key(owner=CARLA) != home
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    sealed = keys.of(MIRA)[MIRA].seal(context=b"c", plaintext=b"words")
    with pytest.raises(InvalidTag):
        AESGCM(home).decrypt(sealed[:12], sealed[12:], b"c")


def test_nobody_owns_no_disclosure(keys: KeyPort) -> None:
    with pytest.raises(ValueError):
        keys.of("")


def test_the_log_goes_on_about_the_erased_and_says_nothing(keys: KeyPort) -> None:
    before = keys.tag(owner=MIRA, nonce=b"n"), keys.token(owner=MIRA)
    shredding.destroy_subject(subject=MIRA)
    sealed = keys.of(MIRA)[MIRA].seal(context=b"c", plaintext=b"words")
    assert keys.open(owner=MIRA, context=b"c", sealed=sealed) is None
    assert (keys.tag(owner=MIRA, nonce=b"n"), keys.token(owner=MIRA)) != before
    assert keys.tag(owner=MIRA, nonce=b"n") != keys.tag(owner=MIRA, nonce=b"n")
    assert keys.token(owner=MIRA) != keys.token(owner=MIRA)
