"""The office over HTTP: four eyes, the log that records who reads it, requests for data."""

from collections.abc import Callable

import pytest
from django.test import Client

from audit import selectors as log
from audit.actions import Action
from governance.policies import history
from tests import groundwork, make
from tests.governance.portal.test_pages import signed_in

pytestmark = pytest.mark.django_db

DRAFT = {
    "application": make.DESK,
    "purposes": [make.TRAIN],
    "categories": ["pointer", "click"],
    "matchers": "desk = https://freight.example",
    "labels": "Open\nSave",
    "places": "de",
}
PAGES = (
    "/office/",
    "/office/policies/",
    f"/office/policies/{make.DESK}/1/",
    "/office/purposes/",
    "/office/retention/",
    "/office/requests/",
    "/office/releases/",
    "/office/log/",
)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("name", ["ines", "lea", "wanda", "jonas"])
def test_the_office_opens_for_its_roles_and_not_for_employees(
    nordhafen: make.House, path: str, name: str
) -> None:
    # A data requester sees their own acts elsewhere; the whole log is not theirs to search.
    refused = name == "jonas" and path == "/office/log/"
    assert signed_in(name).get(path).status_code == (403 if refused else 200)
    if path not in {"/office/policies/", f"/office/policies/{make.DESK}/1/"} | {
        "/office/purposes/",
        "/office/retention/",
        "/office/releases/",
    }:
        assert signed_in("mira").get(path).status_code == 403


def test_a_policy_needs_two_people_from_draft_to_force(nordhafen: make.House) -> None:
    ines, lea = signed_in("ines"), signed_in("lea")
    where = ines.post("/office/policies/new/", DRAFT)["Location"]
    assert where == f"/office/policies/{make.DESK}/2/"
    ines.post(f"{where}submit/")
    own = ines.get(where).content.decode()
    assert "Another person must decide" in own
    assert "Approve this policy" not in own
    version = history.version(make.DESK, 2)
    assert version is not None
    digest = {"content_digest": version.content_digest}
    assert ines.post(f"{where}approve/", digest).status_code == 403
    assert "Approve this policy" in lea.get(where).content.decode()
    assert lea.post(f"{where}approve/", {"content_digest": "0" * 64}).status_code == 422
    lea.post(f"{where}approve/", digest)
    people = nordhafen
    groundwork.lay(
        application=make.DESK,
        number=2,
        officer=people.ines,
        approver=people.lea,
        council=people.wanda,
    )
    ines.post(f"{where}activate/")
    assert [step.state.value for step in history.version(make.DESK, 2).steps] == [  # type: ignore[union-attr]
        "Draft",
        "InReview",
        "Approved",
        "Active",
    ]


def test_returning_a_policy_needs_a_reason(nordhafen: make.House) -> None:
    where = signed_in("ines").post("/office/policies/new/", DRAFT)["Location"]
    signed_in("ines").post(f"{where}submit/")
    version = history.version(make.DESK, 2)
    assert version is not None
    sent = {"content_digest": version.content_digest}
    assert signed_in("lea").post(f"{where}reject/", sent).status_code == 422
    signed_in("lea").post(f"{where}reject/", sent | {"reason": "Too wide."})
    assert "Too wide." in signed_in("ines").get(where).content.decode()


