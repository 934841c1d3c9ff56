"""A form larger than any of ours is refused by what it says of itself, before a byte is read."""

import io

import pytest
from django.http import HttpResponse
from django.test import Client

from governance.web import middleware
from governance.web.middleware import MOST_FORM_BYTES

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"


class Body(io.BytesIO):
    """A body that tells whether somebody read of it."""

    was_read = False

    def read(self, *size: int | None) -> bytes:
        self.was_read = True
        return super().read(*size)


def sent(length: object, kind: str) -> tuple[int, Body]:
    """Send the sign-in page a body that says it is so long; return the status, and the body."""
    body = Body(b"username=mira&password=" + b"a" * (MOST_FORM_BYTES + 100))
    named = {"CONTENT_LENGTH": str(length), "wsgi.input": body}
    client = Client(raise_request_exception=False)
    answer = client.generic("POST", "/sign-in/", b"-", content_type=kind, **named)  # type: ignore[arg-type] # of WSGI.
    return answer.status_code, body


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [FORM, MULTIPART])
@pytest.mark.parametrize("length", [MOST_FORM_BYTES + 1, 2**31, "9" * 5000])
def test_a_large_form_is_refused_unread(kind: str, length: object) -> None:
    status, body = sent(length, kind)
    assert status == 400
    assert not body.was_read


@pytest.mark.django_db
def test_the_largest_form_that_is_ours_is_read() -> None:
    status, body = sent(MOST_FORM_BYTES, FORM)
    assert status != 400
    assert body.was_read


@pytest.mark.parametrize("length", ["", "-1", "1.5", "many"])
def test_a_length_that_is_no_number_is_for_the_server_to_judge(length: str) -> None:
    from django.test import RequestFactory

    request = RequestFactory().generic("POST", "/", b"a=1", content_type=FORM)
    request.META["CONTENT_LENGTH"] = length
    answer = middleware.forms(lambda _: HttpResponse(status=204))(request)
    assert answer.status_code == 204
