"""What officers do over HTTP: register, tell, keep, draft, approve, activate, suspend."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from audit.models import Entry
from governance.policies import selectors
from tests import groundwork
from tests.consent.notices import content as notice_content
from tests.governance.api.conftest import Api
from tests.governance.policies.house import CATEGORIES, INES, LEA, PURPOSE, WANDA, content

pytestmark = pytest.mark.django_db
Enter = Callable[[str], Api]
PURPOSE_BODY = {
    "key": PURPOSE,
    "name": "Training",
    "description": "Training of models that operate the applications.",
    "broader": "CommercialResearch",
}
POLICY = "/api/v1/capture-policies/freight-desk"


def problem(answer: Any) -> str:
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    return str(body["type"]).removeprefix("/problems/")


def entry_of(answer: Any) -> Entry:
    uuid, _, leaf = answer.headers["Audit-Entry"].partition("; leaf=")
    entry = Entry.objects.get(uuid=uuid)
    assert entry.header.endswith(leaf)
    return entry


def lay(number: int = 1) -> None:
    """Lay what the version needs besides; tests/governance/api/test_compliance.py does so here."""
    groundwork.lay(
        application="freight-desk", number=number, officer=INES, approver=LEA, council=WANDA
    )


def furnish(ines: Api) -> None:
    assert ines.post("/api/v1/purposes", PURPOSE_BODY).status_code == 201
    body = {"key": "freight-desk", "name": "Freight desk", "kind": "web"}
    assert ines.post("/api/v1/applications", body).status_code == 201
    days = {"application": "freight-desk", "days": dict.fromkeys(CATEGORIES, 90)}
    assert ines.post("/api/v1/retention-schedules", days).status_code == 201
    texts = {
        "purpose": PURPOSE,
        "texts": dict.fromkeys(("en", "de", "fr"), notice_content(days=180)),
    }
    assert ines.post("/api/v1/notices", texts).status_code == 201


def test_a_policy_goes_its_way_between_two_people_and_every_step_names_its_entry(
    signed_in: Enter,
) -> None:
    ines, lea = signed_in("ines"), signed_in("lea")
    furnish(ines)
    drafted = ines.post("/api/v1/capture-policies", content())
    assert (drafted.status_code, drafted.json()["state"]) == (201, "Draft")
    assert entry_of(drafted).event == "policy:drafted"
    early = ines.post(f"{POLICY}/activate")
    assert (early.status_code, problem(early)) == (409, "invalid-transition")
    assert early.json()["current"] == "Draft"
    assert entry_of(ines.post(f"{POLICY}/submit")).event == "policy:submitted"
    word = {"content_digest": drafted.json()["content_digest"]}
    refused = ines.post(f"{POLICY}/approvals", word)
    assert (refused.status_code, problem(refused)) == (403, "not-allowed")
    assert entry_of(refused).event == "access:denied"
    stale = lea.post(f"{POLICY}/approvals", {"content_digest": "0" * 64})
    assert (stale.status_code, problem(stale)) == (412, "precondition-failed")
    approved = lea.post(f"{POLICY}/approvals", word)
    assert (approved.status_code, approved.json()["state"]) == (201, "Approved")
    lay()
    active = ines.post(f"{POLICY}/activate", {"number": 1})
    assert entry_of(active).event == "policy:activated"
    assert [step["by"] for step in active.json()["steps"]] == ["Ines", "Ines", "Lea", "Ines"]
    stopped = lea.post(f"{POLICY}/suspend", {"reason": "A field was overlooked."})
    assert stopped.json()["state"] == "Suspended"
    assert selectors.active_version("freight-desk") is None


def test_a_rejection_says_why_and_stays(signed_in: Enter) -> None:
    ines, lea = signed_in("ines"), signed_in("lea")
    furnish(ines)
    digest = ines.post("/api/v1/capture-policies", content()).json()["content_digest"]
    ines.post(f"{POLICY}/submit")
    silent = lea.post(f"{POLICY}/approvals", {"content_digest": digest, "approve": False})
    assert silent.json()["errors"][0]["pointer"] == "/reason"
    word = {"content_digest": digest, "approve": False, "reason": "Too wide."}
    assert lea.post(f"{POLICY}/approvals", word).json()["state"] == "Rejected"
    assert lea.post(f"{POLICY}/approvals", word).status_code == 409


@pytest.mark.parametrize(
    ("missing", "slug"),
    [("notices", "notice-missing"), ("retention-schedules", "retention-missing")],
)
def test_a_guard_that_does_not_hold_is_named(signed_in: Enter, missing: str, slug: str) -> None:
    ines, lea = signed_in("ines"), signed_in("lea")
    ines.post("/api/v1/purposes", PURPOSE_BODY)
    ines.post("/api/v1/applications", {"key": "freight-desk", "name": "Desk", "kind": "web"})
    if missing != "notices":
        texts = {
            "purpose": PURPOSE,
            "texts": dict.fromkeys(("en", "de", "fr"), notice_content(days=180)),
        }
        ines.post("/api/v1/notices", texts)
    else:
        days = {"application": "freight-desk", "days": dict.fromkeys(CATEGORIES, 90)}
        ines.post("/api/v1/retention-schedules", days)
    digest = ines.post("/api/v1/capture-policies", content()).json()["content_digest"]
    ines.post(f"{POLICY}/submit")
    lea.post(f"{POLICY}/approvals", {"content_digest": digest})
    lay()
    answer = ines.post(f"{POLICY}/activate")
    assert (answer.status_code, problem(answer)) == (409, slug)


@pytest.mark.parametrize(
    ("changes", "prohibition"),
    [
        ({"key": "performance-evaluation"}, "performance-evaluation"),
        ({"broader": "dpv:PersonnelPerformanceEvaluation"}, "performance-evaluation"),
        ({"key": "emotion-watch"}, "emotion-inference"),
        ({"broader": "PersonnelTerminationManagement"}, "termination"),
    ],
)
def test_nobody_registers_a_prohibited_purpose(
    signed_in: Enter, changes: dict[str, str], prohibition: str
) -> None:
    ines = signed_in("ines")
    answer = ines.post("/api/v1/purposes", PURPOSE_BODY | changes)
    assert (answer.status_code, problem(answer)) == (422, "purpose-prohibited")
    assert answer.json()["prohibition"] == prohibition
    last = Entry.objects.latest("id")
    assert (last.event, last.verdict) == ("purpose:registered", "deny")
    assert ines.get("/api/v1/purposes").json() == {"purposes": []}
    for other in ("mira", "lea", "wanda", "jonas", "adam"):
        assert signed_in(other).post("/api/v1/purposes", PURPOSE_BODY).status_code == 403


def test_the_auditor_reads_every_policy_and_no_person(
    signed_in: Enter, people: dict[str, str]
) -> None:
    ines, wanda = signed_in("ines"), signed_in("wanda")
    furnish(ines)
    ines.post("/api/v1/capture-policies", content())
    for path in (
        "/api/v1/capture-policies",
        f"{POLICY}/versions",
        f"{POLICY}/versions/1",
        "/api/v1/purposes",
        "/api/v1/applications",
        "/api/v1/notices",
        "/api/v1/retention-schedules",
    ):
        answer = wanda.get(path)
        assert answer.status_code == 200
        for name, key in people.items():
            assert key not in answer.content.decode()
            # The notice itself names the data protection officer.
            assert "notices" in path or name.title() not in answer.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/purposes",
        "/api/v1/applications",
        "/api/v1/notices",
        "/api/v1/retention-schedules",
        "/api/v1/capture-policies",
        "/api/v1/audit/entries",
        "/api/v1/transparency/policies",
    ],
)
@pytest.mark.parametrize(
    "query", ["surprise=1", "limit=101", "limit=0", "limit=x", "limit=1&limit=2", "limit=1%00"]
)
def test_a_list_takes_only_the_parameters_it_knows(signed_in: Enter, path: str, query: str) -> None:
    answer = signed_in("ines").client.get(f"{path}?{query}")
    assert (answer.status_code, problem(answer)) == (400, "invalid-request")
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{query.partition('=')[0]}")


def test_what_is_not_there_has_the_bytes_of_what_leads_nowhere(signed_in: Enter) -> None:
    ines = signed_in("ines")
    unknown = "01932f00-0000-7000-8000-000000000001"
    answers = [
        ines.get("/api/v1/no-such-door"),
        ines.get(f"/api/v1/audit/entries/{unknown}"),
        ines.get(f"/api/v1/audit/entries/{unknown}/proof"),
        ines.get("/api/v1/capture-policies/nothing/versions"),
        ines.get(f"{POLICY}/versions/7"),
        ines.post("/api/v1/capture-policies/nothing/submit"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["Content-Type"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("body", "kind", "status", "slug"),
    [
        (b"[" * 100_000, "application/json", 400, "invalid-request"),
        (b'{"key": "a", "key": "b"}', "application/json", 400, "invalid-request"),
        (b'{"key": NaN}', "application/json", 400, "invalid-request"),
        (b'{"key": "\\u0000"}', "application/json", 400, "invalid-request"),
        (b'{"key": "\\ud800"}', "application/json", 400, "invalid-request"),
        (b'"just text"', "application/json", 400, "invalid-request"),
        (b" " * 300_000, "application/json", 413, "too-large"),
        (b"key=a", "application/x-www-form-urlencoded", 415, "unsupported-type"),
        (b"{}", "application/json; charset=utf-16", 415, "unsupported-type"),
        (b"<a/>", "application/xml", 415, "unsupported-type"),
    ],
)
def test_bad_bytes_are_a_problem_and_change_nothing(
    signed_in: Enter, body: bytes, kind: str, status: int, slug: str
) -> None:
    ines = signed_in("ines")
    for path in ("/api/v1/purposes", "/api/v1/capture-policies"):
        answer = ines.client.post(path, body, content_type=kind, headers={"X-CSRFToken": ines.csrf})
        assert (answer.status_code, problem(answer)) == (status, slug)
    assert ines.get("/api/v1/purposes").json() == {"purposes": []}


def test_a_policy_of_another_shape_is_told_where(signed_in: Enter) -> None:
    ines = signed_in("ines")
    furnish(ines)
    answer = ines.post("/api/v1/capture-policies", content(categories=["pointer", "audio"]))
    assert (answer.status_code, problem(answer)) == (400, "invalid-request")
    assert answer.json()["errors"][0]["pointer"].startswith("/categories")
    foreign = ines.post("/api/v1/capture-policies/warehouse-terminal/versions", content())
    assert foreign.json()["errors"][0]["pointer"] == "/application"
    unknown = ines.post("/api/v1/capture-policies", content(purposes=["unheard-of"]))
    assert (unknown.status_code, problem(unknown)) == (422, "unknown-reference")


def test_anybody_reads_what_may_be_captured_and_what_never_may(signed_in: Enter) -> None:
    ines, lea = signed_in("ines"), signed_in("lea")
    furnish(ines)
    digest = ines.post("/api/v1/capture-policies", content()).json()["content_digest"]
    ines.post(f"{POLICY}/submit")
    lea.post(f"{POLICY}/approvals", {"content_digest": digest})
    lay()
    ines.post(f"{POLICY}/activate")
    said = Client().get("/api/v1/transparency/policies").json()
    (policy,) = said["policies"]
    assert policy["version"] == "freight-desk@1"
    assert policy["retention_days"] == dict.fromkeys(CATEGORIES, 90)
    assert "performance-evaluation" in {row["key"] for row in said["prohibited"]}
    assert Client().get("/api/v1/schemas/events-1.json").json()["$id"]
