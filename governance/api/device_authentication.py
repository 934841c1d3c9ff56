"""Who sent this: signed requests of capture agents (RFC 9421 profile `remit-agent-1`, RFC 9530).

Promises: exactly one signature form is accepted; the target is checked against the configured
external origin, never the Host header; a signature is good for at most two minutes, a nonce for
one request where repeating would matter; every failure is the same problem, `signature-invalid`,
and no header of a proxy ever makes an identity.
Leaves to others: what the device may then do (capture.intake).
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from django.conf import settings
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication

from governance.accounts import selectors as accounts
from governance.api.errors import SignatureInvalidError
from governance.capture import nonces

LABEL: Final = "remit"
TAG: Final = "remit-agent-1"
LONGEST_SECONDS: Final = 120
SESSION_SECONDS: Final = 900
_PARAMETERS: Final = re.compile(
    r'^remit=(?P<parameters>\((?P<components>"[a-z@-]+"(?: "[a-z@-]+"){0,5})\)'
    r";created=(?P<created>\d{1,12});expires=(?P<expires>\d{1,12})"
    r';nonce="(?P<nonce>[A-Za-z0-9_-]{8,64})";keyid="(?P<keyid>[A-Za-z0-9._:-]{1,200})"'
    r';alg="(?P<alg>ed25519|hmac-sha256)";tag="remit-agent-1")$'
)
_SIGNATURE: Final = re.compile(r"^remit=:(?P<signature>[A-Za-z0-9+/]{40,90}={0,2}):\Z")
_DIGEST: Final = re.compile(r"^sha-256=:(?P<digest>[A-Za-z0-9+/]{43}=):\Z")

_SHA256: Final = SHA256()
PLAIN: Final = ("@method", "@target-uri")
WITH_BODY: Final = (*PLAIN, "content-digest", "content-type")
WITH_KEY: Final = (*WITH_BODY, "idempotency-key")


class Headers(Protocol):
    """Looks a header up by its name in any case."""

    def get(self, name: str, default: str, /) -> str: ...


class Sent(Protocol):
    """What of a request can be signed."""

    @property
    def method(self) -> str | None: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def body(self) -> bytes: ...
    def get_full_path(self) -> str: ...


class Algorithm(StrEnum):
    """The two signature algorithms of the profile (RFC 9421 §3.3)."""

    ED25519 = "ed25519"
    HMAC_SHA256 = "hmac-sha256"


@dataclass(frozen=True, slots=True)
class DevicePrincipal:
    """The enrolled device behind a request, as a DRF user."""

    device_id: UUID
    subject: str
    is_authenticated: bool = True


@dataclass(frozen=True, slots=True)
class Signed:
    """A request's signature, parsed and within its time, not yet verified."""

    key_id: str
    algorithm: Algorithm
    nonce: str
    expires: datetime
    base: bytes
    signature: bytes


def signed_parts(request: Sent, components: tuple[str, ...]) -> Signed:
    """Parse and time-check the signature of a request over exactly these components."""
    headers = request.headers
    parameters = _PARAMETERS.match(headers.get("Signature-Input", ""))
    signature = _SIGNATURE.match(headers.get("Signature", ""))
    if parameters is None or signature is None:
        raise SignatureInvalidError("The request is not signed with the remit-agent-1 profile.")
    if parameters["components"] != " ".join(f'"{name}"' for name in components):
        raise SignatureInvalidError("The signature covers other parts than this request needs.")
    expires = _check_time(int(parameters["created"]), int(parameters["expires"]))
    if "content-digest" in components:
        _check_digest(headers, request.body)
    return Signed(
        key_id=parameters["keyid"],
        algorithm=Algorithm(parameters["alg"]),
        nonce=parameters["nonce"],
        expires=expires,
        base=_signature_base(request, components, parameters["parameters"]),
        signature=_decode(signature["signature"]),
    )


def verify_ed25519(signed: Signed, public_key: bytes) -> None:
    """Verify an Ed25519 signature (RFC 8032); raises SignatureInvalidError."""
    if signed.algorithm is not Algorithm.ED25519:
        raise SignatureInvalidError("This request needs the device's own key.")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signed.signature, signed.base)
    except (InvalidSignature, ValueError) as error:
        raise SignatureInvalidError("The signature does not match.") from error


def verify_hmac(signed: Signed, key: bytes) -> None:
    """Verify an HMAC-SHA-256 signature in constant time; raises SignatureInvalidError."""
    if signed.algorithm is not Algorithm.HMAC_SHA256:
        raise SignatureInvalidError("This request needs a session key.")
    if not hmac.compare_digest(hmac.digest(key, signed.base, "sha256"), signed.signature):
        raise SignatureInvalidError("The signature does not match.")


def spend_nonce(signed: Signed) -> None:
    """Refuse the same signed request a second time, for as long as its signature is good."""
    if not nonces.spend(key_id=signed.key_id, nonce=signed.nonce, expires_at=signed.expires):
        raise SignatureInvalidError("This request was already used.")


