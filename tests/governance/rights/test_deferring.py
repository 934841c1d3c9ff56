""" "Not now" to a request: one act in the record, one entry like any other, and no answer."""

import json
from datetime import datetime, timedelta

import pytest

from audit.actions import Action
from audit.models import Entry
from consent import selectors as consents
from consent.models import ConsentEvent, ConsentReceipt
from consent.services import DecisionAct
from consent.status import ConsentStatus
from governance.policies import selectors as policies
from governance.portal.light import light_of
from governance.rights import campaigns, services
from tests import make
from tests.governance.api.people import Session
from tests.governance.portal.test_pages import signed_in
from tests.house.worlds import SECRET, World, differences, world  # noqa: F401
from tests.standing import StandingHouse

pytestmark = pytest.mark.django_db
CELL = f"consents/{make.TRAIN}/{make.DESK}/pointer"
LATER = {"status": "ConsentRequestDeferred"}


def asked_for() -> int:
    return sum(cell.purpose == make.TRAIN for cell in policies.offered_cells())


def test_not_now_records_the_request_and_its_deferral_of_every_open_cell_in_one_entry(
    nordhafen: make.House,
) -> None:
    make.ask(nordhafen, "tariq")
    tariq = nordhafen.subject("tariq")
    request = campaigns.open_request(subject=tariq)
    assert request is not None
    page = signed_in("tariq")
    entries = Entry.objects.count()
    assert page.post("/consent/later/")["Location"] == "/"
    assert Entry.objects.count() == entries + 1
    events = ConsentEvent.objects.filter(subject=tariq).order_by("record", "number")
    assert len(events) == 2 * asked_for() > 2
    assert {event.entry.event for event in events} == {Action.CONSENT_DECIDED}
    for asked, put_off in zip(events[::2], events[1::2], strict=True):
        assert (asked.number, asked.status) == (1, "ConsentRequested")
        assert (asked.occurred_at, asked.indicated_by) == (request.sent_at, "system:asking")
        assert (put_off.number, put_off.status) == (2, "ConsentRequestDeferred")
        assert (put_off.previous_id, put_off.indicated_by) == (asked.id, tariq)
        assert put_off.decision_id == asked.decision_id
    assert not ConsentReceipt.objects.filter(subject=tariq).exists()
    assert consents.valid_cells(subject=tariq) == {}


def test_not_now_is_told_as_such_and_leaves_the_person_undecided(nordhafen: make.House) -> None:
    make.ask(nordhafen, "tariq")
    page = signed_in("tariq")
    page.post("/consent/later/")
    assert light_of(subject=nordhafen.subject("tariq")).undecided
    shown = page.get("/consent/").text
    assert f"Said “not now” to {asked_for()} kinds of data; the answer stays no" in shown
    assert "never; you have not decided yet" in shown
    assert shown.count("No decision yet") == len(make.PURPOSES)
    assert "none yet" in page.get("/").text
    make.decide(nordhafen, "tariq", [(make.TRAIN, make.DESK, "pointer")], ConsentStatus.REFUSED)
    assert not light_of(subject=nordhafen.subject("tariq")).undecided
    (receipt,) = Session("tariq").get("receipts").json()["receipts"]
    signed = page.get(f"/consent/done/{receipt['id']}/receipt.jsonld").text
    history = json.loads(signed)["dpv:hasRecordOfActivity"][0]["dpv:hasConsentStatus"]
    assert [event["@type"][0] for event in history] == [
        "dpv:ConsentRequested",
        "dpv:ConsentRequestDeferred",
        "dpv:ConsentRefused",
    ]
    assert history[0]["dpv:hasDuration"]["rdf:value"] == "P30D"


def test_over_the_api_a_cell_is_put_off_only_while_somebody_asks_for_it(
    nordhafen: make.House,
) -> None:
    tariq = Session("tariq")
    entries = Entry.objects.count()
    refused = tariq.put(CELL, LATER)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/invalid-transition")
    assert Entry.objects.count() == entries
    make.ask(nordhafen, "tariq")
    other = tariq.put(CELL.replace(make.TRAIN, make.PURPOSES[1]), LATER)
    assert (other.status_code, other.json()["type"]) == (409, "/problems/invalid-transition")
    done = tariq.put(CELL, LATER)
    assert (done.status_code, done.json()["changed"]) == (200, 2)
    assert done.json()["receipt_id"] is done.json()["receipt_url"] is None
    assert done["Audit-Entry"].startswith(done.json()["entry"])
    again = tariq.put(CELL, LATER).json()
    assert (again["changed"], again["entry"]) == (0, done.json()["entry"])
    # The next cell of the same request may be put off as well; an answer may not be.
    assert tariq.put(CELL.replace("pointer", "click"), LATER).json()["changed"] == 2
    assert campaigns.open_request(subject=nordhafen.subject("tariq")) is None
    make.decide(nordhafen, "tariq", [(make.TRAIN, make.DESK, "click")], ConsentStatus.REFUSED)
    late = tariq.put(CELL.replace("pointer", "click"), LATER)
    assert (late.status_code, late.json()["type"]) == (409, "/problems/invalid-transition")


def test_not_now_leaves_what_was_answered_as_it_is_and_is_no_answer_after_the_request(
    nordhafen: make.House,
) -> None:
    make.ask(nordhafen, "tariq")
    tariq = nordhafen.subject("tariq")
    campaign = campaigns.campaigns()[0]
    late = campaign.lapses_at + timedelta(seconds=1)

    def not_now(now: datetime | None = None) -> DecisionAct | None:
        return services.defer(subject=tariq, actor=nordhafen.actor("tariq"), language="fr", now=now)

    assert not_now(late) is None
    cell = (make.TRAIN, make.DESK, "pointer")
    make.decide(
        nordhafen,
        "tariq",
        [cell],
        ConsentStatus.REFUSED,
        now=campaign.sent_at - timedelta(days=400),
    )
    act = not_now()
    assert act is not None
    assert len(act.events) == 2 * (asked_for() - 1)
    assert consents.states(subject=tariq)[consents.Cell(*cell)].status is ConsentStatus.REFUSED
    assert not_now() is None


@pytest.mark.soak
def test_r18_not_now_and_a_no_look_alike_to_everyone_else(
    world: World,  # noqa: F811
    _standing_house: StandingHouse,  # noqa: PT019
) -> None:
    def puts_off(house: make.House) -> object:
        return services.defer(
            subject=house.subject(SECRET), actor=house.actor(SECRET), language="en"
        )

    def refuses(house: make.House) -> object:
        cells = [
            (cell.purpose, cell.application, cell.category)
            for cell in policies.offered_cells()
            if cell.purpose == make.TRAIN
        ]
        return make.decide(house, SECRET, cells, ConsentStatus.REFUSED)

    doors = ["/", "/office/log/", "/api/v1/audit/entries", "/log/checkpoint", "/devices/"]
    one, other = (
        world(happens, ["petra", "ines", "wanda"], paths=doors) for happens in (puts_off, refuses)
    )
    assert not differences(one, other)
