"""The employee's pages over HTTP: what they show, what they ask, what they write."""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.test import Client

from audit import selectors as log
from audit.actions import Action
from consent import selectors as consents
from governance import env
from governance.capture import blobs
from tests import make
from tests.governance.capture.test_path import (
    MOVE,
    POINTER,
    continued,
    frames_of,
    now_events,
    send,
)

pytestmark = pytest.mark.django_db

PAGES = (
    "/",
    "/consent/",
    f"/consent/notice/{make.TRAIN}/",
    "/data/",
    "/access/",
    "/uses/",
    "/requests/",
    "/devices/",
    "/pause/",
    "/withdraw/",
)


def signed_in(name: str) -> Client:
    client = Client()
    answer = client.post("/demo/persona/", {"persona": name})
    assert answer.status_code == 302
    return client


def filled(client: Client, *cells: str, answer: str = "", find: str = "") -> dict[str, str]:
    """Return the form as a browser sends it: what the page hides, the answer and the ticks."""
    page = client.get("/consent/", {"find": find}).text
    form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    del form["csrfmiddlewaretoken"], form["next"]
    form |= {f"answer.{make.TRAIN}": answer} if answer else {}
    return form | {f"cell.{make.TRAIN}.{make.DESK}.{cell}": "on" for cell in cells}


def reviewed(client: Client) -> dict[str, str]:
    """Look at the review; return what its button "save" sends."""
    page = client.get("/consent/review/")
    assert page.status_code == 200
    (name,) = re.findall(r'<input type="hidden" name="reviewed" value="([^"]+)"', page.text)
    return {"do": "save", "reviewed": name}


