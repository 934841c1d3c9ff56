"""The host that passkeys are bound to: browsers give none to a bare address such as 127.0.0.1."""

from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

LOCAL: Final = "localhost"


def name() -> str:
    """Return the host's name; on one's own machine it is `localhost`."""
    host = urlsplit(settings.REMIT_EXTERNAL_ORIGIN).hostname or ""
    return LOCAL if host in {"127.0.0.1", "::1"} else host


def address() -> str:
    """Return the address at which a passkey works."""
    parts = urlsplit(settings.REMIT_EXTERNAL_ORIGIN)
    return f"{parts.scheme}://{name()}{f':{parts.port}' if parts.port else ''}/"


def fits(request: HttpRequest) -> bool:
    """Say whether the browser has opened an address at which it does the ceremony."""
    return urlsplit(f"//{request.get_host()}").hostname == name()
