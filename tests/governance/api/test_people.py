"""What a person does about themselves, over HTTP alone; and what nobody else can find out."""

import base64
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from audit import disclosures
from audit.models import Entry
from governance.jobs import services as jobs
from tests import make
from tests.governance.api.people import Session
from tests.governance.rights.conftest import POINTER, Someone

pytestmark = pytest.mark.django_db

CELL = "consents/train-computer-use-agents/freight-desk/pointer"
NOTICE = "train-computer-use-agents@1"
YES = {"status": "ConsentGiven", "notice_version": NOTICE}
NO = {"status": "ConsentRefused", "notice_version": NOTICE}
END = {"status": "ConsentWithdrawn"}


@pytest.fixture
def mira(nordhafen: make.House) -> Session:
    return Session("mira")


@pytest.fixture
def recorder(nordhafen: make.House) -> Someone:
    return Someone(nordhafen, "mira")


def cell(session: Session, path: str = CELL) -> dict[str, Any]:
    _, purpose, application, category = path.split("/")
    (found,) = (
        c
        for c in session.get("consents").json()["cells"]
        if (c["purpose"], c["application"], c["category"]) == (purpose, application, category)
    )
    return dict(found)


def problem(answer: Any, status: int, slug: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    body = answer.json()
    assert body["type"] == f"/problems/{slug}"
    return dict(body)


def header_entry(answer: Any) -> Entry:
    """The entry that the answer names, whose leaf hash it must state."""
    uuid, _, leaf = answer.headers["Audit-Entry"].partition("; leaf=")
    entry = Entry.objects.get(uuid=UUID(uuid))
    assert base64.b64decode(leaf) == bytes(entry.leaf_hash)
    return entry


def happened(answer: Any) -> object:
    """Return what the answer's entry tells its person; to all others it is one of the day's."""
    entry = header_entry(answer)
    assert entry.event == "private:told"
    return disclosures.details(entry)["event"]


def test_everything_is_off_and_says_what_can_never_be_on(mira: Session) -> None:
    body = mira.get("consents").json()
    assert {c["status"] for c in body["cells"]} == {"ConsentUnknown"}
    assert {c["is_valid"] for c in body["cells"]} == {False}
    assert "screenshot" in {one["key"] for one in body["never_captured"]}
    assert "performance-evaluation" in {one["key"] for one in body["never_used_for"]}


def test_yes_and_no_and_the_way_out_are_the_same_request(mira: Session) -> None:
    for path, body in ((CELL, YES), (CELL.replace("pointer", "click"), NO), (CELL, END)):
        answer = mira.put(path, body)
        assert answer.status_code == 200
        assert answer.json()["changed"] == 1
        assert header_entry(answer).event == "consent:decided"
        assert cell(mira, path)["status"] == body["status"]
    assert not cell(mira)["is_valid"]


def test_the_same_answer_again_is_the_same_act(mira: Session) -> None:
    first, again = mira.put(CELL, YES), mira.put(CELL, YES)
    assert again.json() == first.json() | {"changed": 0}
    assert again.headers["Audit-Entry"] == first.headers["Audit-Entry"]
    assert len(mira.get("receipts").json()["receipts"]) == 1


@pytest.mark.parametrize(
    ("path", "body", "status", "slug"),
    [
        (CELL, {"status": "ConsentGiven"}, 409, "notice-outdated"),
        (CELL, YES | {"notice_version": "train-computer-use-agents@7"}, 409, "notice-outdated"),
        (CELL, END, 409, "invalid-transition"),
        (CELL, {"status": "ConsentExpired"}, 400, "invalid-request"),
        (CELL, {"status": "RenewedConsentGiven"}, 409, "invalid-transition"),
        (CELL, YES | {"subject": "somebody"}, 400, "invalid-request"),
        (CELL, YES | {"notice_version": "../../etc"}, 400, "invalid-request"),
        (CELL, ["ConsentGiven"], 400, "invalid-request"),
        (CELL.replace("pointer", "screenshot"), YES, 404, "cell-not-offered"),
        (CELL.replace("freight-desk", "customer-desk"), YES, 404, "cell-not-offered"),
    ],
)
def test_a_bad_answer_changes_nothing(
    mira: Session, path: str, body: object, status: int, slug: str
) -> None:
    entries = Entry.objects.filter(event="consent:decided").count()
    answer = mira.put(path, body)
    found = answer.json()
    assert answer.status_code in {status, 409}, found
    assert found["type"] == f"/problems/{slug}"
    assert Entry.objects.filter(event="consent:decided").count() == entries
    assert cell(mira)["status"] == "ConsentUnknown"


def test_without_a_session_or_its_token_nothing_happens(mira: Session) -> None:
    problem(Client().get("/api/v1/me/consents"), 401, "not-signed-in")
    mira.csrf = "x" * 32
    assert mira.put(CELL, YES).status_code == 403
    assert cell(mira)["status"] == "ConsentUnknown"


def test_withdrawing_everything_takes_one_request(mira: Session) -> None:
    mira.put(CELL, YES)
    mira.put(CELL.replace("pointer", "click"), YES)
    answer = mira.post("consents/withdraw-all")
    assert answer.json()["changed"] == 2
    assert not any(c["is_valid"] for c in mira.get("consents").json()["cells"])
    nothing = mira.post("consents/withdraw-all")
    assert (nothing.status_code, nothing.json()["changed"]) == (200, 0)


def test_a_receipt_can_be_checked_and_is_the_persons_own(mira: Session) -> None:
    url = mira.put(CELL, YES).json()["receipt_url"]
    envelope = mira.get(url).json()
    document = json.loads(base64.b64decode(envelope["payload"]))
    assert document["@type"] == "dpv:ConsentReceipt"
    assert {"origin", "entry", "index", "proof"} <= set(envelope["transparency"])
    problem(Session("carla").get(url), 404, "not-found")
    assert Session("carla").get("receipts").json() == {"receipts": []}


def test_a_pause_begins_and_ends_at_once(mira: Session) -> None:
    answer = mira.post("pause", {"minutes": 15})
    assert len(answer.json()["pauses"]) == 1
    assert header_entry(answer).event == "consent:decided"
    assert mira.get("consents").json()["pauses"] == answer.json()["pauses"]
    assert mira.delete("pause").json() == {"pauses": []}
    assert mira.delete("pause").status_code == 200
    problem(mira.post("pause", {"minutes": 0}), 400, "invalid-request")
    nobodys = "018f0000-0000-7000-8000-000000000000"
    problem(mira.post("pause", {"minutes": 1, "device_id": nobodys}), 404, "not-found")


def test_captures_are_listed_opened_and_ended(mira: Session, recorder: Someone) -> None:
    mira.put(CELL, YES)
    recorder.record("pointer")
    answer = mira.get("captures")
    (capture,) = answer.json()["captures"]
    assert header_entry(answer).act == "list"
    assert (capture["application"], capture["category"]) == ("freight-desk", "pointer")
    assert capture["hour"].endswith(":00:00Z")
    opened = mira.get(f"captures/{capture['id']}")
    assert [event["type"] for event in opened.json()["events"]] == ["mouse.move"]
    assert header_entry(opened).act == "read"
    assert mira.get("captures?category=click").json()["captures"] == []
    ended = mira.delete(f"captures/{capture['id']}")
    assert ended.status_code == 204
    assert happened(ended) == "capture:deleted"
    assert mira.get("captures").json()["captures"] == []
    gone = problem(mira.get(f"captures/{capture['id']}"), 404, "not-found")
    assert gone == problem(mira.get(f"captures/{uuid4()}"), 404, "not-found")


def test_anothers_capture_is_answered_like_none_and_its_owner_sees_the_try(
    mira: Session, recorder: Someone
) -> None:
    mira.put(CELL, YES)
    (frame,) = recorder.record("pointer")
    carla = Session("carla")
    for method in ("GET", "DELETE"):
        tried = carla.send(method, f"captures/{frame}")
        none = carla.send(method, f"captures/{uuid4()}")
        assert (tried.status_code, tried.content) == (404, none.content)
    denied = [a for a in mira.get("accesses").json()["accesses"] if a["verdict"] == "deny"]
    assert [(a["reason"], a["role"], a["is_own"]) for a in denied] == [
        ("not_own_data", "employee", False)
    ]
    assert recorder.read(frame)


def test_the_last_minutes_are_forgotten(mira: Session, recorder: Someone) -> None:
    mira.put(CELL, YES)
    recorder.record("pointer")
    answer = mira.post("captures/forget", {"last_minutes": 15})
    assert answer.json() == {"changed": 1}
    assert happened(answer) == "capture:deleted"
    assert mira.get("captures").json()["captures"] == []
    for bad in ({"last_minutes": 0}, {"last_minutes": 1441}, {"last_minutes": "all"}, {}):
        problem(mira.post("captures/forget", bad), 400, "invalid-request")


def test_accesses_name_role_purpose_and_place_in_the_log(
    mira: Session, recorder: Someone, open_log: Callable[[], None]
) -> None:
    mira.put(CELL, YES)
    (frame,) = recorder.record("pointer")
    mira.get(f"captures/{frame}")
    open_log()
    lines = mira.get("accesses").json()["accesses"]
    assert {line["accessor"] for line in lines} == {"you", "redactor"}
    own = next(line for line in lines if line["act"] == "read")
    assert (own["purpose"], own["role"], own["cells"]) == (
        "own-access",
        "employee",
        ["freight-desk/pointer"],
    )
    assert own["index"] is not None
    assert own["proof_url"] == f"/api/v1/audit/entries/{own['entry']}/proof"
    page = mira.get("accesses?limit=1").json()
    rest = mira.get(f"accesses?limit=1&before={page['next']}").json()
    assert [page["accesses"][0], rest["accesses"][0]] == lines[:2]


def test_an_erasure_needs_nobodys_help_and_ends_in_a_certificate(
    mira: Session, recorder: Someone
) -> None:
    mira.put(CELL, YES)
    (frame,) = recorder.record("pointer")
    asked = mira.post("requests", {"kind": "erasure"})
    assert asked.status_code == 201
    assert header_entry(asked).event == "private:told"
    assert mira.post("requests", {"kind": "erasure"}).json()["id"] == asked.json()["id"]
    assert not cell(mira)["is_valid"]
    jobs.run_due()
    (view,) = mira.get("requests").json()["requests"]
    assert (view["status"], view["erasure"]) == ("RequestFulfilled", "Completed")
    envelope = mira.get(view["certificate_url"]).json()
    document = json.loads(base64.b64decode(envelope["payload"]))
    assert document["objects_purged"] == 1
    problem(Session("carla").get(view["certificate_url"]), 404, "not-found")
    problem(mira.get(f"captures/{frame}"), 404, "not-found")
    problem(mira.put(CELL, YES), 410, "erased")


def test_other_requests_are_confirmed_with_their_date(mira: Session) -> None:
    asked = mira.post("requests", {"kind": "rectification", "words": "My unit is wrong."})
    assert asked.json()["status"] == "RequestAcknowledged"
    assert asked.json()["due_at"] > asked.json()["received_at"]
    problem(mira.post("requests", {"kind": "raise"}), 400, "invalid-request")
    problem(mira.get(f"requests/{asked.json()['id']}/certificate"), 404, "not-found")


def test_the_copy_is_built_then_fetched(mira: Session, recorder: Someone) -> None:
    mira.put(CELL, YES)
    recorder.record("pointer")
    waiting = mira.get("export")
    assert (waiting.status_code, waiting.json()["state"]) == (202, "building")
    jobs.run_due()
    ready = mira.get("export")
    assert ready.headers["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(ready.content))
    assert json.loads(archive.read("manifest.json"))["captures"] == 1
    assert Session("carla").get("export").status_code == 202


def test_a_code_is_shown_once_and_a_computer_can_be_ended(mira: Session, recorder: Someone) -> None:
    code = mira.post("devices")
    assert code.status_code == 201
    assert code.headers["Cache-Control"] == "no-store"
    assert mira.post("devices").json()["code"] != code.json()["code"]
    mira.put(CELL, YES)
    recorder.record("pointer")
    (device,) = mira.get("devices").json()["devices"]
    assert "code" not in json.dumps(device)
    assert device["missing_events"] == 0
    problem(Session("carla").delete(f"devices/{device['id']}"), 404, "not-found")
    ended = mira.delete(f"devices/{device['id']}")
    assert ended.status_code == 204
    assert header_entry(ended).event == "device:revoked"
    assert mira.get("devices").json()["devices"][0]["revoked_at"] is not None


OFFICES = {
    "ines": "privacy_officer",
    "lea": "policy_approver",
    "wanda": "auditor",
    "jonas": "data_requester",
    "adam": "service_admin",
}
OWN = [
    ("GET", "consents"),
    ("PUT", CELL),
    ("POST", "consents/withdraw-all"),
    ("POST", "pause"),
    ("DELETE", "pause"),
    ("GET", "receipts"),
    ("GET", "captures"),
    ("POST", "captures/forget"),
    ("GET", "accesses"),
    ("GET", "releases"),
    ("GET", "requests"),
    ("POST", "requests"),
    ("GET", "export"),
]


@pytest.mark.parametrize(("username", "role"), OFFICES.items())
def test_in_an_office_nobody_is_a_person_of_their_own(
    nordhafen: make.House, username: str, role: str
) -> None:
    session = Session(username, role)
    for method, path in OWN:
        problem(session.send(method, path, YES if method == "PUT" else None), 403, "not-allowed")


def _views(nordhafen: make.House) -> dict[tuple[str, str], tuple[int, bytes]]:
    """What every office and the manager get from every address an employee's choice might touch."""
    found = {}
    for username, role in (OFFICES | {"petra": "employee"}).items():
        session = Session(username, role)
        for path in ("purposes", "applications", "capture-policies", "notices"):
            answer = session.get(f"/api/v1/{path}")
            found[username, path] = (answer.status_code, answer.content)
        if username == "petra":
            for path in ("consents", "releases", "captures"):
                answer = session.get(path)
                found[username, path] = (answer.status_code, answer.content)
    return found


@pytest.mark.parametrize("choice", [YES, NO])
def test_r18_no_other_role_can_tell_what_tariq_answered(
    nordhafen: make.House, choice: dict[str, str]
) -> None:
    before = _views(nordhafen)
    assert Session("tariq").put(CELL, choice).status_code == 200
    assert _views(nordhafen) == before


def test_a_yes_and_a_no_leave_answers_of_one_shape(mira: Session) -> None:
    yes = mira.put(CELL, YES)
    no = Session("tariq").put(CELL, NO)
    assert set(yes.json()) == set(no.json())
    assert len(yes.content) == len(no.content)
    assert set(yes.headers) == set(no.headers)
    assert POINTER.category == "pointer"
