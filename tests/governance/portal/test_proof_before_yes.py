"""A yes is taken from who has just shown that it is they; a way out never asks (R4, R13)."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from consent import selectors as consents
from consent.status import ConsentStatus
from governance.accounts.models import Person
from tests import make
from tests.governance.portal.test_pages import filled, reviewed

pytestmark = pytest.mark.django_db
CELL = (make.TRAIN, make.DESK, "pointer")
PATH = "/api/v1/me/consents/{}/{}/{}".format(*CELL)


@pytest.fixture
def passed(time_machine: Callable[[datetime], None], settings: Settings) -> Callable[[], None]:
    settings.REMIT_STEP_UP_SECONDS = 300
    return lambda: time_machine(timezone.now() + timedelta(minutes=6))


@pytest.fixture
def tariq(nordhafen: make.House, settings: Settings) -> Client:
    person = Person.objects.get(username="tariq")
    person.set_password("demo")
    person.save()
    client = Client()
    assert client.post("/demo/persona/", {"persona": "tariq"}).status_code == 302
    return client


def put(client: Client, status: ConsentStatus, notice: str | None = None) -> Any:
    body = json.dumps({"status": status.value, "notice_version": notice})
    return client.put(PATH, body, content_type="application/json")


def notice() -> str:
    found = consents.current_notice(purpose=make.TRAIN, language="en")
    assert found
    return found.reference


def test_r4_a_yes_and_a_first_no_ask_for_proof_and_a_withdrawal_never(
    nordhafen: make.House, tariq: Client, passed: Callable[[], None]
) -> None:
    passed()
    for status in (ConsentStatus.GIVEN, ConsentStatus.REFUSED):
        refused = put(tariq, status, notice())
        assert refused.status_code == 403
        assert refused.json()["type"] == "/problems/confirmation-required"
    make.decide(nordhafen, "tariq", [CELL])
    assert put(tariq, ConsentStatus.WITHDRAWN).status_code == 200
    make.decide(nordhafen, "tariq", [CELL])
    assert tariq.post("/api/v1/me/consents/withdraw-all").status_code == 200
    make.decide(nordhafen, "tariq", [CELL])
    gone = tariq.post("/withdraw/")
    assert gone["Location"].startswith("/consent/done/")
    assert tariq.post("/api/v1/me/pause", {}, content_type="application/json").status_code < 300


def test_the_page_keeps_the_choice_while_it_asks(
    nordhafen: make.House, tariq: Client, passed: Callable[[], None]
) -> None:
    assert tariq.post("/consent/review/", filled(tariq, "pointer", answer="yes")).status_code == 302
    save = reviewed(tariq)
    passed()
    asked = tariq.post("/consent/save/", save)
    assert asked["Location"] == "/account/confirm/?next=%2Fconsent%2Freview%2F"
    sent = {"password": "demo", "next": "/consent/review/"}
    assert tariq.post("/account/confirm/", sent)["Location"] == "/consent/review/"
    saved = tariq.post("/consent/save/", reviewed(tariq))
    assert saved["Location"].startswith("/consent/done/")
