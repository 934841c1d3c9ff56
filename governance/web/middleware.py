"""What every answer carries, and what a page says when the domain refuses.

Promises: one id per request; no answer with something personal in it is kept by a cache; a
domain error on a page becomes the page of its problem with the right status; no page meets U+0000.
Machines' problems are `governance.api.problems`; unknown errors stay unknown and end in Django's
own 500.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from audit.ids import uuid7
from governance.web import failures, source

Answer: TypeAlias = Callable[[HttpRequest], HttpResponse]

# The largest form here has some hundred short fields. Reading one takes seventy times its size.
MOST_FORM_BYTES: Final = 128 * 1024
_DIGITS: Final = 9
_FORMS: Final = {"application/x-www-form-urlencoded", "multipart/form-data"}
# Nothing here needs a sensor, a payment or an advertisement topic.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "autoplay",
        "browsing-topics",
        "camera",
        "display-capture",
        "encrypted-media",
        "fullscreen",
        "geolocation",
        "gyroscope",
        "hid",
        "idle-detection",
        "local-fonts",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "picture-in-picture",
        "screen-wake-lock",
        "serial",
        "usb",
        "xr-spatial-tracking",
    )
)


def request_id(get_response: Answer) -> Answer:
    """Give each request an id of our own; one sent by the client is never trusted."""

    def answer(request: HttpRequest) -> HttpResponse:
        identity = uuid7()
        request.META["remit.request_id"] = identity
        response = get_response(request)
        response.headers["Request-Id"] = str(identity)
        return response

    return answer


def headers(get_response: Answer) -> Answer:
    """Close what a browser leaves open; an answer that says nothing of caching is not kept."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        source.keep(request, response)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def forms(get_response: Answer) -> Answer:
    """Refuse a form that is larger than any of ours before anybody reads it."""

    def answer(request: HttpRequest) -> HttpResponse:
        # As Django does, which reads nothing of a body whose length it cannot read.
        length = str(request.META.get("CONTENT_LENGTH", ""))
        is_long = length.isdecimal() and (len(length) > _DIGITS or int(length) > MOST_FORM_BYTES)
        if is_long and request.content_type in _FORMS:
            raise RequestDataTooBig("A form is larger than any of ours.")
        return get_response(request)

    return answer


class _Problems:
    """Django looks for `process_exception` on the object, so this one is a class."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        """Refuse U+0000 in an address or a form: PostgreSQL stores none, and no person types it."""
        if request.path.startswith("/api/"):  # The API's own parsers refuse it.
            return None
        for sent in (request.GET, request.POST):
            if any("\x00" in part for name, parts in sent.lists() for part in (name, *parts)):
                return failures.bad_request(request)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a known domain error with its page; leave everything else alone."""
        if request.path.startswith("/api/"):
            return None
        return failures.page_for(request, error)


def problems(get_response: Answer) -> Answer:
    """Turn domain errors on pages into the page that explains them."""
    return _Problems(get_response)
