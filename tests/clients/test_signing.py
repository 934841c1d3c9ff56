"""Signatures and digests against the published examples."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from remit_agent import signing

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "rfc9421.json").read_bytes()
)


def _base(vector: dict[str, Any]) -> bytes:
    names = [name for name, _ in vector["components"]]
    parameters = signing.covered(names) + vector["parameters"]
    return signing.signature_base([(n, v) for n, v in vector["components"]], parameters)


def test_ed25519_signs_as_in_rfc_9421_b_2_6() -> None:
    vector = VECTORS["ed25519"]
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(vector["private"]))
    assert key.public_key().public_bytes_raw() == base64.b64decode(vector["public"])
    signature = signing.DeviceSigner("test-key-ed25519", key).sign(_base(vector))
    assert base64.b64encode(signature).decode() == vector["signature"]


def test_hmac_signs_as_in_rfc_9421_b_2_5() -> None:
    vector = VECTORS["hmac-sha256"]
    signer = signing.SessionSigner("test-shared-secret", base64.b64decode(vector["key"]))
    assert base64.b64encode(signer.sign(_base(vector))).decode() == vector["signature"]


@pytest.mark.parametrize("vector", VECTORS["content_digest"])
def test_a_content_digest_is_as_in_rfc_9530(vector: dict[str, str]) -> None:
    assert signing.content_digest(vector["body"].encode()) == vector["sha-256"]


def test_a_request_signs_method_target_digest_type_and_key_and_no_nonce_twice() -> None:
    key = Ed25519PrivateKey.generate()
    target = signing.Target(method="POST", uri="https://remit.example/api/v1/agent/x?y=1")
    headers = {"Content-Type": "application/json", "Idempotency-Key": '"0199"'}

    def sign() -> dict[str, str]:
        return signing.sign_request(
            target=target, headers=headers, body=b"{}", signer=signing.DeviceSigner("d1", key),
            now_s=1000,
        )  # fmt: skip

    added, again = sign(), sign()
    assert added["Signature-Input"] != again["Signature-Input"]
    parameters = added["Signature-Input"].removeprefix("remit=")
    assert re.fullmatch(
        r'\("@method" "@target-uri" "content-digest" "content-type" "idempotency-key"\)'
        r';created=1000;expires=1060;nonce="[\w-]{8,64}";keyid="d1";alg="ed25519"'
        r';tag="remit-agent-1"',
        parameters,
    )
    digest = base64.b64encode(hashlib.sha256(b"{}").digest()).decode()
    base = (
        f'"@method": POST\n"@target-uri": {target.uri}\n"content-digest": sha-256=:{digest}:\n'
        f'"content-type": application/json\n"idempotency-key": "0199"\n'
        f'"@signature-params": {parameters}'
    )
    signature = base64.b64decode(added["Signature"].removeprefix("remit=:").removesuffix(":"))
    public = Ed25519PublicKey.from_public_bytes(key.public_key().public_bytes_raw())
    public.verify(signature, base.encode())


def test_a_request_without_body_signs_method_and_target_only() -> None:
    added = signing.sign_request(
        target=signing.Target(method="GET", uri="https://remit.example/p"),
        headers={"If-None-Match": '"x"'},
        body=None,
        signer=signing.SessionSigner("s1", b"k" * 32),
        now_s=1000,
    )
    assert added["Signature-Input"].startswith('remit=("@method" "@target-uri");created=1000')
    assert "Content-Digest" not in added