def test_a_draft_that_cannot_be_read_keeps_what_was_written(nordhafen: make.House) -> None:
    answer = signed_in("ines").post("/office/policies/new/", DRAFT | {"matchers": "no pattern"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Line 1 does not read" in page
    assert "no pattern</textarea>" in page


def test_a_search_and_an_opened_entry_are_entries_themselves(nordhafen: make.House) -> None:
    wanda = signed_in("wanda")
    page = wanda.get("/office/log/?events=policy:activated")
    assert page.status_code == 200
    assert "Policy activated" in page.content.decode()
    found = log.search(filters=log.SearchFilters(events=frozenset({Action.LOG_SEARCHED})))
    assert [(row.role, row.act) for row in found.entries] == [("auditor", "search")]
    wanda.get(f"/office/log/{found.entries[0].uuid}/")
    opened = log.search(filters=log.SearchFilters(events=frozenset({Action.LOG_OPENED})))
    assert opened.total == 1


@pytest.mark.parametrize("path", ["/office/purposes/", "/office/retention/"])
def test_what_a_reader_of_a_register_sends_is_refused_with_an_entry(
    nordhafen: make.House, path: str
) -> None:
    lea = signed_in("lea")
    assert lea.get(path).status_code == 200
    assert lea.post(path, {"key": "mine", "application": make.DESK}).status_code == 403
    denied = log.search(filters=log.SearchFilters(events=frozenset({Action.ACCESS_DENIED})))
    assert [row.role for row in denied.entries] == ["policy_approver"]


def test_days_at_the_ends_of_the_calendar_are_searches_too(
    nordhafen: make.House,
) -> None:
    wanda = signed_in("wanda")
    for name in ("since", "until"):
        for day in ("0001-01-01", "9999-12-31"):
            assert wanda.get("/office/log/", {name: day}).status_code == 200


def test_no_page_takes_a_zero_character(nordhafen: make.House) -> None:
    wanda = signed_in("wanda")
    assert wanda.get("/office/log/?purposes=a%00b").status_code == 400
    stranger = Client()
    sent = {"username": "a\x00", "password": "b"}
    assert stranger.post("/sign-in/", sent).status_code == 400


def test_no_office_page_says_what_an_employee_decided(
    nordhafen: make.House, open_log: Callable[[], None]
) -> None:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    open_log()
    about = log.search(filters=log.SearchFilters(events=frozenset({Action.CONSENT_DECIDED})))
    for name in ("ines", "lea", "wanda"):
        page = signed_in(name).get(f"/office/log/{about.entries[0].uuid}/").content.decode()
        assert nordhafen.subject("mira") not in page
        assert "Mira" not in page.replace(">Mira<", "")
        assert "pointer" not in page


def test_asking_for_a_prohibited_purpose_is_refused_and_written_down(
    nordhafen: make.House,
) -> None:
    jonas = signed_in("jonas")
    assert "Judging" in jonas.get("/office/requests/new/").content.decode()
    wish = {"applications": make.DESK, "categories": "pointer", "reason": "To rate people."}
    answer = jonas.post("/office/requests/new/", wish | {"purpose": "performance-evaluation"})
    assert answer.status_code == 403
    denied = log.search(filters=log.SearchFilters(events=frozenset({Action.ACCESS_DENIED})))
    assert [(row.purpose, row.role) for row in denied.entries] == [
        ("performance-evaluation", "data_requester")
    ]


def test_a_request_passes_officer_then_approver_and_nobody_decides_on_their_own(
    nordhafen: make.House,
) -> None:
    jonas, ines, lea = signed_in("jonas"), signed_in("ines"), signed_in("lea")
    wish = {"applications": make.DESK, "categories": "pointer", "reason": "Routine orders."}
    where = jonas.post("/office/requests/new/", wish | {"purpose": make.TRAIN})["Location"]
    assert "Approve this request" not in jonas.get(where).content.decode()
    assert "Approve this request" not in lea.get(where).content.decode()
    assert "Approve this request" in ines.get(where).content.decode()
    ines.post(f"{where}approve/")
    assert "Approve this request" in lea.get(where).content.decode()
    lea.post(f"{where}approve/")
    assert "Open the release" in jonas.get(where).content.decode()


def test_an_auditor_reads_requests_without_names(nordhafen: make.House) -> None:
    wish = {"applications": make.DESK, "categories": "pointer", "reason": "Routine orders."}
    where = signed_in("jonas").post("/office/requests/new/", wish | {"purpose": make.TRAIN})
    for path in ("/office/requests/", where["Location"]):
        assert "Jonas Sample" not in signed_in("wanda").get(path).content.decode()
        assert "Jonas Sample" in signed_in("ines").get(path).content.decode()


def test_open_pages_need_no_account(nordhafen: make.House) -> None:
    for path in ("/log", "/verify", "/problems/", "/problems/access-denied", "/sign-in/"):
        assert Client().get(path).status_code == 200
    proves_nothing = "proves nothing against the operator"
    assert proves_nothing in Client().get("/verify").content.decode()
    assert Client().get("/log/checkpoint").status_code == 200
    for path in ("/log/../secret-key", "/log/tile/0/..", "/log/keys", "/nowhere"):
        assert Client().get(path).status_code == 404
