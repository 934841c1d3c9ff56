"""The service's WSGI application and one address more: the least that a server can answer."""

from collections.abc import Callable, Iterable
from typing import Any

from governance.wsgi import application as service

_HELLO = [("Content-Type", "text/plain"), ("Content-Length", "6")]


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Say hello at /bench/hello and hand everything else on."""
    if environ["PATH_INFO"] == "/bench/hello":
        start_response("200 OK", _HELLO)
        return [b"hello\n"]
    return service(environ, start_response)
