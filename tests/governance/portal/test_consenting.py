"""The consent form at its limits: many applications, stale and forged forms, GPC, pauses."""

import base64
import json
import re

import pytest
from django.test import Client

from consent import notice
from consent import selectors as consents
from consent.status import ConsentStatus
from governance.policies.categories import Category
from governance.portal import form as consent_form
from governance.portal.offer import offer_to
from tests import make
from tests.governance.portal.test_pages import choose, filled, reviewed, signed_in

pytestmark = pytest.mark.django_db


def decided(house: make.House, name: str = "tariq") -> int:
    """Return how many decisions of a person stand; each refused act must leave it as it was."""
    return len({event.decision_id for event in consents.history(subject=house.subject(name))})


def test_r03_the_form_of_a_decision_can_be_computed_again_from_what_is_kept(
    nordhafen: make.House,
) -> None:
    """R3: notice and form digest of each event match the archived notice and form."""
    client = signed_in("tariq")
    place = choose(client, "pointer", answer="yes")
    subject = nordhafen.subject("tariq")
    signed = client.get(f"{place}receipt.json").json()
    said = json.loads(base64.b64decode(signed["payload"]))
    again = offer_to(subject=subject, language="en")
    digests = set(re.findall(r'"cu:formDigest": "([^"]*)"', json.dumps(said)))
    assert digests == {consent_form.digest(again.sections, language="en")}
    for event in consents.history(subject=subject):
        kept = consents.notice_version(reference=event.notice_version, language="en")
        assert kept is not None
        assert kept.content_digest == notice.digest(kept.content)


def test_r08_a_form_that_a_wider_policy_overtook_is_refused_and_keeps_its_ticks(
    nordhafen: make.House,
) -> None:
    """R8: nobody agrees to a scope that was not shown."""
    client = signed_in("tariq")
    sent = filled(client, "pointer", answer="yes")
    body = make.policy_content(make.DESK)
    make.activate(nordhafen, body | {"labels": ["Germany", "France", "Meals", "Wages"]})
    answer = client.post("/consent/review/", sent)
    assert answer.status_code == 409
    assert "What may be captured in Freight Desk is not the same any more." in answer.text
    assert f'name="cell.{make.TRAIN}.{make.DESK}.pointer" checked' in answer.text
    assert decided(nordhafen) == 0


def test_what_no_policy_offers_cannot_be_ticked(nordhafen: make.House) -> None:
    client = signed_in("tariq")
    sent = filled(client, "pointer", answer="yes")
    sent |= {
        f"cell.{make.TRAIN}.customer-desk.click": "on",
        f"cell.nothing.{make.DESK}.click": "on",
    }
    client.post("/consent/review/", sent)
    client.post("/consent/save/", reviewed(client))
    valid = consents.valid_cells(subject=nordhafen.subject("tariq"))
    assert list(valid) == [(make.TRAIN, make.DESK, "pointer")]


def test_r13_an_officer_and_a_stranger_decide_nothing(nordhafen: make.House) -> None:
    sent = filled(signed_in("tariq"), "pointer", answer="yes")
    for client, status in ((signed_in("ines"), 403), (Client(), 302)):
        assert client.post("/consent/review/", sent).status_code == status
        assert client.post("/consent/save/", {"do": "save"}).status_code == status
    assert decided(nordhafen) == 0
    assert decided(nordhafen, "ines") == 0


def test_going_back_keeps_what_was_chosen_until_it_is_saved_or_dropped(
    nordhafen: make.House,
) -> None:
    client = signed_in("tariq")
    client.post("/consent/review/", filled(client, "pointer", answer="yes"))
    assert client.post("/consent/save/", {"do": "back"})["Location"] == "/consent/"
    page = client.get("/consent/").text
    assert f'name="cell.{make.TRAIN}.{make.DESK}.pointer" checked' in page
    assert "1 answer is not saved" in page
    client.post("/consent/review/", {"do": "restart"})
    assert " checked>" not in client.get("/consent/").text
    assert decided(nordhafen) == 0


