"""The door checks signatures as RFC 9421 publishes them, where its profile has the same parts."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import RequestFactory
from pytest_django import Settings
from rest_framework.request import Request

from governance.api import device_authentication as door
from governance.api.errors import SignatureInvalidError

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "rfc9421.json").read_bytes()
)


def signed(kind: str) -> door.Signed:
    """Return a published signature with its base, put together line by line (§2.5)."""
    vector = VECTORS[kind]
    names = " ".join(f'"{name}"' for name, _ in vector["components"])
    lines = [f'"{name}": {value}' for name, value in vector["components"]]
    lines.append(f'"@signature-params": ({names}){vector["parameters"]}')
    return door.Signed(
        key_id="test",
        algorithm=door.Algorithm(kind),
        nonce="",
        expires=datetime.now(UTC),
        base="\n".join(lines).encode(),
        signature=base64.b64decode(vector["signature"]),
    )


def test_ed25519_holds_as_in_b_2_6_and_no_bit_may_differ() -> None:
    found, key = signed("ed25519"), base64.b64decode(VECTORS["ed25519"]["public"])
    door.verify_ed25519(found, key)
    for wrong in (
        replace(found, base=found.base.replace(b"POST", b"PUT")),
        replace(found, signature=found.signature[:-1] + b"\x00"),
        replace(found, signature=found.signature[:63]),
        replace(found, algorithm=door.Algorithm.HMAC_SHA256),
    ):
        with pytest.raises(SignatureInvalidError):
            door.verify_ed25519(wrong, key)
    with pytest.raises(SignatureInvalidError):
        door.verify_ed25519(found, key[::-1])


def test_hmac_sha256_holds_as_in_b_2_5_and_no_bit_may_differ() -> None:
    found, key = signed("hmac-sha256"), base64.b64decode(VECTORS["hmac-sha256"]["key"])
    door.verify_hmac(found, key)
    for wrong in (
        replace(found, base=found.base + b" "),
        replace(found, signature=bytes(32)),
        replace(found, algorithm=door.Algorithm.ED25519),
    ):
        with pytest.raises(SignatureInvalidError):
            door.verify_hmac(wrong, key)


def test_the_signature_base_has_the_published_lines(settings: Settings) -> None:
    """§2.2.1 (@method), §2.2.2 (@target-uri), §2.1 (fields) and the form of §2.5."""
    settings.REMIT_EXTERNAL_ORIGIN = "https://www.example.com"
    digest = VECTORS["content_digest"][0]["sha-256"]
    sent = RequestFactory().post(
        "/path?param=value",
        VECTORS["content_digest"][0]["body"],
        content_type="application/json",
        headers={"Content-Digest": f"  {digest} ", "Host": "mallory.example"},
    )
    parameters = '("@method" "@target-uri" "content-digest" "content-type");created=1618884473'
    base = door._signature_base(Request(sent), door.WITH_BODY, parameters)
    assert base.decode().split("\n") == [
        '"@method": POST',
        '"@target-uri": https://www.example.com/path?param=value',
        f'"content-digest": {digest}',
        '"content-type": application/json',
        f'"@signature-params": {parameters}',
    ]
