"""The short way for polls: an agent whose policy this process knows is answered before Django.

Promise: it says what the view behind it would (PolicyView), to a request with the same signature:
304 where the agent has the policy that is in force, 200 with its signed bytes where it has another
one. A 304 has no body, and none of the headers that tell a browser what a body may do (RFC 9110
§15.4.5). Everything else, and every doubt, is left to the view. What it knows may be a moment old
(capture.known_policies), never for an upload: intake reads the rows.

A thousand agents may ask once a second this way, so that a withdrawal reaches them all in time
(bench/polling.py, bench/stopping.py).
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

from audit.ids import uuid7_text
from governance.api import agent
from governance.api.poll_signature import signing_device
from governance.api.upload_door import every_answer, replace_dead_connections
from governance.capture import known_policies

PATH: Final = "/api/v1/agent/policy"
UNCHANGED: Final = "304 Not Modified"
CHANGED: Final = "200 OK"
Environ = dict[str, Any]
Application = Callable[..., Iterable[bytes]]
# Status, headers and body.
Answer = tuple[str, list[tuple[str, str]], bytes]
_ANY_ANSWER: Final = {"", "*/*", "application/json"}
_NO_BODY: Final = {"", "0"}


class PolicyDoor:
    """WSGI: answers plain polls itself and hands everything else on."""

    def __init__(self, rest: Application) -> None:
        self._rest = rest

    def __call__(self, environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        """Answer one request."""
        answer = poll(environ) if environ.get("PATH_INFO") == PATH else None
        if answer is None:
            return self._rest(environ, start_response)
        status, headers, body = answer
        start_response(status, headers)
        return [body] if body else []


def poll(environ: Environ) -> Answer | None:
    """Answer one poll; None leaves the request to Django."""
    device = signing_device(environ, PATH) if _is_plain(environ.get) else None
    if device is None:
        return None
    etag = known_policies.remembered(device)
    if etag is None:
        replace_dead_connections(environ)
        etag = known_policies.etag(device)
        if etag is None:
            return None
    prefer = environ.get("HTTP_PREFER")
    wait = agent.wait_seconds(prefer) if prefer else 0
    if etag != environ.get("HTTP_IF_NONE_MATCH"):
        return _changed(device, etag, wait, environ["wsgi.url_scheme"])
    if wait and agent.has_place():
        return None
    return UNCHANGED, _own(etag, wait), b""


def _changed(device: str, etag: str, wait: int, scheme: str) -> Answer | None:
    envelope = known_policies.envelope(device, etag)
    if envelope is None:
        return None
    length = ("Content-Length", str(len(envelope)))
    return CHANGED, [*_for_a_body(scheme), length, *_own(etag, wait)], envelope


def _is_plain(get: Callable[..., str]) -> bool:
    return (
        get("REQUEST_METHOD") == "GET"
        and get("PATH_INFO") == PATH
        and not get("QUERY_STRING")
        and not get("SCRIPT_NAME")
        and get("CONTENT_LENGTH", "") in _NO_BODY
        and get("HTTP_ACCEPT", "") in _ANY_ANSWER
    )


def _own(etag: str, wait: int) -> list[tuple[str, str]]:
    # A response of Django's costs more than all that is checked here; no text of a request but the
    # ETag, which is one of ours, stands in these headers.
    return [*agent.poll_headers(etag, asked_to_wait=bool(wait)), ("Request-Id", uuid7_text())]


@lru_cache
def _for_a_body(scheme: str) -> tuple[tuple[str, str], ...]:
    headers = every_answer(scheme) | {"Content-Type": "application/json"}
    # A poll's answer says so itself.
    del headers["Cache-Control"]
    return tuple(headers.items())
