"""The short way for uploads answers what Django would have answered, to the byte."""

import json
import threading
from typing import Any

import pytest
from django.conf import settings
from django.core.signals import request_started

from governance.api import upload_door
from governance.capture import intake
from tests.governance.api.door import plain_client
from tests.governance.api.test_agent import BATCHES, SEALED, Wire, batch, slug
from tests.governance.api.test_agent import wire as wire  # noqa: PLC0414 - a fixture.

# Of each request its own; what tells caches to keep apart what none keeps; what DRF says of a view.
_OWN = {"Request-Id", "Vary", "Content-Language", "Allow"}


def _all(answer: Any) -> tuple[int, dict[str, str], bytes]:
    body = answer.content
    if answer.headers["Content-Type"] == "application/problem+json":
        body = json.dumps(answer.json() | {"instance": ""}).encode()
    headers = {name: value for name, value in answer.headers.items() if name not in _OWN}
    headers.pop("Content-Length", None)
    return answer.status_code, headers, body


def test_a_receipt_has_the_bytes_and_headers_of_django_s_own(wire: Wire) -> None:
    header, body = batch(wire)
    short = wire.upload(header, body)
    assert short.short_way
    assert short.headers["Content-Length"] == str(len(short.content))
    wire.client = plain_client()
    long = wire.upload(header, body)
    assert not hasattr(long, "short_way")
    assert _all(short) == _all(long)
    assert short.status_code == 202
    assert "Content-Security-Policy" in short.headers


@pytest.mark.parametrize(
    "changes",
    [
        {"Signature": "remit=:AAAA:"},
        {"Content-Digest": "sha-256=:AAAA:"},
        {"Idempotency-Key": '"another"'},
        {"Content-Type": "application/json"},
        {"Content-Type": SEALED + "; charset=utf-8"},
        {"Accept": "text/html"},
        {"Accept": "application/json, */*"},
        {"Host": "elsewhere.example"},
    ],
    ids=str,
)
def test_a_refusal_is_django_s_own(wire: Wire, changes: dict[str, str]) -> None:
    header, body = batch(wire)
    short = wire.upload(header, body, changed=changes)
    assert not hasattr(short, "short_way")
    wire.client = plain_client()
    assert _all(short) == _all(wire.upload(header, body, changed=changes))


def test_a_refusal_is_judged_once_and_counted_once(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = []
    real = intake.accept_batch

    def counted(**given: Any) -> Any:
        judged.append(given)
        return real(**given)

    monkeypatch.setattr(intake, "accept_batch", counted)
    answer = wire.upload(*batch(wire, policy_digest="0" * 64))
    assert (answer.status_code, slug(answer)) == (403, "policy-expired")
    assert len(judged) == 1


def test_a_bug_is_told_as_a_bug(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(intake, "accept_batch", broken)
    wire.client.raise_request_exception = False
    answer = wire.upload(*batch(wire))
    assert (answer.status_code, slug(answer)) == (500, "fault")


@pytest.mark.parametrize(
    "changes",
    [
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "²"},
        {"CONTENT_LENGTH": "9" * 5000},
        {"CONTENT_LENGTH": str(1_048_577)},
        {"QUERY_STRING": "a=b"},
        {"REQUEST_METHOD": "PUT"},
        {"PATH_INFO": BATCHES + "/"},
        {"SCRIPT_NAME": "/elsewhere"},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_what_is_unusual_goes_to_django_unread(changes: dict[str, str]) -> None:
    class Unread:
        def read(self, *_: int) -> bytes:
            raise AssertionError

    plain = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": BATCHES,
        "CONTENT_TYPE": SEALED,
        "CONTENT_LENGTH": "10",
        "HTTP_HOST": settings.REMIT_EXTERNAL_ORIGIN.partition("//")[2],
        "wsgi.input": Unread(),
    }
    assert upload_door.take(plain | changes) is None
    with pytest.raises(AssertionError):
        upload_door.take(plain)


def test_the_service_is_served_behind_the_door() -> None:
    from governance.wsgi import application

    assert isinstance(application._rest, upload_door.UploadDoor)
    rest = [b"whatever"]
    assert upload_door.UploadDoor(lambda *_: rest)({}, print) is rest


def test_a_receipt_is_told_as_wsgi_wants_it(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = wire.upload(*batch(wire))
    monkeypatch.setattr(upload_door, "take", lambda _: receipt)
    told: list[Any] = []
    answer = upload_door.UploadDoor(lambda *_: [])({}, lambda *given: told.append(given))
    assert answer == [receipt.content]
    assert told == [("202 Accepted", [*receipt.headers.items()])]


def test_connections_are_looked_at_once_a_second_and_after_each_refusal(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[object] = []

    def looked(**given: object) -> None:
        looks.append(given)

    request_started.connect(looked, sender=upload_door.UploadDoor)
    monkeypatch.setattr(upload_door, "_thread", threading.local())
    monkeypatch.setattr(upload_door, "LOOK_SECONDS", 60)
    wire.upload(*batch(wire))
    wire.upload(*batch(wire))
    assert len(looks) == 1
    wire.upload(*batch(wire, policy_digest="0" * 64))
    assert len(looks) == 1
    wire.upload(*batch(wire))
    assert len(looks) == 2
    monkeypatch.setattr(upload_door, "LOOK_SECONDS", 0)
    wire.upload(*batch(wire))
    assert len(looks) == 3
