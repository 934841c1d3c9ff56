"""The channel for reports of pressure: no one place fills it, and no day closes the next one."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Entry
from governance.rights import channel, pressure
from governance.rights.models import PressureReport
from tests import make
from tests.governance.portal.test_pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    channel.forget()
    yield
    channel.forget()


def post(address: str, words: str = "Pressed.") -> Any:
    return Client(REMOTE_ADDR=address).post("/pressure/", {"words": words})


def test_a_place_sends_few_a_day_and_leaves_room_for_others(
    nordhafen: make.House, monkeypatch: pytest.MonkeyPatch, time_machine: Callable[[datetime], None]
) -> None:
    monkeypatch.setattr(channel, "MOST_A_PLACE", 5)
    # One IPv6 network is one place; what says nothing is not counted.
    assert post("2001:db8::1", "").status_code == 422
    statuses = [post(f"2001:db8::{number}").status_code for number in range(1, 8)]
    assert statuses == [200] * 5 + [429] * 2
    entries = Entry.objects.count()
    refused = Client(REMOTE_ADDR="2001:db8::9").post(
        "/api/v1/pressure-reports", {"words": "Pressed."}, content_type="application/json"
    )
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/rate-limited")
    assert Entry.objects.count() == entries
    assert "Come back tomorrow" in post("2001:db8::1").text
    assert post("2001:db8:0:1::1").status_code == 200
    assert post("192.0.2.1").status_code == 200
    time_machine(timezone.now() + timedelta(days=1))
    assert post("2001:db8::1").status_code == 200


def test_nothing_kept_tells_where_a_report_came_from(nordhafen: make.House) -> None:
    for address in ("192.0.2.77", "192.0.2.78"):
        assert post(address).status_code == 200
    rows = list(PressureReport.objects.values())
    assert "192.0.2" not in json.dumps(rows, default=str)
    assert {field for row in rows for field in row} == {
        *("id", "organisation", "words", "reported_on", "entry_id")
    }
    held = list(channel._today.taken)
    channel.forget()
    post("192.0.2.77")
    # Today's key is made anew and written nowhere: the same place does not look the same again.
    assert not set(held) & set(channel._today.taken)


def test_a_flood_ends_with_its_day_and_the_representatives_are_told(
    nordhafen: make.House, monkeypatch: pytest.MonkeyPatch, time_machine: Callable[[datetime], None]
) -> None:
    monkeypatch.setattr(channel, "MOST_A_DAY", 3)
    assert "the channel was full" not in signed_in("wanda").get("/office/pressure/").text
    statuses = [post(f"192.0.2.{number}").status_code for number in range(1, 6)]
    assert statuses == [200] * 3 + [429] * 2
    assert "the channel was full" in signed_in("wanda").get("/office/pressure/").text
    assert pressure.full_days() == [timezone.now().date()]
    time_machine(timezone.now() + timedelta(days=1))
    assert post("192.0.2.9").status_code == 200
