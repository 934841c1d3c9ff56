"""Signed requests: the profile `remit-agent-1` of RFC 9421, with digests of RFC 9530.

Promises: a request carries exactly one signature, `remit`, over method, target and, with a body,
its digest and type (and the idempotency key); it is good for at most two minutes and no nonce is
used twice. Leaves to others: which key is whose.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LABEL: Final = "remit"
TAG: Final = "remit-agent-1"
LIFETIME_SECONDS: Final = 60
PLAIN: Final = ("@method", "@target-uri")
WITH_BODY: Final = (*PLAIN, "content-digest", "content-type")
WITH_KEY: Final = (*WITH_BODY, "idempotency-key")


class Signer(Protocol):
    """A key that signs requests under an id the service knows."""

    @property
    def key_id(self) -> str: ...
    @property
    def algorithm(self) -> str: ...
    def sign(self, base: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class DeviceSigner:
    """The device's own Ed25519 key: enrolment, sessions, uploads."""

    key_id: str
    key: Ed25519PrivateKey
    algorithm: str = "ed25519"

    def sign(self, base: bytes) -> bytes:
        """Return the 64 bytes of RFC 8032."""
        return self.key.sign(base)


@dataclass(frozen=True, slots=True)
class SessionSigner:
    """A key of fifteen minutes, for polls and heartbeats."""

    key_id: str
    key: bytes
    algorithm: str = "hmac-sha256"

    def sign(self, base: bytes) -> bytes:
        """Return the HMAC-SHA-256."""
        return hmac.digest(self.key, base, "sha256")


def thumbprint(public_key: bytes) -> str:
    """Return the id an unenrolled key signs under: base64url of its SHA-256, unpadded."""
    digest = hashlib.sha256(public_key).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def content_digest(body: bytes) -> str:
    """Return the Content-Digest of a body (RFC 9530 §2)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def signature_base(components: Sequence[tuple[str, str]], parameters: str) -> bytes:
    """Return the bytes to sign (RFC 9421 §2.5) for (name, value) pairs and `@signature-params`."""
    lines = [f'"{name}": {value}' for name, value in components]
    lines.append(f'"@signature-params": {parameters}')
    return "\n".join(lines).encode()


def covered(names: Sequence[str]) -> str:
    """Return the inner list of component names (RFC 8941 §3.1.1)."""
    return "(" + " ".join(f'"{name}"' for name in names) + ")"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The parts of a request that a signature covers besides its headers."""

    method: str
    uri: str


def sign_request(
    *, target: Target, headers: Mapping[str, str], body: bytes | None, signer: Signer, now_s: int
) -> dict[str, str]:
    """Return the headers to add: Signature-Input, Signature and, with a body, Content-Digest.

    `headers` must already hold Content-Type when there is a body; an Idempotency-Key among them is
    covered too.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    added: dict[str, str] = {}
    names: tuple[str, ...] = PLAIN
    if body is not None:
        added["Content-Digest"] = fields["content-digest"] = content_digest(body)
        names = WITH_KEY if "idempotency-key" in fields else WITH_BODY
    values = {"@method": target.method, "@target-uri": target.uri} | fields
    parameters = (
        f"{covered(names)};created={now_s};expires={now_s + LIFETIME_SECONDS}"
        f';nonce="{secrets.token_urlsafe(16)}";keyid="{signer.key_id}"'
        f';alg="{signer.algorithm}";tag="{TAG}"'
    )
    base = signature_base([(name, values[name]) for name in names], parameters)
    signature = base64.b64encode(signer.sign(base)).decode()
    added["Signature-Input"] = f"{LABEL}={parameters}"
    added["Signature"] = f"{LABEL}=:{signature}:"
    return added
