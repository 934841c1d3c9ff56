"""What an office decides needs a second factor, and an office that nobody sits in closes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from governance.policies import history
from tests import make
from tests.governance.api.people import Session
from tests.governance.console.test_pages import DRAFT
from tests.governance.portal.test_pages import signed_in
from tests.governance.web.test_second_factor import code, set_up

pytestmark = pytest.mark.django_db


def waiting(nordhafen: make.House) -> tuple[str, dict[str, str]]:
    """Return the page of a policy that waits for Lea, and what she approves."""
    ines = signed_in("ines")
    where = ines.post("/office/policies/new/", DRAFT)["Location"]
    ines.post(f"{where}submit/")
    version = history.version(make.DESK, 2)
    assert version is not None
    return where, {"content_digest": version.content_digest}


def test_an_approval_asks_for_a_second_factor_on_pages_and_over_the_api(
    nordhafen: make.House, settings: Settings
) -> None:
    where, digest = waiting(nordhafen)
    settings.REMIT_OFFICE_SECOND_FACTOR = True
    settings.REMIT_STEP_UP_SECONDS = 300
    lea = signed_in("lea")
    # The page opens, the form does not count, and whoever has no factor is told how to get one.
    came = {"Referer": f"http://testserver{where}"}
    assert lea.get(where).status_code == 200
    asked = lea.post(f"{where}approve/", digest, headers=came)["Location"]
    assert asked.startswith("/account/confirm/?next=%2Foffice%2Fpolicies%2F")
    page = lea.get(asked).text
    assert "You have no second factor yet" in page
    assert 'name="password"' not in page
    # A password confirms who has no factor, but nothing is approved by it.
    assert lea.post("/account/confirm/", {"password": "demo", "next": where}).status_code == 302
    assert lea.post(f"{where}approve/", digest)["Location"].startswith("/account/confirm/")
    api = Session("lea", "policy_approver")
    approvals = f"/api/v1/capture-policies/{make.DESK}/approvals"
    refused = api.post(approvals, {"number": 2} | digest)
    assert (refused.status_code, refused.json()["type"]) == (
        403,
        "/problems/confirmation-required",
    )
    assert api.get("/api/v1/session/confirmation").json() == {"passkey": None}
    # Setting a factor up shows none; its code does, once each.
    seed = set_up(lea)
    assert lea.post(f"{where}approve/", digest)["Location"].startswith("/account/confirm/")
    shown = lea.post("/account/confirm/", {"code": code(seed), "next": where})
    assert shown["Location"] == where
    states = [step.state.value for step in history.version(make.DESK, 2).steps]  # type: ignore[union-attr]
    assert states == ["Draft", "InReview"]
    # To take something back nobody is asked.
    assert signed_in("wanda").post("/office/stop/", {"reason": "Stop."}).status_code == 302
    again = code(seed, later=1)
    assert api.post("/api/v1/session/confirmation", {"code": again}).status_code == 204
    assert api.post(approvals, {"number": 2} | digest).status_code == 201
    # The first session is as good as the second.
    assert lea.post(f"{where}approve/", digest).status_code == 422


def test_a_factor_is_as_good_as_its_last_minutes(
    nordhafen: make.House, settings: Settings, time_machine: Callable[[datetime], None]
) -> None:
    settings.REMIT_OFFICE_SECOND_FACTOR = True
    lea = signed_in("lea")
    seed = set_up(lea)
    lift = "/office/stop/1/lift/"
    lea.post("/account/confirm/", {"code": code(seed), "next": "/office/"})
    assert lea.post(lift).status_code == 422
    time_machine(timezone.now() + timedelta(minutes=6))
    assert lea.post(lift)["Location"].startswith("/account/confirm/")


def test_what_somebody_on_a_screen_asked_is_decided_with_a_second_factor(
    nordhafen: make.House, settings: Settings
) -> None:
    settings.REMIT_OFFICE_SECOND_FACTOR = True
    ines = signed_in("ines")
    where = f"/office/others/{uuid4()}/"
    asked = ines.post(where, {"decision": "carry-out"})
    assert asked["Location"].startswith("/account/confirm/")
    seed = set_up(ines)
    ines.post("/account/confirm/", {"code": code(seed), "next": "/office/"})
    assert ines.post(where, {"decision": "carry-out"}).status_code == 404


def test_a_page_that_keeps_itself_up_to_date_keeps_no_office_open(
    nordhafen: make.House, settings: Settings, time_machine: Callable[[datetime], None]
) -> None:
    settings.REMIT_OFFICE_IDLE_SECONDS = 1800
    wanda, start = signed_in("wanda"), timezone.now()
    assert wanda.get("/office/stop/").status_code == 200
    by_itself = {"X-Remit-By-Itself": "1"}
    for minutes in (10, 29):
        time_machine(start + timedelta(minutes=minutes))
        assert wanda.get("/office/stop/", headers=by_itself).status_code == 200
    time_machine(start + timedelta(minutes=31))
    assert wanda.get("/office/stop/", headers=by_itself).status_code == 302
    script = Path("governance/web/static/live.js").read_text(encoding="utf-8")
    assert next(iter(by_itself)) in script


def test_an_office_without_a_request_for_half_an_hour_is_signed_out(
    nordhafen: make.House, settings: Settings, time_machine: Callable[[datetime], None]
) -> None:
    settings.REMIT_OFFICE_IDLE_SECONDS = 1800
    ines, mira = signed_in("ines"), signed_in("mira")
    api = Session("ines", "privacy_officer")
    start = timezone.now()
    for client in (ines, mira):
        client.get("/account/")
    api.get("/api/v1/campaigns")
    for minutes in (25, 50):
        time_machine(start + timedelta(minutes=minutes))
        assert ines.get("/office/").status_code == 200
    assert api.get("/api/v1/campaigns").status_code == 401
    time_machine(start + timedelta(minutes=81))
    assert ines.get("/office/")["Location"].startswith("/sign-in/")
    assert mira.get("/").status_code == 200