def test_ticks_are_copied_only_when_asked_and_only_where_the_same_is_offered(
    nordhafen: make.House,
) -> None:
    client = signed_in("tariq")
    sent = filled(client, "pointer", "click", answer="yes")
    client.post("/consent/review/", sent | {"do": f"copy {make.IMPROVE} {make.TRAIN}"})
    page = client.get("/consent/").text
    assert f'name="cell.{make.IMPROVE}.{make.DESK}.pointer" checked' in page
    assert not re.search(rf'name="answer.{make.IMPROVE}"[^>]* checked', page)
    sent = filled(client, "pointer", answer="yes") | {f"answer.{make.IMPROVE}": "yes"}
    sent |= {f"like.{make.TRAIN}": make.DESK, f"row.{make.TRAIN}": make.TERMINAL}
    client.post("/consent/review/", sent | {"do": f"copy {make.TRAIN}"})
    page = client.get("/consent/").text
    assert f'name="cell.{make.TRAIN}.{make.TERMINAL}.pointer" checked' in page
    assert decided(nordhafen) == 0


def test_only_who_never_allowed_anything_is_told_that_nothing_was_captured(
    nordhafen: make.House,
) -> None:
    nothing = "Nothing was captured, and nothing will be."
    client = signed_in("tariq")

    def review(purpose: str, answer: str) -> str:
        sent = filled(client, *(["pointer"] if answer == "yes" else []))
        client.post("/consent/review/", sent | {f"answer.{purpose}": answer})
        return client.get("/consent/review/").text

    assert nothing in review(make.TRAIN, "no")
    assert nothing not in review(make.TRAIN, "yes")
    client.post("/consent/save/", reviewed(client))
    # A no to the other purpose, while a consent to the first one goes on; and once it went.
    no = review(make.IMPROVE, "no")
    assert "would change" in no
    assert nothing not in no
    client.post("/withdraw/")
    assert nothing not in review(make.IMPROVE, "no")


def untouched(client: Client) -> dict[str, str]:
    """Return the form as a browser sends it when nobody touched it."""
    page = client.get("/consent/").text
    radios = re.findall(r'name="(answer[^"]+)" id="[^"]+" value="([^"]+)" checked', page)
    ticks = re.findall(r'<input type="checkbox" name="(cell[^"]+)" checked>', page)
    return filled(client) | dict(radios) | dict.fromkeys(ticks, "on")


def ticks_of(sent: dict[str, str]) -> list[str]:
    return [name for name in sent if name.startswith("cell.")]


POINTER = (make.TRAIN, make.DESK, "pointer")
CLICK = (make.TRAIN, make.DESK, "click")


@pytest.mark.parametrize(
    "answered",
    [
        {},
        {POINTER: ConsentStatus.REFUSED},
        {POINTER: ConsentStatus.GIVEN},
        {POINTER: ConsentStatus.GIVEN, CLICK: ConsentStatus.REFUSED},
    ],
    ids=lambda answered: "-".join(answered.values()) or "nothing",
)
def test_r02_a_form_that_nobody_touched_changes_nothing(
    nordhafen: make.House, answered: dict[tuple[str, str, str], ConsentStatus]
) -> None:
    if answered:
        make.decide_each(nordhafen, "tariq", answered)
    client = signed_in("tariq")
    sent = untouched(client)
    assert sent.get(f"answer.{make.TRAIN}") == ("yes" if ticks_of(sent) else None)
    client.post("/consent/review/", sent)
    assert "You changed nothing." in client.get("/consent/review/").text
    # One more tick is one more answer, and no other.
    one = {f"answer.{make.TRAIN}": "yes", f"cell.{make.TRAIN}.{make.TERMINAL}.click": "on"}
    client.post("/consent/review/", untouched(client) | one)
    assert "1 answer would change." in client.get("/consent/review/").text


def test_r02_a_no_that_stood_there_is_no_answer_to_what_is_offered_since(
    nordhafen: make.House,
) -> None:
    make.activate(nordhafen, make.policy_content(make.DESK, [Category("pointer")]))
    client = signed_in("tariq")
    choose(client, answer="no")
    sent = untouched(client)
    assert sent[f"answer.{make.TRAIN}"] == "no"
    subject = nordhafen.subject("tariq")
    before = consents.states(subject=subject)
    make.activate(nordhafen, make.policy_content(make.DESK))
    assert client.post("/consent/review/", sent).status_code == 409
    client.post("/consent/review/", untouched(client))
    assert "You changed nothing." in client.get("/consent/review/").text
    # Said now, it is an answer to all of it.
    choose(client, answer="no")
    assert len(consents.states(subject=subject)) > len(before)


