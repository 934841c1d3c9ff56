"""The office's pages about asking: drafted, asked, ended; windows, exemptions, reports, figures."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from consent import selectors as consents
from governance.rights import campaigns, exemptions, pressure
from governance.rights.models import AskingLimit, Campaign, CampaignEnd
from governance.rights.states import Limit
from tests import make
from tests.governance.api.people import Session
from tests.governance.portal.test_pages import signed_in
from tests.governance.test_asking import settled

pytestmark = pytest.mark.django_db

NEW = "/office/asking/new/"
LIMITS = "/office/asking/limits/"
ASKED = "You are being asked for something"


def test_a_request_is_read_as_a_draft_asked_and_ended(nordhafen: make.House) -> None:
    settled(nordhafen, "tariq")
    ines, tariq = signed_in("ines"), signed_in("tariq")
    draft = ines.get(f"{NEW}?purpose={make.TRAIN}").text
    assert f"{make.TRAIN}@1" in draft
    assert ASKED in draft
    assert not Campaign.objects.exists()
    refused = ines.post(NEW, {"purpose": make.TRAIN})
    assert refused.status_code == 422
    assert "Declare that the request carries no incentive." in refused.text
    assert ines.post(NEW, {"purpose": "nothing", "incentive": "none"}).status_code == 422
    assert not Campaign.objects.exists()
    where = ines.post(NEW, {"purpose": make.TRAIN, "incentive": "none"})["Location"]
    assert ASKED in tariq.get("/").text
    # Whoever else works in an office reads it and cannot end it.
    for name in ("lea", "wanda", "jonas", "adam"):
        other = signed_in(name)
        page = other.get(where)
        assert page.status_code == 200
        assert "End this request" not in page.text
        assert other.post(f"{where}end/").status_code == 403
    assert not CampaignEnd.objects.exists()
    assert ines.post(f"{where}end/")["Location"] == where
    assert ASKED not in tariq.get("/").text
    again = ines.post(f"{where}end/")
    assert (again.status_code, CampaignEnd.objects.count()) == (422, 1)
    assert Entry.objects.filter(event=Action.CAMPAIGN_ENDED).count() == 1
    # Who was asked stays asked: a second request reaches nobody.
    sent = campaigns.send(purpose=make.TRAIN, incentive="none", actor=nordhafen.ines)
    assert not sent.asked.exists()


def test_the_api_ends_a_request_once_and_for_its_office_alone(nordhafen: make.House) -> None:
    sent = campaigns.send(purpose=make.TRAIN, incentive="none", actor=nordhafen.ines)
    path = f"/api/v1/campaigns/{sent.id}/end"
    assert Session("wanda", "auditor").post(path).status_code == 403
    ines = Session("ines", "privacy_officer")
    done = ines.post(path)
    assert (done.status_code, done.json()["ended_at"] is None) == (200, False)
    assert done["Audit-Entry"]
    again = ines.post(path)
    assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (
        409,
        "invalid-transition",
    )


def test_windows_are_written_down_on_the_page_and_shut_the_draft(nordhafen: make.House) -> None:
    ines = signed_in("ines")
    today = timezone.now().date()
    days = {"starts_on": str(today), "ends_on": str(today)}
    for sent in (
        {},
        days | {"kind": "because"},
        days | {"kind": "probation"},
        days | {"kind": "probation", "username": "nobody"},
        days | {"kind": "exemption", "username": "tariq", "reason": "ill"},
        {"kind": "review-cycle", "starts_on": "soon", "ends_on": str(today)},
        {"kind": "review-cycle", "starts_on": str(today), "ends_on": "2001-01-01"},
    ):
        assert ines.post(LIMITS, sent).status_code == 422
    assert not AskingLimit.objects.exists()
    assert signed_in("wanda").post(LIMITS, days | {"kind": "review-cycle"}).status_code == 403
    one = days | {"kind": "exemption", "username": "tariq", "reason": "own-wish"}
    assert ines.post(LIMITS, one).status_code == 302
    assert ines.post(LIMITS, days | {"kind": "review-cycle"}).status_code == 302
    page = ines.get("/office/asking/").text.partition("<main")[2]
    assert "Review cycle" in page
    assert "tariq" not in page.lower()
    draft = ines.get(f"{NEW}?purpose={make.TRAIN}").text
    assert "A window is open in which nobody is asked." in draft
    assert ines.post(NEW, {"purpose": make.TRAIN, "incentive": "none"}).status_code == 422
    assert not Campaign.objects.exists()


def test_exemptions_are_counted_in_bands_that_stand_for_a_month(
    nordhafen: make.House, time_machine: Callable[[datetime], None]
) -> None:
    today = timezone.now().date()
    following = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    for name in ("mira", "tariq", "carla", "petra", "lea"):
        subject = nordhafen.subject(name)
        window = campaigns.Window(
            Limit.EXEMPTION,
            today - timedelta(days=30),
            today + timedelta(days=60),
            subject,
            "own-wish",
        )
        campaigns.limit(window=window, actor=nordhafen.ines)
    assert {each.band for each in exemptions.published()[1]} == {"<5"}
    time_machine(datetime.combine(following, datetime.min.time(), UTC) + timedelta(days=3))
    told = Session("adam", "service_admin").get("/api/v1/asking-limits").json()
    assert told["exempt_on"] == str(following)
    assert {row["reason"]: row["band"] for row in told["exempt"]} == {
        "on-leave": "<5",
        "no-screen-work": "<5",
        "representative": "<5",
        "own-wish": "5-19",
    }
    assert "5 to 19" in signed_in("wanda").get("/office/asking/").text
    assert [exemptions.band(people) for people in (0, 4, 5, 19, 20, 49, 50)] == [
        *("<5", "<5", "5-19", "5-19", "20-49", "20-49", ">=50")
    ]


def test_the_representatives_read_reports_on_a_page_and_answer_to_them(
    nordhafen: make.House,
) -> None:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    first, second = (pressure.report(words=words) for words in ("Petra <pressed>.", "A joke."))
    for name in ("ines", "lea", "jonas", "adam", "mira"):
        client = signed_in(name)
        assert client.get("/office/pressure/").status_code == 403
        assert client.post(f"/office/pressure/{first.id}/settle/").status_code == 403
    wanda = signed_in("wanda")
    page = wanda.get("/office/pressure/").text
    assert "Petra &lt;pressed&gt;." in page
    assert ">2</" in re.sub(r"\s+", "", wanda.get("/office/").text)
    where = f"/office/pressure/{first.id}/settle/"
    named = {"found": "confirmed", "purpose": make.TRAIN, "below": "petra"}
    for sent in (
        {},
        {"found": "confirmed"},
        named | {"below": "nobody"},
        named | {"purpose": "nothing"},
    ):
        assert wanda.post(where, sent).status_code == 422
    assert consents.valid_cells(subject=nordhafen.subject("mira")) != {}
    assert wanda.post(where, named).status_code == 302
    assert consents.valid_cells(subject=nordhafen.subject("mira")) == {}
    assert wanda.post(where, named).status_code == 404
    wanda.post(f"/office/pressure/{second.id}/settle/", {"found": "not-confirmed"})
    page = wanda.get("/office/pressure/").text.partition("<main")[2]
    assert "No report waits." in page
    assert "Petra Sample" in page
    assert "Mira" not in page
