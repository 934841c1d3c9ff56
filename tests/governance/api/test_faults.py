"""Bugs and stalls: nothing of them leaves, and machines get problems where people get pages."""

from collections.abc import Callable

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError
from django.test import Client

from governance.policies import selectors
from tests.governance.api.conftest import Api

pytestmark = pytest.mark.django_db


def test_a_bug_is_told_as_a_fault_and_nothing_more(
    signed_in: Callable[[str], Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    ines = signed_in("ines")

    def break_down() -> None:
        raise ValueError("PLAINTEXT-CANARY")

    monkeypatch.setattr(selectors, "purposes", break_down)
    answer = ines.get("/api/v1/purposes")
    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/fault"
    assert b"CANARY" not in answer.content
    assert answer.json()["instance"] == f"urn:uuid:{answer.headers['Request-Id']}"


def test_a_database_that_is_away_says_when_to_come_back_and_never_why(
    signed_in: Callable[[str], Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it shows first: in a view or, as here for the pages, before any view is asked."""
    ines = signed_in("ines")

    def away(*_: object) -> None:
        raise OperationalError("CANARY: connection to 10.0.0.1 refused")

    with monkeypatch.context() as patch:
        patch.setattr(selectors, "purposes", away)
        answers = [ines.get("/api/v1/purposes")]
    monkeypatch.setattr(SessionStore, "load", away)
    ines.client.raise_request_exception = False
    answers += [ines.client.get(path) for path in ("/sign-in/", "/api/v1/purposes")]
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert b"CANARY" not in answer.content
    assert answers[0].json()["type"] == "/problems/database-unavailable"
    assert answers[1].headers["Content-Type"].startswith("text/html")


def test_machines_get_problems_and_people_get_pages() -> None:
    machine, person = Client().get("/api/v1/nowhere"), Client().get("/nowhere")
    assert machine.headers["Content-Type"] == "application/problem+json"
    assert person.headers["Content-Type"].startswith("text/html")
    assert machine.status_code == person.status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace", "options"])
def test_a_method_without_a_door_is_refused(signed_in: Callable[[str], Api], method: str) -> None:
    ines = signed_in("ines")
    answer = getattr(ines.client, method)("/api/v1/purposes", headers={"X-CSRFToken": ines.csrf})
    assert answer.status_code in {403, 405}
    assert answer.headers["Content-Type"] == "application/problem+json"
