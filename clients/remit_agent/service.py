"""The service as the agent sees it: six signed requests, and what their answers mean.

Promises: no redirect is followed, no answer of more than a megabyte is read, plain http goes to
this machine only. Errors are two: UnreachableError (again later) and RefusedError (no).
"""

import base64
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec

from remit_agent import signing
from remit_agent.clock import Clock
from remit_agent.errors import AgentError, RefusedError, UnreachableError
from remit_agent.home import VerifyKey
from remit_agent.seal import MEDIA_TYPE

T = TypeVar("T")
PREFIX: Final = "/api/v1/agent/"
_LONGEST_AFTER_S: Final = 60.0
MAX_ANSWER_OCTETS: Final = 1 << 20
# Longer than any heartbeat: from the length of one nobody on the network tells what its person
# chose, or whether they pause (R23).
_BEAT_OCTETS: Final = 256
# What answers in the place of a service that is away. With any other answer it is reached.
_AWAY: Final = frozenset({502, 503, 504})
_LONGEST_WAIT_S: Final = 86_400.0
_RETRYABLE: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_SLUG: Final = re.compile(r"^[a-z0-9-]{1,60}\Z")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Enrolment(msgspec.Struct, frozen=True):
    """The answer to an enrolment."""

    device_id: UUID
    origin: str
    verify_keys: list[VerifyKey]


class SessionGrant(msgspec.Struct, frozen=True):
    """A session key of fifteen minutes; `key` is base64."""

    session_id: str
    key: str
    expires_at: datetime


class Receipt(msgspec.Struct, frozen=True):
    """The service has the batch: the audit entry that says so, and its leaf hash."""

    batch_id: UUID
    status_url: str
    entry: str
    leaf: str


class BatchStatus(msgspec.Struct, frozen=True):
    """How a batch ended: counts only."""

    batch_id: UUID
    state: str
    accepted: int
    refused: dict[str, int]
    redacted: dict[str, int]

    @property
    def is_final(self) -> bool:
        """Whether the worker is done with it."""
        return self.state != "queued"


class PolicyAnswer(msgspec.Struct, frozen=True):
    """A poll's answer; `ask_again_s`: it was not held open, ask again after so long."""

    envelope: bytes | None = None
    etag: str | None = None
    ask_again_s: float | None = None


class Epochs(msgspec.Struct, frozen=True):
    """What a heartbeat tells: the epochs in force and the service's time."""

    policy_epoch: int
    consent_epoch: int
    server_time: datetime


class _Problem(msgspec.Struct, frozen=True):
    type: str = "about:blank"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body of an answer that was not an error."""

    status: int
    headers: httpx.Headers
    body: bytes

    def decode(self, kind: type[T]) -> T:
        """Return the JSON body as `kind`; UnreachableError when it is something else."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UnreachableError("The service answered something unexpected.") from error


