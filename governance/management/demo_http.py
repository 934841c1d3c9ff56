"""A person at the API, as any script would be: signs in, asks, sends, and nothing else."""

import ssl
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

import httpx

from governance.management.demo_people import PASSWORD

_BUSY: Final = frozenset({429, 502, 503, 504})
_PATIENCE_SECONDS: Final = 60.0


class DemoError(Exception):
    """The story cannot go on; the text says which request was answered how."""


class Caller:
    """Somebody signed in. Asks again while the service is still starting."""

    def __init__(self, server: str, username: str) -> None:
        self.username = username
        self._client = httpx.Client(
            base_url=f"{server}/api/v1/",
            timeout=30.0,
            trust_env=False,
            follow_redirects=False,
            # Plain http on this machine: reading the authorities for nothing takes 28 ms each time.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )

    def __enter__(self) -> Self:
        """Sign in."""
        credentials = {"username": self.username, "password": PASSWORD}
        answer = self.send("POST", "session", credentials)
        self._client.headers["X-CSRFToken"] = answer.json()["csrf"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection; the session ends by itself."""
        self._client.close()

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON is any of six types.
        """Return what the service answers."""
        return self.send("GET", path).json()

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - as get().
        """Send something new; return the answer."""
        return self.send("POST", path, body or {}).json()

    def put(self, path: str, body: Mapping[str, object]) -> None:
        """Send a decision."""
        self.send("PUT", path, body)

    def is_refused(self, path: str, body: Mapping[str, object], *, problem: str) -> bool:
        """Send what must be refused; say whether it was, for this reason."""
        answer = self._ask("POST", path, body)
        if answer.status_code < httpx.codes.BAD_REQUEST:
            return False
        return str(answer.json().get("type", "")).endswith(f"/{problem}")

    def send(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> httpx.Response:
        """Send a request; DemoError for an answer that says no."""
        answer = self._ask(method, path, body)
        if not answer.is_success:
            detail = answer.text[:300].replace("\n", " ")
            raise DemoError(
                f"{self.username}: {method} {path} was answered {answer.status_code}: {detail}"
            )
        return answer

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None) -> httpx.Response:
        stop_at = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                answer = self._client.request(method, path, json=body)
            except httpx.TransportError as error:
                if time.monotonic() > stop_at:
                    raise DemoError("The service cannot be reached.") from error
            else:
                if answer.status_code not in _BUSY or time.monotonic() > stop_at:
                    return answer
            time.sleep(0.3)


def wait_until(is_so: Callable[[], bool], *, what: str, seconds: float) -> None:
    """Wait for something the service does by itself; DemoError when it does not."""
    stop_at = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > stop_at:
            raise DemoError(f"{what} did not come about within {seconds:g} seconds.")
        time.sleep(0.3)
