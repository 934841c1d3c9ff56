"""The short way in for uploads: a well-formed one needs neither Django's middleware nor DRF.

Promise: it takes exactly what the view behind it would take, by the same signature, bounds and
intake, and answers with the same headers and body. Whatever is unusual about a request, and every
refusal, is left to the view (CaptureBatchesView): an error found here is raised there, so that
problem documents, their headers and the log lines of bugs are made in one place.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any, Final, cast
from urllib.parse import urlsplit

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_started
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from audit.ids import uuid7
from governance.api import agent
from governance.api.device_authentication import DeviceKeyForUpload, Headers
from governance.capture import sealed_batch
from governance.web import middleware

PATH: Final = "/api/v1/agent/capture-batches"
Environ = dict[str, Any]
Application = Callable[..., Iterable[bytes]]
_PLAIN: Final = {"REQUEST_METHOD": "POST", "PATH_INFO": PATH, "CONTENT_TYPE": agent.SEALED_BATCH}
_ANY_ANSWER: Final = {"", "*/*", "application/json"}
LOOK_SECONDS: Final = 1.0
_thread = threading.local()
_authentication: Final = DeviceKeyForUpload()


class UploadDoor:
    """WSGI: answers uploads itself and hands everything else on."""

    def __init__(self, rest: Application) -> None:
        self._rest = rest

    def __call__(self, environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        """Answer one request."""
        answer = take(environ)
        if answer is None:
            return self._rest(environ, start_response)
        start_response(f"{answer.status_code} {answer.reason_phrase}", [*answer.items()])
        return [answer.content]


def take(environ: Environ) -> HttpResponse | None:
    """Take one upload in; None leaves the request to Django, with what there is to refuse in it."""
    if not _is_plain(environ):
        return None
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    environ["wsgi.input"] = BytesIO(body)
    try:
        replace_dead_connections(environ)
        sent = _Upload(environ, body)
        device, _ = _authentication.authenticate(sent)
        receipt, entry = agent.received(device, sent.headers, body)
    except Exception as error:  # noqa: BLE001 - raised again, in the view.
        environ[agent.REFUSAL] = error
        _thread.looked_at = None
        return None
    return _answer(receipt, entry, scheme=environ["wsgi.url_scheme"])


def replace_dead_connections(environ: Environ) -> None:
    """Do what Django does around each request, but ask busy connections only once a second.

    One that dies meanwhile costs its next upload an answer of 503, and the agent comes back.
    """
    now = time.monotonic()
    looked_at = getattr(_thread, "looked_at", None)
    if looked_at is None or now - looked_at >= LOOK_SECONDS:
        request_started.send(sender=UploadDoor, environ=environ)
        _thread.looked_at = now


def _is_plain(environ: Mapping[str, Any]) -> bool:
    """Say whether only signature and content of an upload are left to be judged."""
    length = environ.get("CONTENT_LENGTH", "")
    return (
        all(environ.get(name) == value for name, value in _PLAIN.items())
        and not environ.get("QUERY_STRING")
        and not environ.get("SCRIPT_NAME")
        and environ.get("HTTP_HOST") == urlsplit(settings.REMIT_EXTERNAL_ORIGIN).netloc
        and environ.get("HTTP_ACCEPT", "") in _ANY_ANSWER
        and length.isascii()
        and length.isdecimal()
        and len(length) < len(str(10 * sealed_batch.MAX_WIRE_OCTETS))
        and int(length) <= sealed_batch.MAX_WIRE_OCTETS
    )


class _Headers:
    """Looks headers up by name where WSGI keeps them."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ

    def get(self, name: str, default: str) -> str:
        name = name.upper().replace("-", "_")
        named = name if name == "CONTENT_TYPE" else f"HTTP_{name}"
        return str(self._environ.get(named, default))


def named_headers(environ: Mapping[str, Any]) -> Headers:
    """Return the headers of a WSGI request, by name."""
    return _Headers(environ)


class _Upload:
    """What of a request is signed."""

    method = "POST"

    def __init__(self, environ: Mapping[str, Any], body: bytes) -> None:
        self.headers: Headers = _Headers(environ)
        self.body = body

    def get_full_path(self) -> str:
        return PATH


def _answer(receipt: Mapping[str, str], entry: str, *, scheme: str) -> HttpResponse:
    content = json.dumps(receipt).encode()
    answer = HttpResponse(content, status=202, content_type="application/json")
    own = {
        "Audit-Entry": entry,
        "Content-Length": str(len(content)),
        "Request-Id": str(uuid7()),
    }
    for name, value in (every_answer(scheme) | own).items():
        answer.headers[name] = value
    return answer


@lru_cache
def every_answer(scheme: str) -> dict[str, str]:
    """Return the headers that the middleware puts on any answer to a machine."""

    def bare(_: HttpRequest) -> HttpResponse:
        return HttpResponse()

    stack = middleware.headers(bare)
    for around in (XFrameOptionsMiddleware, CSPMiddleware, SecurityMiddleware):
        stack = cast("middleware.Answer", around(stack))
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": PATH, "wsgi.url_scheme": scheme}
    found = dict(stack(WSGIRequest(environ | {"wsgi.input": BytesIO()})).items())
    del found["Content-Type"]
    return found
