"""The service as a training team sees it: one signed-in session, releases, recalls.

Promises: no redirect is followed, so that the session goes to one place; a file is written under
its name only when it is whole and is what the signed manifest says.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from remit_agent.errors import AgentError
from remit_agent.home import VerifyKey
from remit_agent.service import authorities, checked_url
from remit_trainer.errors import ReleaseError, TrainerError
from remit_trainer.home import Cookie, Session
from remit_trainer.manifest import ReleaseFile

T = TypeVar("T")
MAX_DOCUMENT_OCTETS = 8 << 20


class _SignedIn(msgspec.Struct, frozen=True):
    csrf: str


class _Keys(msgspec.Struct, frozen=True):
    keys: list[VerifyKey]


@dataclass(frozen=True, slots=True)
class Service:
    """One service, one user."""

    server: str
    client: httpx.Client
    csrf: str = ""

    def sign_in(self, *, user: str, password: str) -> Session:
        """Return a session; the password is not kept."""
        body = self._read("POST", "session", json={"username": user, "password": password})
        cookies = [Cookie(c.name, c.value or "") for c in self.client.cookies.jar]
        return Session(self.server, user, _decode(body, _SignedIn).csrf, cookies)

    def manifest(self, *, release: str) -> bytes:
        """Return the DSSE envelope of a release's manifest."""
        return self._read("GET", f"releases/{quote(release, safe='')}/manifest")

    def keys(self, *, release: str) -> list[VerifyKey]:
        """Return the keys the service says it signs releases with."""
        path = f"releases/{quote(release, safe='')}/keys"
        return _decode(self._read("GET", path), _Keys).keys

    def fetch(self, *, release: str, purpose: str, file: ReleaseFile, folder: Path) -> None:
        """Write one file of a release; ReleaseError, and no file, when it was not signed so."""
        target = folder / file.name
        part = target.with_name(target.name + ".part")
        target.parent.mkdir(parents=True, exist_ok=True)
        path = f"releases/{quote(release, safe='')}/files/{quote(file.name)}"
        state, length = hashlib.sha256(), 0
        try:
            with (
                self._stream("GET", path, params={"purpose": purpose}) as response,
                part.open("wb") as out,
            ):
                for piece in response.iter_bytes():
                    length += len(piece)
                    if length > file.length:
                        break
                    state.update(piece)
                    out.write(piece)
            if length != file.length or state.hexdigest() != file.sha256:
                raise ReleaseError(f"{file.name} is not what was released.")
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def attest(self, *, recall: str, statement: str) -> None:
        """Say that the recalled data is gone from here."""
        path = f"recalls/{quote(recall, safe='')}/attestations"
        self._read("POST", path, json={"statement": statement})

    def _read(self, method: str, path: str, json: dict[str, str] | None = None) -> bytes:
        with self._stream(method, path, json=json) as response:
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MAX_DOCUMENT_OCTETS:
                    raise TrainerError("The service answered with more than we read.")
            return bytes(body)

    @contextmanager
    def _stream(
        self,
        method: str,
        path: str,
        *,
        json: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
    ) -> Iterator[httpx.Response]:
        headers = {"X-CSRFToken": self.csrf} if self.csrf else {}
        url = f"{self.server}/api/v1/{path}"
        try:
            with self.client.stream(
                method, url, json=json, params=params, headers=headers
            ) as response:
                _check(response)
                yield response
        except httpx.HTTPError as error:
            raise TrainerError("The service cannot be reached.") from error


@contextmanager
def connect(
    server: str, *, session: Session | None = None, transport: httpx.BaseTransport | None = None
) -> Iterator[Service]:
    """Open connections to a service, signed in when there is a session."""
    try:
        base = checked_url(server)
    except AgentError as error:
        raise TrainerError(str(error)) from error
    host = urlsplit(base).hostname or ""
    is_local = host in {"127.0.0.1", "::1", "localhost"}
    with httpx.Client(
        transport=transport,
        follow_redirects=False,
        trust_env=not is_local,
        timeout=30.0,
        verify=authorities(base),
    ) as client:
        for cookie in session.cookies if session else []:
            client.cookies.set(cookie.name, cookie.value)
        yield Service(base, client, session.csrf if session else "")


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    raise TrainerError(_SENTENCES.get(response.status_code, "The service refused.")
                       + f" ({response.status_code})")  # fmt: skip


_SENTENCES = {
    401: "The session has ended, or the password is wrong: `remit-trainer enrol` again.",
    403: "This is not allowed for this user, role or purpose.",
    404: "There is no such thing, or it is not yours.",
    410: "The release was recalled.",
    503: "The service cannot account for reads now; try again later.",
}


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise TrainerError("The service answered something unexpected.") from error
