"""Who sent this: a person with a session cookie. Devices: see device_authentication.

Promises: the role is the session's active one, checked against the assignments on every request;
what changes something needs the CSRF token and, where the browser names one, our own origin.
"""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from governance.api.errors import CsrfError
from governance.web.doors import Visitor, visitor_of

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class PersonSession(BaseAuthentication):
    """The session cookie of the portal; `request.user` is a `web.doors.Visitor`."""

    def authenticate(self, request: Request) -> tuple[Visitor, None] | None:
        visitor = visitor_of(request._request)  # noqa: SLF001 - DRF offers no other way to it.
        if visitor is None:
            return None
        if request.method not in _SAFE:
            _check_csrf(request._request)  # noqa: SLF001 - as above.
        return visitor, None

    def authenticate_header(self, request: Request) -> str:
        del request
        return 'Session realm="/api/v1/session"'


class _Check(CsrfViewMiddleware):
    """Django's own check, handing the reason back instead of a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:  # noqa: ANN401 - Django's hook.
        del request
        return reason


def _check_csrf(request: HttpRequest) -> None:
    def unused(_: HttpRequest) -> HttpResponse:
        return HttpResponse()

    check = _Check(unused)
    check.process_request(request)
    if check.process_view(request, unused, (), {}) is not None:
        raise CsrfError("Send the token of the session in X-CSRFToken.")


def check_origin(request: Request) -> None:
    """Refuse a sign-in that another site's page sends; tools name no origin."""
    origin = request.headers.get("Origin")
    own = f"{request.scheme}://{request.get_host()}"
    if origin is not None and origin not in {own, *settings.CSRF_TRUSTED_ORIGINS}:
        raise CsrfError("Another site cannot sign in here.")
