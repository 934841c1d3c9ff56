"""The office's page of computers, and what the works council sees first."""

import re

import pytest
from pytest_django import Settings

from audit.models import Entry
from consent import services as consent
from governance.accounts import selectors, services
from governance.accounts.models import Person
from governance.policies import selectors as policies
from tests import make
from tests.governance.api.people import Session
from tests.governance.console.test_pages import DRAFT
from tests.governance.portal.test_pages import signed_in

pytestmark = pytest.mark.django_db

PAGE = "/office/computers/"


def read(name: str, path: str = PAGE) -> str:
    """Return what a page itself says, without the tokens of its forms."""
    whole = signed_in(name).get(path).content.decode()
    page = whole.partition("<main")[2].partition("</main>")[0]
    page = re.sub(r'<div class="status elsewhere".*?</div>', "", page, flags=re.DOTALL)
    return re.sub(r'(name="csrfmiddlewaretoken" value=")[^"]+', r"\1", page)


def test_a_computer_stands_without_its_person_and_looking_it_up_is_told_to_them(
    nordhafen: make.House,
) -> None:
    device = make.endpoint(nordhafen, "mira").device
    services.record_heartbeat(
        device_id=device.id, policy_epoch=policies.generation(), consent_epoch=7
    )
    for name in ("ines", "adam", "wanda"):
        page = read(name)
        assert device.id.hex[-8:] in page
        assert "1 of 1 computer obeys the newest policies." in page
        for secret in ("Mira", nordhafen.subject("mira"), "NH-L-0412", ":00</time>"):
            assert secret not in page, (name, secret)
    for name, status in (("wanda", 403), ("lea", 403), ("mira", 403)):
        for act in ("name", "end"):
            assert signed_in(name).post(f"{PAGE}{device.id}/{act}/").status_code == status
    assert "Whose is it?" not in read("wanda")
    told = signed_in("ines").post(f"{PAGE}{device.id}/name/").content.decode()
    assert "is called “NH-L-0412” and belongs to Mira Sample" in told
    assert "Mira" not in read("ines")
    hers = signed_in("mira").get("/access/").content.decode()
    assert "looked up whose computer yours is" in hers
    assert "Looking after computers" in hers
    signed_in("adam").post(f"{PAGE}{device.id}/end/")
    assert selectors.enrolled(device.id) is None
    assert "No computer is enrolled." in read("ines")
    assert signed_in("ines").post(f"{PAGE}{device.id}/name/").status_code == 404


def test_r18_nothing_that_a_person_decides_changes_the_page_of_computers(
    nordhafen: make.House,
) -> None:
    device = make.endpoint(nordhafen, "mira").device

    def seen(epoch: int) -> list[str]:
        services.record_heartbeat(
            device_id=device.id, policy_epoch=policies.generation(), consent_epoch=epoch
        )
        return [read(name, path) for name in ("ines", "wanda") for path in (PAGE, "/office/stop/")]

    silent = seen(0)
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    assert seen(1) == silent
    consent.pause(
        subject=nordhafen.subject("mira"),
        device_id=None,
        until=None,
        actor=nordhafen.actor("mira"),
    )
    assert seen(2) == silent


def test_computers_that_lag_are_found_and_pages_go_on(nordhafen: make.House) -> None:
    devices = [make.endpoint(nordhafen, name).device for name in ("mira", "tariq", "carla")]
    for device, behind in zip(devices, (0, 1, None), strict=True):
        if behind is not None:
            epoch = policies.generation() - behind
            services.record_heartbeat(device_id=device.id, policy_epoch=epoch, consent_epoch=0)
    lagging = read("ines", f"{PAGE}?which=behind")
    assert [device.id.hex[-8:] in lagging for device in devices] == [False, True, True]
    assert "1 of 3 computers obey" in lagging
    older = read("ines", f"{PAGE}?before={devices[1].id}")
    assert [device.id.hex[-8:] in older for device in devices] == [True, False, False]
    assert read("ines", f"{PAGE}?before=nonsense").count("<td class") == len(devices)


