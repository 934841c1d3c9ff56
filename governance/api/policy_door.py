"""The short way for polls: an agent whose policy is still the same is told so before Django.

Promise: it says 304 exactly when the view behind it would (PolicyView), to a request with the same
signature, with its headers for machines; everything else, and every doubt, is left to the view. A
thousand agents may ask once a second this way, so that a withdrawal reaches them all in time
(bench/stopping.py).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from audit.ids import uuid7
from governance.api import agent
from governance.api.device_authentication import DeviceSession, Headers
from governance.api.errors import SignatureInvalidError
from governance.api.upload_door import every_answer, named_headers, replace_dead_connections
from governance.capture import agent_policy

PATH: Final = "/api/v1/agent/policy"
UNCHANGED: Final = "304 Not Modified"
Environ = dict[str, Any]
Application = Callable[..., Iterable[bytes]]
_PLAIN: Final = {"REQUEST_METHOD": "GET", "PATH_INFO": PATH}
# What Django puts on an answer without a body, too.
_KIND: Final = {"Content-Type": "text/html; charset=utf-8"}
_authentication: Final = DeviceSession()


class PolicyDoor:
    """WSGI: answers polls with nothing new itself and hands everything else on."""

    def __init__(self, rest: Application) -> None:
        self._rest = rest

    def __call__(self, environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        """Answer one request."""
        answer = unchanged(environ)
        if answer is None:
            return self._rest(environ, start_response)
        start_response(UNCHANGED, [*answer.items()])
        return []


def unchanged(environ: Environ) -> dict[str, str] | None:
    """Return the headers of a 304 when nothing is new; None leaves the request to Django."""
    if not _is_plain(environ):
        return None
    headers = named_headers(environ)
    wait = agent.wait_seconds(headers.get("Prefer", ""))
    if wait and agent.has_place():
        return None
    etag = headers.get("If-None-Match", "")
    try:
        replace_dead_connections(environ)
        device, _ = _authentication.authenticate(_Poll(headers))
        if not agent_policy.is_current(
            device_id=device.device_id, subject=device.subject, etag=etag
        ):
            return None
    except SignatureInvalidError:
        return None
    return _answer(etag, scheme=environ["wsgi.url_scheme"], wait=wait)


def _is_plain(environ: Mapping[str, Any]) -> bool:
    return (
        all(environ.get(name) == value for name, value in _PLAIN.items())
        and bool(environ.get("HTTP_IF_NONE_MATCH"))
        and not environ.get("QUERY_STRING")
        and not environ.get("SCRIPT_NAME")
        and environ.get("CONTENT_LENGTH", "") in {"", "0"}
        and environ.get("HTTP_HOST") == urlsplit(settings.REMIT_EXTERNAL_ORIGIN).netloc
    )


class _Poll:
    """What of a request is signed."""

    method = "GET"
    body = b""

    def __init__(self, headers: Headers) -> None:
        self.headers = headers

    def get_full_path(self) -> str:
        return PATH


def _answer(etag: str, *, scheme: str, wait: int) -> dict[str, str]:
    # A response of Django's costs more than all that is checked here; no text of a request but the
    # ETag, which is one of ours, stands in these headers.
    own = agent.poll_headers(etag, asked_to_wait=bool(wait)) | {"Request-Id": str(uuid7())}
    return every_answer(scheme) | _KIND | own
