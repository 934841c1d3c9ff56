"""The people of the house, signed in at the API with their sessions."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from audit.actors import Actor
from governance.accounts import services
from governance.accounts.roles import Role

SEED = Actor.system("seed")
PEOPLE = {
    "mira": None,
    "ines": Role.PRIVACY_OFFICER,
    "lea": Role.POLICY_APPROVER,
    "wanda": Role.AUDITOR,
    "jonas": Role.DATA_REQUESTER,
    "adam": Role.SERVICE_ADMIN,
}


class Api:
    """One person's session. CSRF is enforced, as for any browser."""

    def __init__(self, csrf: bool = True) -> None:
        self.client = Client(enforce_csrf_checks=csrf, raise_request_exception=False)
        self.csrf = ""

    def sign_in(self, username: str, password: str = "demo") -> Any:
        body = {"username": username, "password": password}
        answer = self.post("/api/v1/session", body)
        if answer.status_code == 201:
            self.csrf = answer.json()["csrf"]
        return answer

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, query)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"X-CSRFToken": self.csrf} if self.csrf else {}
        return self.client.post(
            path, body or {}, content_type="application/json", headers=sent | headers
        )

    def delete(self, path: str) -> Any:
        return self.client.delete(path, headers={"X-CSRFToken": self.csrf})


@pytest.fixture
def people(db: None) -> dict[str, str]:
    """Everybody's subject key, by user name; the password is `demo`."""
    keys: dict[str, str] = {}
    for username, role in PEOPLE.items():
        made = services.create_person(
            username=username, display_name=username.title(), password="demo", actor=SEED
        )
        keys[username] = made.subject_key
        if role is not None:
            services.assign_role(subject=made.subject_key, role=role, actor=SEED)
    return keys


@pytest.fixture
def signed_in(people: dict[str, str]) -> Callable[[str], Api]:
    def enter(username: str) -> Api:
        api = Api()
        assert api.sign_in(username).status_code == 201
        return api

    return enter
