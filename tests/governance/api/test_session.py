"""Signing in at the API, what a session needs to change something, and what strangers learn."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings

from audit.models import Entry
from tests.governance.api.conftest import Api

pytestmark = pytest.mark.django_db


def events() -> list[tuple[str, str]]:
    rows = Entry.objects.filter(event__startswith="session:").order_by("id")
    return list(rows.values_list("event", "verdict"))


def test_a_session_starts_in_the_office_of_the_person_and_is_an_entry(
    people: dict[str, str],
) -> None:
    api = Api()
    answer = api.sign_in("ines")
    assert answer.status_code == 201
    assert answer.json() == {
        "csrf": api.csrf,
        "role": "privacy_officer",
        "roles": ["employee", "privacy_officer"],
    }
    assert answer.headers["Audit-Entry"].startswith(str(Entry.objects.latest("id").uuid))
    assert answer.headers["Cache-Control"] == "no-store"
    assert events() == [("session:started", "allow")]
    assert api.get("/api/v1/audit/entries").status_code == 200


def test_one_role_a_session_and_only_one_the_person_holds(people: dict[str, str]) -> None:
    api = Api()
    body = {"username": "ines", "password": "demo", "role": "employee"}
    assert api.post("/api/v1/session", body).json()["role"] == "employee"
    assert api.get("/api/v1/audit/entries").status_code == 403
    claimed = Api().post("/api/v1/session", body | {"username": "mira", "role": "auditor"})
    assert claimed.json()["role"] == "employee"


def test_a_wrong_word_and_an_unknown_name_get_the_same_answer(people: dict[str, str]) -> None:
    wrong, unknown = Api().sign_in("mira", "no"), Api().sign_in("nobody", "no")
    assert wrong.status_code == unknown.status_code == 401
    first, second = wrong.json(), unknown.json()
    assert first.pop("instance") != second.pop("instance")
    assert first == second
    assert first["type"] == "/problems/sign-in-refused"
    assert events() == [("session:refused", "deny")] * 2


def test_the_sixth_failure_waits_as_long_as_the_answer_says(people: dict[str, str]) -> None:
    for _ in range(5):
        assert Api().sign_in("mira", "no").status_code == 401
    refused = Api().sign_in("mira")
    assert refused.status_code == 429
    assert refused.json()["type"] == "/problems/rate-limited"
    assert 0 < int(refused.headers["Retry-After"]) <= 301
    assert events()[-1] == ("session:refused", "deny")
    assert Api().sign_in("ines").status_code == 201


def test_what_changes_something_needs_the_token_of_the_session(
    signed_in: Callable[[str], Api],
) -> None:
    ines = signed_in("ines")
    token, ines.csrf = ines.csrf, ""
    body = {"key": "freight-desk", "name": "Freight desk", "kind": "web"}
    refused = ines.post("/api/v1/applications", body)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/csrf-failed")
    ines.csrf = token
    foreign = ines.post("/api/v1/applications", body, Origin="https://elsewhere.example")
    assert foreign.json()["type"] == "/problems/csrf-failed"
    assert ines.post("/api/v1/applications", body).status_code == 201


def test_another_sites_page_cannot_sign_anybody_in(people: dict[str, str]) -> None:
    body = {"username": "mira", "password": "demo"}
    answer = Api().post("/api/v1/session", body, Origin="https://elsewhere.example")
    assert answer.json()["type"] == "/problems/csrf-failed"
    assert events() == []


def test_the_end_of_a_session_is_its_end_on_the_server(signed_in: Callable[[str], Api]) -> None:
    wanda = signed_in("wanda")
    assert wanda.delete("/api/v1/session").status_code == 204
    after = wanda.get("/api/v1/audit/entries")
    assert after.status_code == 401
    assert after.json()["type"] == "/problems/not-signed-in"
    assert "WWW-Authenticate" in after.headers


def test_without_password_sign_in_there_is_no_such_door(
    people: dict[str, str], settings: LazySettings
) -> None:
    settings.REMIT_PASSWORD_LOGIN = False
    assert Api().sign_in("mira").status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"username": "mira"}, "/password"),
        ({"username": "mira", "password": "x", "admin": True}, "/admin"),
        ({"username": "mira", "password": "x", "role": "manager"}, "/role"),
        ([], ""),
    ],
)
def test_a_body_of_another_shape_is_told_where(
    people: dict[str, str], body: object, pointer: str
) -> None:
    answer = Api().client.post("/api/v1/session", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/invalid-request"
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert answer.headers["Content-Type"] == "application/problem+json"
