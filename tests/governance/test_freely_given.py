"""What makes a consent free, as an auditor would try it: over the API and the pages alone."""

import base64
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from consent import selectors as consents
from consent.intervals import six_months_after
from consent.status import ConsentStatus
from governance.capture.models import CaptureBatch, SealedBatch
from governance.policies import selectors as policies
from governance.policies.categories import Category
from governance.releases.models import ReleaseFile
from governance.rights import services as rights
from tests import make
from tests.governance.api.people import Session
from tests.governance.api.test_agent import Wire, batch, slug
from tests.governance.portal.test_pages import PAGES, choose, filled, reviewed, signed_in
from tests.governance.releases.conftest import Office, contributed, office  # noqa: F401

pytestmark = pytest.mark.django_db
CELL = f"consents/{make.TRAIN}/{make.DESK}/pointer"


def policy_of(wire: Wire, now_s: int | None = None) -> Any:
    answer = wire.send("GET", "/api/v1/agent/policy", signer=wire.session(now_s), now_s=now_s)
    assert answer.status_code == 200, answer.content
    return json.loads(base64.b64decode(answer.json()["payload"]))


def test_r01_without_a_decision_nothing_may_be_captured_and_nothing_is_taken_in(
    nordhafen: make.House,
) -> None:
    wire = Wire(make.endpoint(nordhafen, "tariq"))
    assert policy_of(wire)["applications"] == []
    refused = wire.upload(*batch(wire))
    assert (refused.status_code, slug(refused)) == (403, "consent-required")
    assert not CaptureBatch.objects.exists()
    assert not SealedBatch.objects.exists()
    shown = Session("tariq").get("consents").json()["cells"]
    assert {cell["status"] for cell in shown} == {"ConsentUnknown"}


def steps(client: Client, *, answer: str) -> int:
    """Count the requests from the page of consent to the receipt, for a yes or for a no."""
    requests = 0
    ticked = ["pointer"] if answer == "yes" else []
    form = filled(client, *ticked, answer=answer)
    requests += 1
    review = client.post("/consent/review/", form)
    requests += 1
    assert review["Location"] == "/consent/review/"
    save = reviewed(client)
    requests += 1
    saved = client.post("/consent/save/", save)
    requests += 1
    assert saved["Location"].startswith("/consent/done/")
    return requests


def test_r04_taking_back_needs_no_more_steps_than_giving(nordhafen: make.House) -> None:
    client = signed_in("tariq")
    giving = steps(client, answer="yes")
    taking = steps(client, answer="no")
    assert taking <= giving
    assert consents.valid_cells(subject=nordhafen.subject("tariq")) == {}
    # Everything at once: the page, one button, and it is done; no reason is asked.
    choose(client, "pointer", answer="yes")
    page = client.get("/withdraw/").text
    (form,) = re.findall(r'<form[^>]*action="/withdraw/".*?</form>', page, flags=re.DOTALL)
    assert set(re.findall(r'name="([^"]+)"', form)) <= {"csrfmiddlewaretoken"}
    assert client.post("/withdraw/")["Location"].startswith("/consent/done/")
    assert consents.valid_cells(subject=nordhafen.subject("tariq")) == {}
    # And over the API: one request each way.
    tariq = Session("tariq")
    yes = {"status": "ConsentGiven", "notice_version": f"{make.TRAIN}@1"}
    assert tariq.put(CELL, yes).status_code == 200
    assert tariq.put(CELL, {"status": "ConsentWithdrawn"}).status_code == 200


def test_r05_after_a_withdrawal_an_upload_of_before_it_is_refused(nordhafen: make.House) -> None:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    wire = Wire(make.endpoint(nordhafen, "mira"))
    before = batch(wire)
    mira = Session("mira")
    assert mira.put(CELL, {"status": "ConsentWithdrawn"}).status_code == 200
    refused = wire.upload(*before)
    assert refused.status_code in {403, 409}
    assert slug(refused) in {"consent-withdrawn", "consent-required", "policy-stale"}
    assert policy_of(wire)["applications"] == []
    assert not CaptureBatch.objects.exists()


def test_r08_a_wider_policy_reaches_nobody_who_agreed_before_it(nordhafen: make.House) -> None:
    """One kind of data more is off for everybody; more within a kind ends what was agreed to."""
    narrow = make.policy_content(make.DESK, [Category.POINTER])
    make.activate(nordhafen, narrow)
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    wire = Wire(make.endpoint(nordhafen, "mira"))

    def collected() -> list[str]:
        return [
            category["key"]
            for application in policy_of(wire)["applications"]
            for category in application["categories"]
        ]

    assert collected() == ["pointer"]
    more = make.policy_content(make.DESK, [Category.POINTER, Category.CLICK])
    make.activate(nordhafen, more)
    assert collected() == ["pointer"]
    place = {"kind": "origin", "pattern": "http://127.0.0.1:38750", "id": "another"}
    make.activate(nordhafen, more | {"matchers": [*_listed(more["matchers"]), place]})
    assert collected() == []
    shown = Session("mira").get("consents").json()["cells"]
    outdated = [
        (each["purpose"], each["application"], each["category"])
        for each in shown
        if each["is_outdated"]
    ]
    assert outdated == [(make.TRAIN, make.DESK, "pointer")]
    # Agreed to as it is now, it is recorded again.
    yes = {"status": "ConsentGiven", "notice_version": f"{make.TRAIN}@1"}
    assert Session("mira").put(CELL, yes).status_code == 200
    assert collected() == ["pointer"]