def test_the_works_council_begins_with_all_it_may_see_and_no_name(nordhafen: make.House) -> None:
    where = signed_in("ines").post("/office/policies/new/", DRAFT)["Location"]
    signed_in("ines").post(f"{where}submit/")
    page = read("wanda", "/office/")
    for words in (
        "You can stop all capture at once",
        "Version 2 is to follow:",
        "The application is recognised in one way more: desk = https://freight.example.",
        "It is narrower in 13 points.",
        "2 in force",
        f'href="/office/policies/{make.DESK}/"',
    ):
        assert words in page, words
    for person in Person.objects.exclude(username="wanda"):
        assert person.display_name not in page
        assert person.subject_key not in page
    for address in re.findall(r'<dt><a href="([^"]+)">', page):
        assert signed_in("wanda").get(address).status_code == 200, address
    assert "Your documents" not in read("ines", "/office/")
    signed_in("wanda").post("/office/stop/", {"reason": "Drill."})
    assert "All capture is stopped" in read("wanda", "/office/")


def test_the_stop_page_shows_how_far_it_is_and_keeps_every_certificate(
    nordhafen: make.House,
) -> None:
    device = make.endpoint(nordhafen, "mira").device
    signed_in("wanda").post("/office/stop/", {"reason": "Drill."})
    page = read("ines", "/office/stop/")
    assert 'id="live" data-every="5"' in page
    assert "Look again" in page
    assert re.search(r"As it was at <time [^>]+>\d\d:\d\d:\d\d</time>\.", page)
    assert "A signed certificate stands here" in page
    services.record_heartbeat(
        device_id=device.id, policy_epoch=policies.generation(), consent_epoch=0
    )
    done = read("ines", "/office/stop/")
    assert "Certificate that all have stopped" in done
    assert 'id="live"' not in done
    for name in ("ines", "lea"):
        signed_in(name).post("/office/stop/1/lift/")
    over = read("wanda", "/office/stop/")
    assert "Earlier stops" in over
    assert "/office/stop/1/certificate.json" in over
    assert signed_in("wanda").get("/office/stop/1/certificate.json").status_code == 200


def test_the_foot_of_each_page_says_whom_to_ask_as_the_settings_say(
    nordhafen: make.House, settings: Settings
) -> None:
    settings.REMIT_PRIVACY_OFFICE = "dpo@example.org | 12"
    settings.REMIT_WORKS_COUNCIL = "| 99"
    for name, path in (("ines", "/office/"), ("mira", "/")):
        page = signed_in(name).get(path).content.decode()
        assert 'href="mailto:dpo@example.org"' in page
        assert "phone 12" in page
        assert "phone 99" in page
        assert "nordhafen.example" not in page
    settings.REMIT_PRIVACY_OFFICE = settings.REMIT_WORKS_COUNCIL = ""
    assert "Questions?" not in signed_in("mira").get("/").content.decode()


def test_programs_read_the_same_of_computers_as_the_page(nordhafen: make.House) -> None:
    device = make.endpoint(nordhafen, "mira").device
    other = make.endpoint(nordhafen, "tariq").device
    services.record_heartbeat(
        device_id=device.id, policy_epoch=policies.generation(), consent_epoch=7
    )
    ines = Session("ines", "privacy_officer")
    door = "/api/v1/computers"
    first = ines.get(f"{door}?limit=1").json()
    assert (first["enrolled"], first["newest"], first["next"]) == (2, 1, str(other.id))
    second = ines.get(f"{door}?limit=1&before={first['next']}").json()
    assert second["next"] is None
    (found,) = second["computers"]
    assert found["number"] == device.id.hex[-8:]
    assert found["is_newest"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found["last_answer_on"])
    behind = ines.get(f"{door}?is_behind=true").json()["computers"]
    assert [each["id"] for each in behind] == [str(other.id)]
    assert nordhafen.subject("mira") not in str(first) + str(second)
    # An id that tells its time would tell the millisecond of the enrolment.
    assert {device.id.version, other.id.version} == {4}
    wanda = Session("wanda", "auditor")
    assert wanda.get(door).json()["enrolled"] == 2
    assert wanda.post(f"{door}/{device.id}/owner", {}).status_code == 403
    owner = ines.post(f"{door}/{device.id}/owner", {})
    assert owner.json() == {"name": "Mira Sample", "computer": "NH-L-0412"}
    assert owner.headers["Cache-Control"] == "no-store"
    entry, _, _ = owner.headers["Audit-Entry"].partition(";")
    assert Entry.objects.get(uuid=entry).leaf
    assert "looked up whose computer yours is" in signed_in("mira").get("/access/").content.decode()
    assert ines.delete(f"{door}/{device.id}").status_code == 204
    assert selectors.enrolled(device.id) is None
    assert ines.post(f"{door}/{device.id}/owner", {}).status_code == 404
    assert ines.get(f"{door}?before=1").status_code == 400
