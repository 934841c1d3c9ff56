"""A client whose uploads come in as they do in production: by the short way, where they may."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_started
from django.db import close_old_connections
from django.test import Client

from governance.api import upload_door


def plain_client() -> Client:
    """Return a client that knows Django alone."""
    return Client(headers={"Host": urlsplit(settings.REMIT_EXTERNAL_ORIGIN).netloc})


def door_client() -> Client:
    """Return a client with the door before Django, as in governance.wsgi."""
    client = plain_client()
    django = client.handler

    def handler(environ: dict[str, Any]) -> Any:
        # As the client does around Django: the connections are the test's.
        request_started.disconnect(close_old_connections)
        answer: Any = upload_door.take(environ)
        request_started.connect(close_old_connections)
        if answer is None:
            return django(environ)
        # A client looks at the first; the tests at the second.
        answer.wsgi_request = WSGIRequest(environ)
        answer.short_way = True
        return answer

    client.handler = handler  # type: ignore[assignment]  # All that a client asks of it.
    return client