def _listed(found: object) -> list[Any]:
    assert isinstance(found, list)
    return found


def test_r09_a_consent_ends_by_itself_after_six_months_and_capture_with_it(
    nordhafen: make.House, time_machine: Callable[[Any], None]
) -> None:
    given = timezone.now()
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")], now=given)
    wire = Wire(make.endpoint(nordhafen, "mira"))
    end = six_months_after(given)
    for moment, captured in ((end - timedelta(seconds=1), [make.DESK]), (end, [])):
        time_machine(moment)
        document = policy_of(wire, now_s=int(moment.timestamp()))
        assert [each["id"] for each in document["applications"]] == captured
    assert rights.expire_consents() == 1
    (noted,) = [
        e for e in consents.history(subject=nordhafen.subject("mira")) if e.occurred_at > given
    ]
    assert noted.status.value == "ConsentExpired"
    assert rights.expire_consents() == 0


def test_r09_a_consent_about_to_end_is_told_in_one_place_and_nothing_is_sent(
    nordhafen: make.House, time_machine: Callable[[Any], None], mailoutbox: list[Any]
) -> None:
    given = timezone.now()
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")], now=given)
    end = six_months_after(given)
    second = timedelta(seconds=1)
    before = timedelta(days=14)
    told = "A consent of yours ends by itself"
    for moment, is_told in ((end - before - second, False), (end - before, True), (end, False)):
        time_machine(moment)
        mira = signed_in("mira")
        pages = {path for path in PAGES if told in mira.get(path).text}
        assert pages == ({"/"} if is_told else set()), moment
        assert told not in signed_in("tariq").get("/").text
    assert mailoutbox == []


def test_r09_whoever_agrees_again_before_the_end_has_another_six_months(
    nordhafen: make.House, time_machine: Callable[[Any], None]
) -> None:
    """Nothing renews itself, and the tick for it is made by the person, on the same form."""
    subject = nordhafen.subject("mira")
    given = timezone.now()
    kinds = ("pointer", "click")
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, kind) for kind in kinds], now=given)
    end = six_months_after(given)
    again = {f"again.{make.TRAIN}": "on"}
    box = f'<input type="checkbox" name="again.{make.TRAIN}">'
    for moment, is_offered in (
        (end - timedelta(days=15), False),
        (end - timedelta(days=10), True),
    ):
        time_machine(moment)
        assert (box in signed_in("mira").get("/consent/").text) == is_offered
    mira = signed_in("mira")
    longer = "To allow it for longer, agree to it again"
    assert longer in mira.get("/").text
    # Whose browser asks not to be asked is told of the end, and no more (R16).
    quiet = signed_in("mira").get("/", headers={"sec-gpc": "1"}).text
    assert "ends by itself" in quiet
    assert longer not in quiet
    # The same ticks without that one renew nothing.
    mira.post("/consent/review/", filled(mira, *kinds, answer="yes"))
    assert "allowed again" not in mira.get("/consent/review/").text
    mira.post("/consent/review/", filled(mira, *kinds, answer="yes") | again)
    assert "allowed again" in mira.get("/consent/review/").text
    saved = mira.post("/consent/save/", reviewed(mira))["Location"]
    assert "allowed again" in mira.get(saved).text
    renewed = {e.cell.category for e in latest(subject) if e.status == "RenewedConsentGiven"}
    assert renewed == set(kinds)
    held = consents.valid_cells(subject=subject)
    later = six_months_after(end - timedelta(days=10))
    assert [state.valid_until for state in held.values()] == [later, later]
    # It goes on past the first end without a gap, and nothing is asked or told any more.
    assert rights.expire_consents(now=end) == 0
    assert box not in mira.get("/consent/").text
    assert "ends by itself" not in mira.get("/").text


