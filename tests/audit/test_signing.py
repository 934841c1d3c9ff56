"""Envelopes and checkpoints: what verifies, what does not, what is never signed."""

import base64
import stat
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from audit import checkpoint, signing, tree
from audit.checkpoint import Head, Signer
from audit.errors import ForkError, NoteError, SignatureError
from audit.verifier.checkpoint import Trust, accept
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import parse_vkey

TYPE = "application/vnd.remit.test+json"
HASHES = [tree.leaf_hash(bytes([number])) for number in range(40)]


def node(level: int, index: int) -> bytes:
    return tree.perfect_root(HASHES[index << level : (index + 1) << level])


def proof_to(size: int) -> Any:
    return lambda old: tree.consistency_proof(node, old, size)


def head(size: int) -> Head:
    return Head(size, tree.root(node, size))


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, settings: Settings) -> Path:
    settings.REMIT_KEYS_DIR = tmp_path / "keys"
    return tmp_path / "keys"


def known(name: str = "policy") -> dict[str, bytes]:
    return {key.key_id: key.public for key in signing.public_keys(name)}


def test_a_key_is_read_again_when_its_file_is_another_one(keys: Path) -> None:
    first = known()
    assert known() == first
    (keys / "documents" / "policy.key").unlink()
    assert known() != first


def test_an_envelope_verifies_under_its_key_and_type_alone(keys: Path) -> None:
    envelope: Any = signing.dsse_sign(key="policy", payload_type=TYPE, body=b"{}")
    assert signing.dsse_verify(public_keys=known(), envelope=envelope, payload_type=TYPE) == b"{}"
    signature = envelope["signatures"][0]
    forged = base64.b64encode(bytes(64)).decode()
    wrong: list[Any] = [
        {**envelope, "payload": base64.b64encode(b"[]").decode()},
        {**envelope, "payload": envelope["payload"] + "\n"},
        {**envelope, "payload": "e30"},
        {**envelope, "signatures": []},
        {**envelope, "signatures": [{**signature, "sig": forged}]},
        {**envelope, "signatures": [signature, {**signature, "sig": forged}]},
        {**envelope, "signatures": [{"sig": signature["sig"]}]},
        {**envelope, "payloadType": "text/plain"},
        {},
    ]
    for each in wrong:
        with pytest.raises(SignatureError):
            signing.dsse_verify(public_keys=known(), envelope=each, payload_type=TYPE)
    with pytest.raises(SignatureError):
        signing.dsse_verify(public_keys=known("receipt"), envelope=envelope, payload_type=TYPE)
    with pytest.raises(ValueError, match="no document key"):
        signing.public_keys("../log/ed25519")


def test_pae_is_that_of_the_dsse_protocol() -> None:
    # github.com/secure-systems-lab/dsse, protocol.md, "Test Vectors".
    assert (
        signing.pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_keys_are_made_once_and_for_the_owner_only(keys: Path) -> None:
    assert known() == known()
    assert checkpoint.log_keys().vkeys == checkpoint.log_keys().vkeys
    files = [path for path in keys.rglob("*") if path.is_file()]
    assert len(files) == 4
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_origin_is_fixed_when_the_keys_are_made(settings: Settings) -> None:
    checkpoint.log_keys()
    settings.REMIT_LOG_ORIGIN = "elsewhere.example/log"
    with pytest.raises(NoteError):
        checkpoint.log_keys()
    settings.REMIT_LOG_ORIGIN = "no spaces"
    with pytest.raises(NoteError):
        checkpoint.log_keys()


def test_both_signatures_verify_with_the_stand_alone_verifier() -> None:
    signer = Signer(checkpoint.log_keys())
    note = signer.sign(head(7), proof_from=proof_to(7)).encode()
    trusted = tuple(parse_vkey(text) for text in signer.keys.vkeys)
    accepted = accept(note, Trust(keys=trusted))
    assert (accepted.size, accepted.root) == (7, head(7).root)
    assert len(accepted.signers) == 2
    for number, line in enumerate(note.decode().splitlines()[-2:]):
        name, encoded = line.split(" ")[1:]
        payload = bytearray(base64.b64decode(encoded))
        payload[-1] ^= 1
        broken = note.decode().replace(encoded, base64.b64encode(payload).decode()).encode()
        with pytest.raises(NotVerifiedError):
            accept(broken, Trust(keys=(trusted[number],)))
        parsed = checkpoint.parse(broken)
        with pytest.raises(NoteError):
            checkpoint.signers(parsed, trusted, accepted.tree)
        assert name == signer.keys.origin


def test_the_signer_signs_what_extends_its_last_and_nothing_else() -> None:
    signer = Signer(checkpoint.log_keys())
    signer.sign(head(7), proof_from=proof_to(7))
    signer.sign(head(7), proof_from=proof_to(7))
    signer.sign(head(20), proof_from=proof_to(20))
    assert Signer(checkpoint.log_keys()).last == head(20)
    for other in (head(7), Head(20, bytes(32)), Head(21, bytes(32))):
        with pytest.raises(ForkError):
            signer.sign(other, proof_from=proof_to(other.size))
    assert signer.last == head(20)


def test_no_signature_leaves_before_it_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = Signer(checkpoint.log_keys())

    def full_disk(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("audit.checkpoint.files.replace", full_disk)
    with pytest.raises(OSError, match="No space"):
        signer.sign(head(3), proof_from=proof_to(3))
    assert signer.last.size == 0