def test_r02_a_consent_that_a_wider_policy_outgrew_is_neither_renewed_nor_ended_untouched(
    nordhafen: make.House,
) -> None:
    client = signed_in("tariq")
    choose(client, "pointer", answer="yes")
    wider = make.policy_content(make.DESK) | {"labels": ["Germany", "France", "Meals", "Wages"]}
    make.activate(nordhafen, wider)
    sent = untouched(client)
    assert (sent[f"answer.{make.TRAIN}"], ticks_of(sent)) == ("yes", [])
    assert client.post("/consent/review/", sent)["Location"] == "/consent/review/"
    assert "You changed nothing." in client.get("/consent/review/").text


def test_rows_that_a_search_left_out_keep_their_ticks(nordhafen: make.House) -> None:
    client = signed_in("tariq")
    client.post("/consent/review/", filled(client, "pointer", answer="yes"))
    searched = filled(client, answer="yes", find="warehouse")
    assert searched["shown"] == make.TERMINAL
    searched |= {f"cell.{make.TRAIN}.{make.TERMINAL}.click": "on"}
    client.post("/consent/review/", searched)
    client.post("/consent/save/", reviewed(client))
    assert set(consents.valid_cells(subject=nordhafen.subject("tariq"))) == {
        (make.TRAIN, make.DESK, "pointer"),
        (make.TRAIN, make.TERMINAL, "click"),
    }


def test_r16_a_browser_that_sends_gpc_is_not_prompted_and_keeps_its_answers(
    nordhafen: make.House,
) -> None:
    """R16: the signal suppresses every prompt of the session and withdraws nothing."""
    make.ask(nordhafen, "tariq")
    asked = "You are being asked for something"
    assert asked in signed_in("tariq").get("/").text
    client = signed_in("tariq")
    assert asked not in client.get("/", headers={"sec-gpc": "1"}).text
    assert asked not in client.get("/").text
    place = choose(client, "pointer", answer="yes")
    client.get("/consent/", headers={"sec-gpc": "1"})
    # The record of the decision says that the signal was there.
    envelope = client.get(f"{place}receipt.json").json()
    decision = json.loads(base64.b64decode(envelope["payload"]))["cu:decision"]
    assert {each["preference_signal"] for each in decision["choices"]} == {"gpc"}
    assert len(consents.valid_cells(subject=nordhafen.subject("tariq"))) == 1
    said = Client().get("/.well-known/gpc.json")
    assert said["Content-Type"] == "application/json"
    assert set(said.json()) == {"gpc", "lastUpdate"}
    assert said.json()["gpc"] is True
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", said.json()["lastUpdate"])


def test_one_computer_is_paused_and_the_others_go_on(nordhafen: make.House) -> None:
    first, second = (make.endpoint(nordhafen, "tariq").device for _ in range(2))
    client = signed_in("tariq")
    choose(client, "pointer", answer="yes")
    client.post("/pause/", {"do": "pause", "for": "quarter", "device": str(first.id)})
    page = client.get("/").text
    assert "Capture is on" in page
    assert "Paused: NH-L-0412." in page
    client.post("/pause/", {"do": "pause", "for": "open", "device": str(second.id)})
    assert "Capture is paused" in client.get("/").text
    client.post("/pause/", {"do": "resume", "device": str(first.id)})
    assert "Capture is on" in client.get("/").text
    client.post("/pause/", {"do": "resume"})
    assert "Paused: " not in client.get("/").text


@pytest.mark.parametrize("device", ["nothing", "0", "01932f00-0000-7000-8000-000000000001"])
def test_a_pause_names_a_computer_of_ones_own(nordhafen: make.House, device: str) -> None:
    theirs = make.endpoint(nordhafen, "mira").device
    client = signed_in("tariq")
    for named in (device, str(theirs.id)):
        answer = client.post("/pause/", {"do": "pause", "for": "hour", "device": named})
        assert answer.status_code == 404
    assert consents.pauses(subject=nordhafen.subject("tariq")) == []