def test_r09_over_the_api_agreeing_again_is_an_answer_of_its_own(
    nordhafen: make.House, time_machine: Callable[[Any], None]
) -> None:
    given = timezone.now()
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")], now=given)
    soon = six_months_after(given) - timedelta(days=10)
    time_machine(soon)
    session = Session("mira")
    body = {"status": "RenewedConsentGiven", "notice_version": f"{make.TRAIN}@1"}
    first, second = (session.put(CELL, body).json() for _ in range(2))
    assert (first["changed"], second["changed"]) == (1, 0)
    assert first["receipt_id"] == second["receipt_id"]
    receipt = session.get(f"receipts/{first['receipt_id']}").json()
    assert "dpv:RenewedConsentGiven" in base64.b64decode(receipt["payload"]).decode()
    # Its computer records past the first end.
    after = six_months_after(given) + timedelta(days=1)
    time_machine(after)
    wire = Wire(make.endpoint(nordhafen, "mira"))
    document = policy_of(wire, now_s=int(after.timestamp()))
    assert [each["id"] for each in document["applications"]] == [make.DESK]
    # What ended or never was is no renewal.
    session = Session("mira")
    session.put(CELL, {"status": "ConsentWithdrawn"})
    refused = session.put(CELL, body)
    assert (refused.status_code, slug(refused)) == (409, "invalid-transition")


def latest(subject: str) -> list[consents.PastEvent]:
    """Return the events of a person's newest decision."""
    events = consents.history(subject=subject)
    return [event for event in events if event.decision_id == events[0].decision_id]


def test_r21_whoever_says_no_to_everything_loses_nothing_and_is_not_asked_again(
    nordhafen: make.House,
) -> None:
    client = signed_in("tariq")
    form = filled(client)
    form |= {f"answer.{purpose}": "no" for purpose in make.PURPOSES}
    client.post("/consent/review/", form)
    saved = client.post("/consent/save/", reviewed(client))
    assert saved["Location"].startswith("/consent/done/")
    for path in PAGES:
        page = client.get(path)
        assert page.status_code == 200, path
        assert "You are being asked for something" not in page.text
    tariq = Session("tariq")
    assert tariq.post("pause", {"minutes": 15}).status_code == 200
    assert (
        tariq.post("requests", {"kind": "access", "words": "What do you hold?"}).status_code == 201
    )
    assert tariq.post("devices").status_code == 201


def test_r24_a_manager_gets_no_data_of_the_own_people_whatever_else_he_is(
    contributed: Office,  # noqa: F811
) -> None:
    house = contributed.house
    release = contributed.release()
    file = contributed.file_of(release, "mira")
    jonas = Session("jonas", "data_requester")
    at = f"/api/v1/releases/{release.id}/files/{file.name}?purpose={make.TRAIN}"
    assert jonas.get(at).status_code == 200
    # He becomes the superior of her superior: what he already holds is shut from that moment on.
    house.people["petra"].manager = house.people["jonas"]
    house.people["petra"].save()
    denied = jonas.get(at)
    assert (denied.status_code, denied.json()["reason"]) == (403, "conflict_of_interest")
    assert Entry.objects.filter(event=Action.ACCESS_DENIED).count() == 1
    # And whatever is put together for him from then on is without the people he leads.
    contributed.contribute("jonas")
    contributed.contribute("ines")
    contributed.contribute("lea")
    later = contributed.release()
    subjects = set(ReleaseFile.objects.filter(release=later).values_list("subject", flat=True))
    assert house.subject("mira") not in subjects
    assert house.subject("ines") in subjects


def poll(wire: Wire, state: str) -> list[tuple[int, int, tuple[str, ...]]]:
    """Let a computer poll once; return of each answer status, length, and which headers it has."""
    session = wire.session()
    beat = {"policy_epoch": 1, "consent_epoch": 1, "state": state, "agent_version": "1"}
    answers = [
        wire.send("GET", "/api/v1/agent/policy", signer=session),
        wire.send("POST", "/api/v1/agent/heartbeats", json.dumps(beat).encode(), signer=session),
    ]
    return [
        (answer.status_code, len(answer.content), tuple(sorted(answer.headers)))
        for answer in answers
    ]


def test_r23_from_outside_a_computer_polls_alike_whatever_its_person_chose(
    nordhafen: make.House,
) -> None:
    everything = [
        (cell.purpose, cell.application, cell.category) for cell in policies.offered_cells()
    ]
    make.decide(nordhafen, "mira", everything)
    for _ in range(6):  # Whoever changes their mind often has an epoch of two digits.
        make.decide(nordhafen, "mira", everything[:1], ConsentStatus.WITHDRAWN)
        make.decide(nordhafen, "mira", everything[:1])
    make.decide(nordhafen, "carla", everything[:3])
    rights.pause(subject=nordhafen.subject("carla"), actor=nordhafen.actor("carla"))
    seen = {
        name: poll(Wire(make.endpoint(nordhafen, name)), state)
        for name, state in (("mira", "capturing"), ("tariq", "not-allowed"), ("carla", "paused"))
    }
    assert seen["mira"][0][0] == seen["mira"][1][0] == 200
    assert seen["mira"] == seen["tariq"] == seen["carla"]
    # And the office has no list of computers, and nothing about a single person's.
    for name, role in (
        ("adam", "service_admin"),
        ("wanda", "auditor"),
        ("ines", "privacy_officer"),
    ):
        page = Session(name, role).client.get("/office/")
        assert "NH-L-0412" not in page.text
