"""A training team's whole way over HTTP, and the doors that stay shut for everyone else."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings

from audit import signing
from consent.selectors import Cell
from consent.status import ConsentStatus
from governance.jobs import services as jobs
from governance.releases import manifest
from governance.releases.models import DatasetRelease
from tests import make
from tests.governance.api.people import Session
from tests.governance.releases.conftest import ALL, Office

ASKED = {
    "purpose": make.TRAIN,
    "applications": [make.DESK],
    "categories": list(ALL),
    "reason": "To train the desk agent.",
}
REQUESTS = "/api/v1/access-requests"


@pytest.fixture(autouse=True)
def _password_login(settings: Settings) -> None:
    settings.REMIT_PASSWORD_LOGIN = True


def test_from_the_request_to_the_file_and_its_recall(
    contributed: Office, recalls_are_told: Callable[[], None]
) -> None:
    jonas = Session("jonas", "data_requester")
    ines, lea = Session("ines", "privacy_officer"), Session("lea", "policy_approver")
    asked = jonas.post(REQUESTS, ASKED)
    assert asked.status_code == 201
    assert "leaf=" in asked["Audit-Entry"]
    at = f"{REQUESTS}/{asked.json()['id']}"

    assert jonas.post(f"{at}/approvals").status_code == 403
    early = lea.post(f"{at}/approvals")
    assert (early.status_code, early.json()["type"]) == (403, "/problems/self-approval")
    assert ines.post(f"{at}/approvals").json()["state"] == "reviewed"
    assert lea.post(f"{at}/approvals").json()["state"] == "approved"
    jobs.run_due()
    shown = jonas.get(at).json()
    assert [one["role"] for one in shown["approvals"]] == ["privacy_officer", "policy_approver"]

    release = f"/api/v1/releases/{shown['release_id']}"
    assert jonas.get(release).json()["state"] == "published"
    body = _manifest(jonas.get(f"{release}/manifest").json())
    for file in body["files"]:
        answer = jonas.get(f"{release}/files/{file['name']}?purpose={make.TRAIN}")
        assert answer.status_code == 200
        assert "leaf=" in answer["Audit-Entry"]
        assert hashlib.sha256(answer.content).hexdigest() == file["sha256"]

    name = contributed.file_of(_release(shown["release_id"]), "mira").name
    contributed.choose("mira", ConsentStatus.WITHDRAWN, Cell(make.TRAIN, make.DESK, "click"))
    gone = jonas.get(f"{release}/files/{name}?purpose={make.TRAIN}")
    assert (gone.status_code, gone.json()["type"]) == (410, "/problems/recalled")
    recalls_are_told()
    [recall] = jonas.get(f"{release}/recalls").json()["recalls"]
    assert json.loads(base64.b64decode(recall["payload"]))["files"] == [name]
    [held] = Session("mira").get("releases").json()["releases"]
    assert (held["release_id"], held["recalled_at"] is None) == (shown["release_id"], False)


def _manifest(envelope: Mapping[str, object]) -> dict[str, Any]:
    keys = {key.key_id: key.public for key in signing.public_keys("release")}
    body: dict[str, Any] = json.loads(
        signing.dsse_verify(public_keys=keys, envelope=envelope, payload_type=manifest.MANIFEST)
    )
    return body


def _release(release_id: str) -> DatasetRelease:
    return DatasetRelease.objects.get(id=release_id)


@pytest.mark.parametrize(
    ("change", "status", "problem"),
    [
        ({"purpose": "performance-evaluation"}, 422, "purpose-prohibited"),
        ({"purpose": "nothing-known"}, 422, "unknown-reference"),
        ({"applications": ["nowhere"]}, 400, "invalid-request"),
        ({"categories": ["audio"]}, 400, "invalid-request"),
        ({"surprise": 1}, 400, "invalid-request"),
    ],
)
def test_what_may_not_be_asked_is_a_problem(
    office: Office, change: dict[str, object], status: int, problem: str
) -> None:
    answer = Session("jonas", "data_requester").post(REQUESTS, ASKED | change)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")


def test_the_doors_are_shut_for_whoever_the_matrix_does_not_name(contributed: Office) -> None:
    release = contributed.release()
    file = contributed.file_of(release, "mira").name
    at = f"/api/v1/releases/{release.id}"
    fetch = f"{at}/files/{file}?purpose={make.TRAIN}"
    for name, role, expected in (
        ("petra", "employee", (404, 403, 403)),
        ("adam", "service_admin", (403, 403, 403)),
        ("ines", "privacy_officer", (200, 200, 403)),
        ("wanda", "auditor", (200, 200, 403)),
        ("jonas", "data_requester", (200, 200, 200)),
    ):
        session = Session(name, role)
        statuses = tuple(session.get(path).status_code for path in (at, f"{at}/manifest", fetch))
        assert statuses == expected, name
    jonas = Session("jonas", "data_requester")
    assert jonas.get(f"{at}/files/{file}").status_code == 400
    assert jonas.get(f"{at}/files/{file}?purpose=performance-evaluation").status_code == 422
    assert jonas.get(f"{at}/files/{file}?purpose={make.IMPROVE}").status_code == 403
    assert jonas.get(f"{at}/files/other.jsonl?purpose={make.TRAIN}").status_code == 404
    assert jonas.get(f"/api/v1/releases/{uuid4()}").status_code == 404