def choose(client: Client, *cells: str, answer: str) -> str:
    """Send the form, look at the review, save; return where the receipt is."""
    form = filled(client, *cells, answer=answer)
    assert client.post("/consent/review/", form)["Location"] == "/consent/review/"
    return client.post("/consent/save/", reviewed(client))["Location"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_for_an_employee_and_for_nobody_else(nordhafen: make.House, path: str) -> None:
    answer = signed_in("tariq").get(path)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert "unsafe" not in answer["Content-Security-Policy"]
    stranger = Client().get(path)
    assert stranger.status_code == (200 if path == "/" else 302)
    assert b"Tariq Sample" not in stranger.content


def test_an_officer_is_refused_the_portal_and_the_refusal_is_an_entry(
    nordhafen: make.House,
) -> None:
    assert signed_in("ines").get("/data/").status_code == 403
    found = log.search(filters=log.SearchFilters(events=frozenset({Action.ACCESS_DENIED})))
    assert [(row.role, row.act) for row in found.entries] == [("privacy_officer", "capture.list")]


def test_r02_nothing_is_chosen_for_a_fresh_person(nordhafen: make.House) -> None:
    page = signed_in("tariq").get("/consent/").content.decode()
    assert page.count('type="radio"') == 4
    assert page.count('type="checkbox"') == 32
    assert " checked>" not in page
    assert page.count("No decision yet") == 2


def test_r02_r107_allowing_and_refusing_look_alike(nordhafen: make.House) -> None:
    page = signed_in("tariq").get("/consent/").content.decode()
    no, yes = page.index("No, do not use it"), page.index("Yes, only what I tick")
    assert no < yes
    labels = [part.split(">")[0] for part in page.split("<label")[1:] if "answer." in part[:200]]
    assert set(labels) == {' class="opt"'}


def test_a_choice_counts_only_after_the_review_and_gives_a_receipt(nordhafen: make.House) -> None:
    client = signed_in("tariq")
    subject = nordhafen.subject("tariq")
    client.post("/consent/review/", filled(client, "pointer", answer="yes"))
    assert consents.states(subject=subject) == {}
    receipt = choose(client, "pointer", answer="yes")
    assert receipt.startswith("/consent/done/")
    valid = consents.valid_cells(subject=subject)
    assert list(valid) == [(make.TRAIN, make.DESK, "pointer")]
    page = client.get(receipt).content.decode()
    assert "Your decision is saved" in page
    assert client.get(f"{receipt}receipt.json").json()["signatures"]


def test_r02_r107_refusing_takes_as_many_steps_and_leaves_a_receipt_too(
    nordhafen: make.House,
) -> None:
    client = signed_in("tariq")
    receipt = choose(client, answer="no")
    assert receipt.startswith("/consent/done/")
    assert consents.valid_cells(subject=nordhafen.subject("tariq")) == {}
    assert len(consents.states(subject=nordhafen.subject("tariq"))) == 16


def test_a_yes_without_a_tick_is_sent_back_and_keeps_the_answer(nordhafen: make.House) -> None:
    client = signed_in("tariq")
    answer = client.post("/consent/review/", filled(client, answer="yes"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Tick what may be captured" in page
    assert page.count('value="yes" checked') == 1


def test_r04_withdrawing_everything_is_one_form(nordhafen: make.House) -> None:
    client = signed_in("tariq")
    choose(client, "pointer", "click", answer="yes")
    answer = client.post("/withdraw/")
    assert answer["Location"].startswith("/consent/done/")
    assert consents.valid_cells(subject=nordhafen.subject("tariq")) == {}


def test_anothers_receipt_looks_like_one_that_is_not_there(nordhafen: make.House) -> None:
    receipt = choose(signed_in("tariq"), "pointer", answer="yes")
    petra = signed_in("petra")
    missing = "/consent/done/018f0000-0000-7000-8000-000000000000/"
    assert petra.get(receipt).status_code == petra.get(missing).status_code == 404
    assert petra.get(f"{receipt}receipt.json").status_code == 404


def test_a_store_that_is_away_is_no_fault_of_the_page(
    nordhafen: make.House, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STORAGES = dict(storages.backends) | {"captures": env.objects(str(tmp_path / "o"))}
    monkeypatch.setattr(blobs, "LARGEST_ROW_OCTETS", 0)
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    send(make.endpoint(nordhafen, "mira"), now_events(MOVE, MOVE, MOVE), POINTER)
    (frame,) = frames_of(nordhafen.subject("mira"))
    (tmp_path / "file").write_bytes(b"")
    settings.STORAGES = dict(storages.backends) | {"captures": env.objects(str(tmp_path / "file"))}
    answer = signed_in("mira").get(f"/data/event/{frame}/")
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert "store of sealed data" in answer.content.decode()


def test_anothers_record_looks_like_one_that_is_not_there(nordhafen: make.House) -> None:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    send(make.endpoint(nordhafen, "mira"), now_events(MOVE, MOVE, MOVE), POINTER)
    (frame,) = frames_of(nordhafen.subject("mira"))
    assert signed_in("mira").get(f"/data/event/{frame}/").status_code == 200
    petra = signed_in("petra")
    there, nowhere = (petra.get(f"/data/event/{one}/") for one in (frame, uuid4()))
    assert there.status_code == nowhere.status_code == 404
    assert log.entries_about(
        subject=nordhafen.subject("mira"), events=[Action.ACCESS_DENIED], limit=1
    )


def test_r14_a_pause_shows_in_the_band_until_it_is_ended(nordhafen: make.House) -> None:
    client = signed_in("tariq")
    client.post("/pause/", {"do": "pause", "for": "hour"})
    assert "Capture is paused" in client.get("/").content.decode()
    client.post("/pause/", {"do": "resume"})
    assert "Nothing is captured from you" in client.get("/").content.decode()


def test_erasing_needs_the_tick_and_then_shows_its_steps(nordhafen: make.House) -> None:
    client = signed_in("tariq")
    assert client.post("/requests/erase/").status_code == 422
    followed = client.post("/requests/erase/", {"sure": "yes"}, follow=True)
    assert followed.status_code == 200
    assert "Step by step" in followed.content.decode()


def test_the_enrolment_code_stands_in_one_answer_only(nordhafen: make.House) -> None:
    client = signed_in("tariq")
    assert "Your one-time code" in client.post("/devices/enrol/").content.decode()
    assert "Your one-time code" not in client.get("/devices/").content.decode()


def test_what_never_came_from_a_computer_stands_beside_it(nordhafen: make.House) -> None:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    computer = make.endpoint(nordhafen, "mira")
    client = signed_in("mira")
    send(computer, now_events(MOVE, MOVE, MOVE), POINTER)
    assert "never arrived" not in client.get("/devices/").content.decode()
    computer.next_seq = 45
    send(computer, continued(computer, MOVE, MOVE, MOVE), POINTER)
    assert "42 events of it never arrived" in client.get("/devices/").content.decode()


def test_a_wrong_password_is_refused_with_an_entry_and_says_nothing_else(
    nordhafen: make.House,
) -> None:
    answer = Client().post("/sign-in/", {"username": "mira", "password": "wrong"})
    assert answer.status_code == 422
    assert "sessionid" not in answer.cookies
    found = log.search(filters=log.SearchFilters(events=frozenset({Action.SESSION_REFUSED})))
    assert found.total == 1


def test_the_persona_switch_does_not_exist_outside_the_demo(
    nordhafen: make.House, settings: object
) -> None:
    settings.REMIT_DEMO = False  # type: ignore[attr-defined]
    assert Client().post("/demo/persona/", {"persona": "mira"}).status_code == 404
    assert "persona" not in Client().get("/sign-in/").content.decode()