def thumbprint(public_key: bytes) -> str:
    """Return the key id an unenrolled key signs under: base64url of its SHA-256, unpadded."""
    digest = hashlib.sha256(public_key).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def new_session(device_id: UUID) -> tuple[str, bytes, datetime]:
    """Return (session id, key, end) for polls and heartbeats; nothing is stored.

    The id carries device and end, the key is derived from it, so that a poll costs no look-up and
    a stolen database holds no session key (`decisions.md` 5).
    """
    ends = timezone.now().replace(microsecond=0) + timedelta(seconds=SESSION_SECONDS)
    session_id = f"{device_id}.{int(ends.timestamp())}.{secrets.token_urlsafe(12)}"
    return session_id, session_key(session_id), ends


class _DeviceAuthentication(BaseAuthentication):
    """Common to both kinds: finds the device, which must not be revoked."""

    algorithm: Algorithm
    once = False

    def components(self, request: Sent) -> tuple[str, ...]:
        return PLAIN if request.method in {"GET", "HEAD"} else WITH_BODY

    def authenticate(self, request: Sent) -> tuple[DevicePrincipal, None]:
        signed = signed_parts(request, self.components(request))
        device = accounts.enrolled(self.device_id(signed))
        if device is None:
            raise SignatureInvalidError("This device is not enrolled.")
        self.verify(signed, device.public_key)
        if self.once:
            spend_nonce(signed)
        return DevicePrincipal(device.id, device.subject), None

    def authenticate_header(self, request: Sent) -> str:  # noqa: ARG002
        return f'Signature tag="{TAG}"'

    def device_id(self, signed: Signed) -> UUID:
        raise NotImplementedError

    def verify(self, signed: Signed, public_key: bytes) -> None:
        raise NotImplementedError


class DeviceKey(_DeviceAuthentication):
    """Signed with the device's own Ed25519 key: handshakes and uploads."""

    def device_id(self, signed: Signed) -> UUID:
        return _uuid(signed.key_id)

    def verify(self, signed: Signed, public_key: bytes) -> None:
        verify_ed25519(signed, public_key)


class DeviceKeyOnce(DeviceKey):
    """As above, and each nonce serves once: a replayed handshake gets no key."""

    once = True


class DeviceKeyForUpload(DeviceKey):
    """As DeviceKey, over the Idempotency-Key too; replay is stopped by the unique batch id."""

    def components(self, request: Sent) -> tuple[str, ...]:  # noqa: ARG002
        return WITH_KEY


class DeviceSession(_DeviceAuthentication):
    """Signed with the session key of the last handshake: polls, status and heartbeats."""

    def device_id(self, signed: Signed) -> UUID:
        device, _, rest = signed.key_id.partition(".")
        ends, _, _ = rest.partition(".")
        if not ends.isdecimal() or int(ends) < timezone.now().timestamp():
            raise SignatureInvalidError("The session has ended; make a new one.")
        return _uuid(device)

    def verify(self, signed: Signed, public_key: bytes) -> None:  # noqa: ARG002
        verify_hmac(signed, session_key(signed.key_id))


def session_key(session_id: str) -> bytes:
    """Return the key that belongs to a session id, whether or not anybody was given it."""
    return _derived(_session_root(), session_id)


def session_macs() -> Callable[[str, bytes], bytes]:
    """Return what makes HMAC-SHA-256s under the keys of sessions, while the settings stay.

    At half of what hmac.digest takes: every poll asks for one (bench/polling.py).
    """
    root = _session_root()

    def mac_of(session_id: str, signed: bytes) -> bytes:
        mac = HMAC(_derived(root, session_id), _SHA256)
        mac.update(signed)
        return mac.finalize()

    return mac_of


def _session_root() -> bytes:
    secret = b"remit agent session v1\x00" + settings.SECRET_KEY.encode()
    return hashlib.sha256(secret).digest()


def _derived(root: bytes, session_id: str) -> bytes:
    # BLAKE2's own keyed form (RFC 7693 §2.9): a third of what an HMAC takes.
    return hashlib.blake2b(session_id.encode(), key=root, digest_size=32).digest()


def _signature_base(request: Sent, components: tuple[str, ...], parameters: str) -> bytes:
    """Return the signature base of RFC 9421 §2.5."""
    values = {
        "@method": request.method or "",
        "@target-uri": settings.REMIT_EXTERNAL_ORIGIN + request.get_full_path(),
    }
    lines = [
        f'"{name}": {values[name] if name in values else request.headers.get(name, "").strip()}'
        for name in components
    ]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode()


def _check_time(created: int, expires: int) -> datetime:
    now = timezone.now().timestamp()
    if abs(created - now) > settings.REMIT_CLOCK_SKEW_SECONDS:
        raise SignatureInvalidError("The clock of this device is wrong.", server_time=True)
    if not created < expires <= created + LONGEST_SECONDS:
        raise SignatureInvalidError("The signature must expire within two minutes.")
    # The tolerance for clocks applies to both ends.
    if expires + settings.REMIT_CLOCK_SKEW_SECONDS < now:
        raise SignatureInvalidError("The signature has expired.", server_time=True)
    return datetime.fromtimestamp(expires + settings.REMIT_CLOCK_SKEW_SECONDS, tz=UTC)


def _check_digest(headers: Headers, body: bytes) -> None:
    match = _DIGEST.match(headers.get("Content-Digest", ""))
    if match is None or not hmac.compare_digest(
        _decode(match["digest"]), hashlib.sha256(body).digest()
    ):
        raise SignatureInvalidError("The body does not match its Content-Digest.")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise SignatureInvalidError("A base64 value is not canonical.") from error


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise SignatureInvalidError("The key id is not a device.") from error
