"""Turns whatever went wrong into an RFC 9457 problem document.

Promises: no personal data and no internals in any of them; what is not there and what is not yours
have the same bytes; a bug is told as `fault` and nothing more; each carries the id of its request
but for 404, whose bytes would differ by it (`Request-Id` is a header of every answer).
"""

import sys
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import override
from rest_framework import exceptions as drf

from governance.api.errors import SignatureInvalidError
from governance.api.problem_table import FAULT, Row, row_for
from governance.api.problem_types import TYPES, open_pages
from governance.web import failures

CONTENT_TYPE: Final = "application/problem+json"
_MACHINES: Final = "/api/"
_ERROR_LIMIT: Final = 100
# What a database raises that is away, full, locked or undid a transaction for another's sake.
_AWAY: Final = (OperationalError, InterfaceError)
_AWAY_SECONDS: Final = 5

# What the framework itself raises; the order matters, the first that fits counts.
_FRAMEWORK: Final[tuple[tuple[type[Exception], str], ...]] = (
    (drf.ParseError, "invalid-request"),
    (drf.NotAuthenticated, "not-signed-in"),
    (drf.AuthenticationFailed, "not-signed-in"),
    (drf.PermissionDenied, "not-allowed"),
    (DjangoPermissionDenied, "not-allowed"),
    (drf.NotFound, "not-found"),
    (Http404, "not-found"),
    (drf.MethodNotAllowed, "method-not-allowed"),
    (drf.NotAcceptable, "not-acceptable"),
    (drf.UnsupportedMediaType, "unsupported-type"),
    (drf.Throttled, "rate-limited"),
    (RequestDataTooBig, "too-large"),
)

open_pages()


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """Answer an exception of a view; None (a bug) goes on to Django, which logs it."""
    request: HttpRequest = context["request"]._request  # noqa: SLF001 - DRF offers no other way.
    if isinstance(error, drf.ValidationError):
        return respond(request, "invalid-request", errors=_pointers(error.detail)[:_ERROR_LIMIT])
    if isinstance(error, _AWAY):
        return _away(request)
    if (row := row_for(type(error))) is not None:
        return None if row.slug == FAULT else _domain(request, error, row)
    for kind, slug in _FRAMEWORK:
        if isinstance(error, kind):
            return _framework(request, error, slug)
    return None


def respond(
    request: HttpRequest,
    slug: str,
    *,
    detail: str = "",
    headers: Mapping[str, str] | None = None,
    **members: object,
) -> HttpResponse:
    """Return the problem document of a type, in English: machines and their logs read it."""
    found = TYPES[slug]
    with override("en"):
        body: dict[str, object] = {
            "type": f"/problems/{slug}",
            "title": str(found.title),
            "status": found.status,
            "detail": detail or str(found.then),
        }
    identity = request.META.get("remit.request_id")
    if isinstance(identity, UUID) and slug != "not-found":
        body["instance"] = f"urn:uuid:{identity}"
    response = JsonResponse(body | members, status=found.status, content_type=CONTENT_TYPE)
    for name, value in (headers or {}).items():
        response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    if entry := request.META.get("remit.entry"):
        response.headers["Audit-Entry"] = entry
    return response


def _domain(request: HttpRequest, error: Exception, row: Row) -> HttpResponse:
    members: dict[str, object] = {name: getattr(error, name) for name in row.members}
    headers: dict[str, str] = {}
    retry = row.retry_after_seconds
    if retry is not None:
        seconds = getattr(error, retry) if isinstance(retry, str) else retry
        headers["Retry-After"] = str(seconds)
    if isinstance(error, SignatureInvalidError):
        headers["WWW-Authenticate"] = 'Signature tag="remit-agent-1"'
        if error.server_time:
            members["server_time"] = timezone.now().isoformat()
    entry = getattr(error, "entry", None)
    if entry is not None and hasattr(entry, "header"):
        headers["Audit-Entry"] = entry.header
    detail = str(error) if row.says_why else ""
    if row.slug == "invalid-request":
        pointer = members.pop("pointer", "")
        members["errors"] = [{"pointer": pointer, "code": "invalid", "detail": detail}]
    return respond(request, row.slug, detail=detail, headers=headers, **members)


def _away(request: HttpRequest) -> HttpResponse:
    headers = {"Retry-After": str(_AWAY_SECONDS)}
    return respond(request, "database-unavailable", headers=headers)


def _framework(request: HttpRequest, error: Exception, slug: str) -> HttpResponse:
    headers: dict[str, str] = {}
    detail = ""
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait) + 1)
    if isinstance(error, drf.ParseError):
        detail = str(error.detail)
        return respond(
            request,
            slug,
            detail=detail,
            errors=[{"pointer": "", "code": "json", "detail": detail}],
        )
    return respond(request, slug, detail=detail, headers=headers)


def _pointers(detail: object, at: str = "") -> list[dict[str, str]]:
    """Return DRF's nested messages as a flat list of RFC 6901 pointers."""
    if isinstance(detail, Mapping):
        return [
            error
            for key, inner in detail.items()
            for error in _pointers(inner, at if key == "non_field_errors" else f"{at}/{key}")
        ]
    if isinstance(detail, list):
        lists = [
            _pointers(inner, at if isinstance(inner, str) else f"{at}/{index}")
            for index, inner in enumerate(detail)
        ]
        return [error for found in lists for error in found]
    return [{"pointer": at, "code": str(getattr(detail, "code", "invalid")), "detail": str(detail)}]


def is_for_machines(request: HttpRequest) -> bool:
    """Return whether the caller of this address reads problem documents, not pages."""
    return request.path.startswith(_MACHINES)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer what Django itself could not read."""
    if not is_for_machines(request):
        return failures.bad_request(request, exception)
    slug = "too-large" if isinstance(exception, RequestDataTooBig) else "invalid-request"
    return respond(request, slug)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a refusal of Django itself."""
    if not is_for_machines(request):
        return failures.forbidden(request, exception)
    return respond(request, "not-allowed")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer an address that leads nowhere with the bytes of a record that is not yours."""
    if not is_for_machines(request):
        return failures.not_found(request, exception)
    return respond(request, "not-found")


def broken(request: HttpRequest) -> HttpResponse:
    """Answer a bug; Django has logged it, and nothing of it leaves."""
    is_away = isinstance(sys.exc_info()[1], _AWAY)
    if not is_for_machines(request):
        return failures.away(request) if is_away else failures.broken(request)
    return _away(request) if is_away else respond(request, FAULT)
