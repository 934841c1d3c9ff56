"""The service as an agent meets it over the network, in memory: other people's network to a client.

It checks signatures by its own reading of RFC 9421, signs policies, opens what it is sent, and
fails on request. It decides nothing about consent: that story is told against the real service.
"""

import base64
import hashlib
import hmac
import json
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from backports import zstd
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from remit_conformance.tampering import SPOILED

ORIGIN = "http://127.0.0.1:8000"
SUITE = (hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_INPUT = re.compile(r'^remit=(\(([^)]*)\);created=(\d+);expires=(\d+);nonce="([^"]+)"'
                    r';keyid="([^"]+)";alg="([^"]+)";tag="remit-agent-1")$')  # fmt: skip


class _UnsignedError(Exception):
    """A signature under a key or at a time that this service does not take."""


class FakeClock:
    """Time that passes only when someone waits."""

    def __init__(self, at: datetime) -> None:
        self.ns = int(at.timestamp() * 1e9)

    def now_ns(self) -> int:
        return self.ns

    def sleep(self, seconds: float) -> None:
        self.ns += max(1, int(seconds * 1e9))

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.ns / 1e9, tz=UTC)


def signing_key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def dsse(body: bytes, *, key: Ed25519PrivateKey, key_id: str, kind: str) -> bytes:
    pae = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(body), body)
    envelope = {
        "payloadType": kind,
        "payload": base64.b64encode(body).decode(),
        "signatures": [{"keyid": key_id, "sig": base64.b64encode(key.sign(pae)).decode()}],
    }
    return json.dumps(envelope).encode()


