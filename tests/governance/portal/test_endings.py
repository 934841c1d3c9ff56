"""What others or the clock ended, as its person reads it: who acted by office, what, and why."""

import base64
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

import consent.services
from audit import own
from audit.leaf import reveal
from consent import selectors as consents
from consent.status import ConsentStatus
from governance.rights import choosing, pressure
from tests import make
from tests.governance.portal.test_pages import choose, signed_in

pytestmark = pytest.mark.django_db
CELL = (make.TRAIN, make.DESK, "pointer")
INVALID = "Your consent was declared invalid, because pressure was confirmed."


def confirm(house: make.House) -> str:
    """Let mira agree and pressure on her be confirmed; return where the receipt of that is."""
    make.decide(house, "mira", [CELL])
    report = pressure.report(words="Petra stood behind us.")
    pressure.settle(
        report_id=report.id, is_confirmed=True, actor=house.wanda, purpose=make.TRAIN, below="petra"
    )
    return newest(house)


def newest(house: make.House) -> str:
    subject = house.subject("mira")
    decision = consents.history(subject=subject)[0].decision_id
    return f"/consent/done/{consents.receipt_ids(subject=subject)[decision]}/"


def words_of(answer: Any) -> str:
    paper = PdfReader(io.BytesIO(answer.content))
    return " ".join(" ".join(page.extract_text() for page in paper.pages).split())


@pytest.mark.parametrize(
    ("language", "told", "by"),
    [
        ("en", "declared invalid, because pressure was confirmed", "The works council"),
        ("de", "für ungültig erklärt, weil Druck bestätigt wurde", "Der Betriebsrat"),
        ("fr", "déclaré invalide, car une pression a été confirmée", "Le comité d"),
    ],
)
def test_what_the_works_council_declared_invalid_is_not_told_as_the_persons_own_decision(
    nordhafen: make.House, language: str, told: str, by: str
) -> None:
    place = confirm(nordhafen)
    mira = signed_in("mira")
    mira.post("/language/", {"language": language, "next": "/"})
    page = mira.get(place).text
    body = page[page.index("<main") : page.index("</main>")]
    paper = words_of(mira.get(f"{place}receipt.pdf"))
    for said in (body, paper):
        assert told in said
        assert by in said
        assert "Mira Sample" not in said
        assert "Wanda" not in said
    assert "?version=" not in body
    if language == "en":
        history = mira.get("/consent/").text
        assert "Declared invalid by the works council, because pressure was confirmed:" in history
        assert "Said no" not in history
        assert not [said for said in (body, paper) if "Notice it is about" in said]
        assert "Your decision is saved" not in body


def test_the_overview_tells_it_first_until_it_was_looked_at_or_answered_anew(
    nordhafen: make.House,
) -> None:
    place = confirm(nordhafen)
    mira, again = signed_in("mira"), signed_in("mira")
    front = mira.get("/").text
    assert front.index(INVALID) < front.index('class="today"')
    assert f'href="{place}"' in front
    assert "none yet" not in front, "her own last decision is the yes"
    mira.get(place)
    assert INVALID not in mira.get("/").text
    assert INVALID in again.get("/").text
    assert INVALID not in signed_in("tariq").get("/").text
    choose(again, "pointer", answer="yes")
    assert INVALID not in signed_in("mira").get("/").text


def test_what_ran_out_or_was_ended_says_so(
    nordhafen: make.House, time_machine: Callable[[Any], None]
) -> None:
    def page() -> str:
        return str(signed_in("mira").get(newest(nordhafen)).text)

    mira = nordhafen.subject("mira")
    make.decide(nordhafen, "mira", [CELL])
    choosing.end_all(
        person_subject=mira,
        actor=nordhafen.ines,
        language="en",
        form_digest="0" * 64,
        now=timezone.now(),
    )
    assert "Your consent was ended by the privacy office." in page()
    make.decide(nordhafen, "mira", [CELL])
    consent.services.end_employment(subject=mira)
    assert "Your consent ended with the employment." in page()
    make.decide(nordhafen, "mira", [CELL])
    time_machine(timezone.now() + timedelta(days=190))
    assert choosing.expire_consents() == 1
    assert "Your consent ran out: the time that it was given for is over." in page()
    front = signed_in("mira").get("/").text
    assert front.count('aria-labelledby="ended-') == 1, "only the last still stands"
    make.decide(nordhafen, "mira", [CELL], ConsentStatus.GIVEN)
    assert 'aria-labelledby="ended-' not in signed_in("mira").get("/").text


def test_no_entry_that_the_person_takes_names_who_held_the_office(
    nordhafen: make.House, open_log: Callable[[], None]
) -> None:
    place = confirm(nordhafen)
    open_log()
    mira, wanda = signed_in("mira"), nordhafen.subject("wanda")
    subject = nordhafen.subject("mira")
    (act,) = [e for e in consents.history(subject=subject) if e.by == "office"]
    opened = details(mira, f"/api/v1/audit/entries/{act.entry}/proof?disclosures=own")
    assert opened["role"] == "auditor"
    assert "actor" not in opened
    assert wanda not in json.dumps(mira.get(f"{place}receipt.json").json())
    numbered = dict(map(reveal, own.numbered(subject=subject).disclosures))
    assert wanda not in numbered.values()
    (yes,) = [e for e in consents.history(subject=subject) if e.by == "subject"]
    mine = details(mira, f"/api/v1/audit/entries/{yes.entry}/proof?disclosures=own")
    assert mine["actor"] == subject


def details(client: Client, url: str) -> dict[str, Any]:
    lines = client.get(url).text.splitlines()
    extra = next(line for line in lines if line.startswith("extra "))
    disclosures = json.loads(base64.b64decode(extra.removeprefix("extra ")))["disclosures"]
    return dict(map(reveal, disclosures))
