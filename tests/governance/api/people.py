"""A person's session against the API, with CSRF checks on as in life."""

import json
from typing import Any

from django.test import Client


class Session:
    """Signed in as a persona; every call is JSON."""

    def __init__(self, username: str, role: str = "employee") -> None:
        self.client = Client(enforce_csrf_checks=True)
        answer = self.client.post(
            "/api/v1/session",
            {"username": username, "password": "demo", "role": role},
            content_type="application/json",
        )
        assert answer.status_code == 201, answer.content
        self.csrf = answer.json()["csrf"]

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        return self.client.generic(
            method,
            path if path.startswith("/") else f"/api/v1/me/{path}",
            b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers={"X-CSRFToken": self.csrf, **headers},
        )

    def get(self, path: str) -> Any:
        return self.send("GET", path)

    def post(self, path: str, body: object = None) -> Any:
        return self.send("POST", path, body)

    def put(self, path: str, body: object = None) -> Any:
        return self.send("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self.send("DELETE", path)