@dataclass(frozen=True, slots=True)
class Service:
    """Signed requests to one service. `origin` is what is signed, `server` where it is sent."""

    server: str
    origin: str
    client: httpx.Client
    clock: Clock = field(default_factory=Clock)

    def enrol(self, *, signer: signing.Signer, body: Mapping[str, str]) -> Enrolment:
        """Trade a one-time code for a device id and the policy keys to pin."""
        return self._post("enrolments", body, signer).decode(Enrolment)

    def open_session(self, *, signer: signing.Signer) -> tuple[signing.SessionSigner, datetime]:
        """Return a session key and the end of its fifteen minutes."""
        grant = self._post("sessions", {}, signer).decode(SessionGrant)
        return (
            signing.SessionSigner(grant.session_id, base64.b64decode(grant.key)),
            grant.expires_at,
        )

    def policy(self, *, signer: signing.Signer, etag: str | None, wait_s: int = 0) -> PolicyAnswer:
        """Return the envelope and its ETag, or neither when `etag` is still current."""
        headers = {"If-None-Match": etag} if etag else {}
        if wait_s:
            headers["Prefer"] = f"wait={wait_s}"
        answer = self._send("GET", "policy", headers=headers, signer=signer, wait_s=wait_s)
        after = answer.headers.get("Poll-After", "")
        ask_again_s = min(float(after), _LONGEST_AFTER_S) if after.isdecimal() else None
        if answer.status == httpx.codes.NOT_MODIFIED:
            return PolicyAnswer(ask_again_s=ask_again_s)
        return PolicyAnswer(answer.body, answer.headers.get("ETag"), ask_again_s)

    def upload(self, *, signer: signing.Signer, batch_id: UUID, wire: bytes) -> Receipt:
        """Send a sealed batch; the same batch again gives the same receipt."""
        headers = {"Content-Type": MEDIA_TYPE, "Idempotency-Key": f'"{batch_id}"'}
        answer = self._send("POST", "capture-batches", headers=headers, body=wire, signer=signer)
        return answer.decode(Receipt)

    def status(self, *, signer: signing.Signer, batch_id: UUID) -> BatchStatus:
        """Return how a batch ended, or that it has not yet."""
        return self._send("GET", f"capture-batches/{batch_id}", signer=signer).decode(BatchStatus)

    def heartbeat(self, *, signer: signing.Signer, body: Mapping[str, str | int]) -> Epochs:
        """Say what this device is doing; learn whether the policy moved on."""
        return self._post("heartbeats", body, signer, octets=_BEAT_OCTETS).decode(Epochs)

    def _post(
        self, path: str, body: Mapping[str, str | int], signer: signing.Signer, *, octets: int = 0
    ) -> Answer:
        """Send JSON, with spaces after it up to a length."""
        headers = {"Content-Type": "application/json"}
        content = msgspec.json.encode(dict(body)).ljust(octets)
        return self._send("POST", path, headers=headers, body=content, signer=signer)

    def _send(
        self,
        method: str,
        path: str,
        *,
        signer: signing.Signer,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        wait_s: int = 0,
    ) -> Answer:
        sent = dict(headers or {})
        target = signing.Target(method=method, uri=f"{self.origin}{PREFIX}{path}")
        now_s = self.clock.now_ns() // 1_000_000_000
        sent |= signing.sign_request(
            target=target, headers=sent, body=body, signer=signer, now_s=now_s
        )
        timeout = httpx.Timeout(10.0, read=10.0 + wait_s)
        url = f"{self.server}{PREFIX}{path}"
        try:
            with self.client.stream(
                method, url, headers=sent, content=body, timeout=timeout
            ) as response:
                answer = Answer(response.status_code, response.headers, _bounded(response))
        except httpx.HTTPError as error:
            was_sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            raise UnreachableError("The service cannot be reached.", was_sent=was_sent) from error
        _check(answer)
        return answer


@contextmanager
def connect(
    server: str,
    *,
    origin: str | None = None,
    transport: httpx.BaseTransport | None = None,
    clock: Clock | None = None,
) -> Iterator[Service]:
    """Open connections to a service; AgentError for a URL that would send secrets in clear."""
    base = checked_url(server)
    # A proxy is for the network; the demo's loopback address is not on it.
    is_local = urlsplit(base).hostname in _LOOPBACK
    with httpx.Client(
        transport=transport,
        follow_redirects=False,
        trust_env=not is_local,
        verify=authorities(base),
    ) as client:
        yield Service(base, origin or base, client, clock or Clock())


def authorities(base: str) -> ssl.SSLContext:
    """Return whom a connection to `base` trusts; nobody for plain http, where none is asked.

    Reading the machine's authorities takes 28 ms of each start otherwise.
    """
    if base.startswith("https:"):
        return httpx.create_ssl_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def checked_url(server: str) -> str:
    """Return scheme and authority of a service's URL, https unless it is this machine."""
    parts = urlsplit(server)
    try:
        is_local = parts.hostname in _LOOPBACK and parts.port != 0
    except ValueError:
        is_local = False
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_local)
    if not secure or not parts.hostname or parts.path not in {"", "/"} or "@" in parts.netloc:
        raise AgentError("--server takes an https origin (plain http for this machine only).")
    return f"{parts.scheme}://{parts.netloc}"


def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    for part in response.iter_bytes():
        body += part
        if len(body) > MAX_ANSWER_OCTETS:
            raise UnreachableError("The service answered with more than we read.")
    return bytes(body)


def _check(answer: Answer) -> None:
    if answer.status < httpx.codes.BAD_REQUEST and not 300 <= answer.status < 304:  # noqa: PLR2004
        return
    if answer.status in _RETRYABLE:
        raise UnreachableError(
            "The service asks for patience.",
            retry_after_s=_seconds(answer.headers.get("Retry-After", "")),
            is_away=answer.status in _AWAY,
        )
    raise RefusedError(problem=_slug(answer), status=answer.status)


def _seconds(retry_after: str) -> float | None:
    """Return how long to wait, a day at most; None for what is no number."""
    if not (retry_after.isascii() and retry_after.isdecimal()):
        return None
    return min(float(retry_after), _LONGEST_WAIT_S)


def _slug(answer: Answer) -> str:
    """Return the problem's slug (RFC 9457 `type`), or a neutral word: the body is not trusted."""
    try:
        kind = msgspec.json.decode(answer.body, type=_Problem).type
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "unknown-problem"
    slug = kind.rstrip("/").rpartition("/")[2]
    return slug if _SLUG.match(slug) else "unknown-problem"