@dataclass
class AgentServer:
    """Give `transport()` to the client; read `batches` and `opened()` afterwards."""

    clock: FakeClock
    applications: list[dict[str, Any]] = field(default_factory=list)
    policy_epoch: int = 3
    consent_epoch: int = 7
    paused_until: str | None = None
    lease: timedelta = timedelta(minutes=15)
    offline: timedelta | None = None
    device_id: str = field(default_factory=lambda: str(uuid4()))
    key_id: str = "policy-key-1"
    signer: Ed25519PrivateKey = field(default_factory=lambda: signing_key("policy"))
    next_keys: list[tuple[str, Ed25519PrivateKey]] = field(default_factory=list)
    overrides: dict[str, Any] = field(default_factory=dict)
    batches: dict[UUID, bytes] = field(default_factory=dict)
    uploads: list[UUID] = field(default_factory=list)
    heartbeats: list[dict[str, Any]] = field(default_factory=list)
    # How long each was.
    beats: list[int] = field(default_factory=list)
    failures: list[Callable[[], httpx.Response]] = field(default_factory=list)
    polls: list[int] = field(default_factory=list)
    enrolled: bytes | None = None
    nonces: set[str] = field(default_factory=set)
    session_key: bytes = b"k" * 32
    before_upload: Callable[[], None] | None = None
    issued_at: datetime | None = None
    origin: str = ORIGIN
    # By digest, of every batch that was opened.
    pictures: dict[str, bytes] = field(default_factory=dict)
    # How the next policies are spoiled (`tampering`), and what else goes wrong.
    spoiled: str = ""
    is_down: bool = False
    down_status: int = 503
    always_unchanged: bool = False
    refuses: str = ""
    replays: bytes | None = None
    paths: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.mlkem = mlkem.MLKEM768PrivateKey.generate()
        self.x25519 = x25519.X25519PrivateKey.generate()

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    # -- requests --------------------------------------------------------------------------------

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1/agent/")
        answers = {
            ("POST", "enrolments"): self._enrol,
            ("POST", "sessions"): self._session,
            ("GET", "policy"): self._policy,
            ("POST", "capture-batches"): self._upload,
            ("GET", "capture-batches"): self._status,
            ("POST", "heartbeats"): self._heartbeat,
        }
        found = answers.get((request.method, path.split("/")[0]))
        self.paths.append(path)
        if self.is_down:
            return problem("unavailable", self.down_status)
        try:
            return found(request) if found else problem("not-found", 404)
        except _UnsignedError:
            return problem("signature-invalid", 401)

    def _session(self, request: httpx.Request) -> httpx.Response:
        self._signed(request, "ed25519")
        ends = (self.clock.now() + timedelta(minutes=15)).isoformat()
        key = base64.b64encode(self.session_key).decode()
        return httpx.Response(201, json={"session_id": "s.1", "key": key, "expires_at": ends})

    def _status(self, request: httpx.Request) -> httpx.Response:
        self._signed(request, "hmac-sha256")
        batch_id = UUID(request.url.path.rpartition("/")[2])
        if batch_id not in self.batches:
            return problem("not-found", 404)
        counts = {"accepted": 3, "refused": {}, "redacted": {}}
        return httpx.Response(200, json={"batch_id": str(batch_id), "state": "done"} | counts)

    def _heartbeat(self, request: httpx.Request) -> httpx.Response:
        self._signed(request, "hmac-sha256")
        self.heartbeats.append(json.loads(request.content))
        self.beats.append(len(request.content))
        return httpx.Response(200, json=self._epochs())

    def _enrol(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        public = base64.b64decode(asked["public_key"])
        self.enrolled = public
        key_id = self._signed(request, "ed25519")
        digest = base64.urlsafe_b64encode(hashlib.sha256(public).digest()).rstrip(b"=").decode()
        assert key_id == digest
        if asked["code"] != "GOOD-CODE":
            return problem("enrolment-code", 422)
        answer = {
            "device_id": self.device_id,
            "origin": self.origin,
            "verify_keys": self._verify_keys(),
        }
        return httpx.Response(201, json=answer)

    def _policy(self, request: httpx.Request) -> httpx.Response:
        self._signed(request, "hmac-sha256")
        envelope = self.replays or self.policy()
        if self.spoiled:
            envelope = SPOILED[self.spoiled](envelope)
        etag = f'"{hashlib.sha256(envelope).hexdigest()[:32]}"'
        is_known = request.headers.get("If-None-Match") == etag or self.always_unchanged
        status = 304 if is_known else 200
        self.polls.append(status)
        content = b"" if status == 304 else envelope
        return httpx.Response(status, content=content, headers={"ETag": etag})

    def _upload(self, request: httpx.Request) -> httpx.Response:
        assert self._signed(request, "ed25519") == self.device_id
        assert request.headers["Content-Type"] == "application/vnd.remit.sealed-batch.v1"
        if self.before_upload is not None:
            self.before_upload()
        if self.failures:
            return self.failures.pop(0)()
        if self.refuses:
            return problem(self.refuses, 403)
        batch_id = UUID(request.headers["Idempotency-Key"].strip('"'))
        if self.batches.setdefault(batch_id, request.content) != request.content:
            return problem("idempotency-mismatch", 422)
        self.uploads.append(batch_id)
        receipt = {"batch_id": str(batch_id), "status_url": "", "entry": str(uuid4()), "leaf": ""}
        return httpx.Response(202, json=receipt)

    def _signed(self, request: httpx.Request, algorithm: str) -> str:
        """Check the signature by reading the RFC again, and return the key id."""
        found = _INPUT.match(request.headers["Signature-Input"])
        assert found, request.headers["Signature-Input"]
        parameters, names, created, expires, nonce, key_id, alg = found.groups()
        now = self.clock.ns // 10**9
        if abs(int(created) - now) > 300:
            raise _UnsignedError
        assert int(created) < int(expires) <= int(created) + 120
        assert nonce not in self.nonces
        self.nonces.add(nonce)
        assert alg == algorithm
        covered = names.replace('"', "").split(" ")
        expected = ["@method", "@target-uri"]
        if request.content:
            expected += ["content-digest", "content-type"]
            expected += ["idempotency-key"] if "Idempotency-Key" in request.headers else []
            digest = base64.b64encode(hashlib.sha256(request.content).digest()).decode()
            assert request.headers["Content-Digest"] == f"sha-256=:{digest}:"
        assert covered == expected
        values = {
            "@method": request.method,
            "@target-uri": self.origin + request.url.raw_path.decode(),
        }
        lines = [f'"{n}": {values.get(n) or request.headers[n]}' for n in covered]
        base = "\n".join([*lines, f'"@signature-params": {parameters}']).encode()
        raw = request.headers["Signature"].removeprefix("remit=:").removesuffix(":")
        signature = base64.b64decode(raw, validate=True)
        if alg == "ed25519":
            assert self.enrolled is not None
            Ed25519PublicKey.from_public_bytes(self.enrolled).verify(signature, base)
        elif not hmac.compare_digest(hmac.digest(self.session_key, base, "sha256"), signature):
            raise _UnsignedError
        return key_id

    # -- documents -------------------------------------------------------------------------------

    def policy(self) -> bytes:
        """Return the signed policy as it stands; `overrides` replaces fields of the document."""
        issued = self.issued_at or self.clock.now().replace(second=0, microsecond=0)
        document = {
            "schema": "agent-policy/1",
            "device_id": self.device_id,
            "issued_at": issued.isoformat(),
            "not_before": issued.isoformat(),
            "expires_at": (issued + self.lease).isoformat(),
            "offline_until": (issued + self.offline).isoformat() if self.offline else None,
            "policy_epoch": self.policy_epoch,
            "consent_epoch": self.consent_epoch,
            "paused_until": self.paused_until,
            "applications": self.applications,
            "fields": [],
            "masks": [],
            "seal_keys": [{"key_id": "seal-1", "alg": "MLKEM768_X25519", "public": self._seal()}],
            "budgets": {"max_batch_events": 5000},
            "poll": {"interval_s": 20, "wait_s": 15},
            "verify_keys": self._verify_keys(),
        } | self.overrides
        kind = "application/vnd.remit.agent-policy.v1+json"
        body = json.dumps(document, sort_keys=True).encode()
        return dsse(body, key=self.signer, key_id=self.key_id, kind=kind)

    def _seal(self) -> str:
        public = self.mlkem.public_key().public_bytes_raw()
        return base64.b64encode(public + self.x25519.public_key().public_bytes_raw()).decode()

    def _verify_keys(self) -> list[dict[str, str]]:
        keys = [(self.key_id, self.signer), *self.next_keys]
        return [
            {
                "key_id": name,
                "alg": "ed25519",
                "public": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
            }
            for name, key in keys
        ]

    def _epochs(self) -> dict[str, Any]:
        return {
            "policy_epoch": self.policy_epoch,
            "consent_epoch": self.consent_epoch,
            "server_time": self.clock.now().isoformat(),
        }

    # -- what came in ----------------------------------------------------------------------------

    def header(self, wire: bytes) -> dict[str, Any]:
        (length,) = struct.unpack_from(">I", wire)
        header: dict[str, Any] = json.loads(wire[4 : 4 + length])
        return header

    def open(self, wire: bytes) -> list[dict[str, Any]]:
        """Return the events of a batch, as the vault's worker would see them."""
        (length,) = struct.unpack_from(">I", wire)
        info = b"remit sealed-batch v1\x00" + hashlib.sha256(wire[4 : 4 + length]).digest()
        suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, *SUITE)
        key = hpke.MLKEM768X25519PrivateKey(self.mlkem, self.x25519)
        plaintext = zstd.decompress(suite.decrypt(wire[4 + length :], key, info=info))
        lines, _, rest = plaintext.partition(b"\0")
        while rest:
            (size,) = struct.unpack_from(">I", rest)
            picture, rest = rest[4 : 4 + size], rest[4 + size :]
            self.pictures[hashlib.sha256(picture).hexdigest()] = picture
        return [json.loads(line) for line in lines.splitlines()]

    def opened(self) -> list[dict[str, Any]]:
        """Return all events of all batches, session by session, by number."""
        return [event for events in self.sessions() for event in events]

    def sessions(self) -> list[list[dict[str, Any]]]:
        """Return the events of each session, by number."""
        found: dict[str, list[dict[str, Any]]] = {}
        for wire in self.batches.values():
            found.setdefault(self.header(wire)["session_id"], []).extend(self.open(wire))
        return [sorted(events, key=lambda event: event["seq"]) for events in found.values()]


def problem(slug: str, status: int) -> httpx.Response:
    return httpx.Response(
        status,
        json={"type": f"/problems/{slug}", "title": slug, "detail": "Jane Doe did it"},
        headers={"Content-Type": "application/problem+json"},
    )
