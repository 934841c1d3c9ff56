"""A person at the API: a session cookie, the CSRF token, and nothing else."""

import ssl
from types import TracebackType
from typing import Any, Self

import httpx

# Whom plain http trusts: reading the machine's authorities takes 28 ms each time.
NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def get(address: str, **given: Any) -> httpx.Response:
    """Ask once over plain http, as `httpx.get` does."""
    return httpx.get(address, trust_env=False, verify=NOBODY, **given)


def post(address: str, **given: Any) -> httpx.Response:
    """Send once over plain http, as `httpx.post` does."""
    return httpx.post(address, trust_env=False, verify=NOBODY, **given)


class Person:
    """One signed-in browser without pages. Raises nothing by itself: tests look at the status."""

    def __init__(self, origin: str, *, timeout_seconds: float = 30) -> None:
        self._client = httpx.Client(
            base_url=origin, timeout=timeout_seconds, trust_env=False, verify=NOBODY
        )
        self._origin = origin
        self._csrf = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def sign_in(self, username: str, password: str = "demo") -> Self:
        """Open a session; an AssertionError shows the answer when it was refused."""
        answer = self.post("/api/v1/session", {"username": username, "password": password})
        assert answer.status_code in (httpx.codes.OK, httpx.codes.CREATED), answer.text
        self._csrf = answer.json()["csrf"]
        return self

    def sign_out(self) -> httpx.Response:
        """End the session."""
        answer = self.delete("/api/v1/session")
        self._csrf = ""
        return answer

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        """GET, with query parameters by name."""
        return self._client.get(path, params=parameters or None)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        """POST JSON."""
        return self.send("POST", path, body)

    def put(self, path: str, body: Any = None) -> httpx.Response:
        """PUT JSON."""
        return self.send("PUT", path, body)

    def delete(self, path: str, body: Any = None) -> httpx.Response:
        """DELETE."""
        return self.send("DELETE", path, body)

    def submit(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """POST a form as a page does; redirections are not followed."""
        return self._client.post(
            path, data=fields, headers={"Origin": self._origin, "X-CSRFToken": self._csrf}
        )

    def send(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send any request; the token and the origin go with it as a browser would send them."""
        own = {"Origin": self._origin} | ({"X-CSRFToken": self._csrf} if self._csrf else {})
        return self._client.request(method, path, json=body, headers=own | (headers or {}))
