"""The office's pages for what a policy needs before it may act, and for stopping it."""

from typing import Any

import pytest

from governance.compliance import monitoring
from governance.compliance import selectors as compliance
from governance.policies import history, selectors
from tests import groundwork, make
from tests.governance.portal.test_pages import signed_in

pytestmark = pytest.mark.django_db
PAGES = (
    *("/office/applications/", "/office/assessments/", "/office/agreements/", "/office/bases/"),
    *("/office/places/", "/office/records/", "/office/stop/"),
    f"/office/policies/{make.DESK}/1/",
    f"/office/assessments/{make.DESK}-v1/1/",
)


@pytest.mark.parametrize("name", ["ines", "lea", "wanda"])
def test_the_ground_of_a_policy_is_read_by_its_offices_and_names_no_employee(
    nordhafen: make.House, name: str
) -> None:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    client = signed_in(name)
    for path in PAGES:
        answer = client.get(path)
        assert answer.status_code == 200, path
        said = answer.content.decode()
        assert "Mira Sample" not in said, path
        assert nordhafen.subject("mira") not in said, path


def test_an_assessment_goes_its_way_on_pages(nordhafen: make.House) -> None:
    ines, lea = signed_in("ines"), signed_in("lea")
    version = history.version(make.DESK, 1)
    assert version is not None
    form: dict[str, Any] = {
        "key": "looked-at",
        "title": "Looked at",
        "covers": [f"{make.DESK}={version.scope_digest}"],
        "purposes": [make.TRAIN],
        **dict.fromkeys(("description", "necessity", "proportionality", "other_persons"), "Said."),
        "measures": "secret = Nobody sees it.",
        "risks": "a | data-subjects | low | high | low | secret | Pressed.\n"
        "b | other-persons | low | low | low | | Named.",
        "commitments": "short = retention-at-most click 90\nhere = places-only DE FR",
        "advice_by": "Ines",
        "advice_on": "2026-11-01",
        "advice_words": "Yes.",
        "views_of": "representatives",
        "views_on": "2026-11-02",
        "views_words": "Yes.",
        "residual_risk": "low",
    }
    broken = ines.post("/office/assessments/new/", form | {"risks": "only one part"})
    assert broken.status_code == 422
    assert "only one part" in broken.content.decode()
    where = ines.post("/office/assessments/new/", form)["Location"]
    assert "review_on" in ines.get(where).content.decode()
    filled = ines.get("/office/assessments/new/?from=looked-at@1").content.decode()
    assert "here = places-only DE FR" in filled
    assert "a | data-subjects | low | high | low | secret | Pressed." in filled
    where = ines.post("/office/assessments/new/", form | {"review_on": "2099-01-01"})["Location"]
    ines.post(f"{where}submit/")
    assert "Another person must decide" in ines.get(where).content.decode()
    found = compliance.assessment_version("looked-at", 2)
    assert found is not None
    word = {"decision": "approve", "content_digest": found.content_digest}
    assert ines.post(f"{where}decide/", word).status_code == 403
    assert lea.post(f"{where}decide/", word | {"decision": ""}).status_code == 422
    assert lea.post(f"{where}decide/", word | {"content_digest": "0" * 64}).status_code == 422
    assert lea.post(f"{where}decide/", word).status_code == 302
    said = {
        "authority": "HmbBfDI",
        "reference": "A7",
        "answer": "Go on.",
        "answered_on": "2026-11-03",
    }
    assert ines.post(f"{where}consult/", said | {"answered_on": "soon"}).status_code == 422
    assert ines.post(f"{where}consult/", said).status_code == 302
    approved = compliance.assessment_version("looked-at", 2)
    assert approved is not None
    assert (approved.state, approved.consultations[0].reference) == ("Approved", "A7")
    assert "kept" in wanda_reads(where)


def wanda_reads(path: str) -> str:
    return signed_in("wanda").get(path).content.decode()


def test_the_works_council_confirms_on_a_page_and_its_end_stops_capture(
    nordhafen: make.House,
) -> None:
    ines, wanda = signed_in("ines"), signed_in("wanda")
    version = history.version(make.DESK, 1)
    assert version is not None
    form = {
        "version": f"{make.DESK}={version.scope_digest}",
        "kind": "agreement",
        "reference": "BV 9",
        "employer": "Nordhafen GmbH",
        "council": "Betriebsrat",
        "places": "de, fr",
        "valid_from": "2026-01-01",
        "document_digest": "A" * 64,
    }
    assert ines.post("/office/agreements/", form | {"document_digest": "x"}).status_code == 422
    assert wanda.post("/office/agreements/", form).status_code == 403
    ines.post("/office/agreements/", form)
    (agreed,) = [each for each in compliance.agreements(make.DESK) if each.reference == "BV 9"]
    assert agreed.places == ["DE", "FR"]
    assert "waits for the works council" in wanda_reads("/office/agreements/")
    assert ines.post(f"/office/agreements/{agreed.id}/confirm/").status_code == 403
    wanda.post(f"/office/agreements/{agreed.id}/confirm/")
    (first,) = [each for each in compliance.agreements(make.DESK) if each.reference != "BV 9"]
    for each, stands in ((first, True), (agreed, False)):
        assert wanda.post(f"/office/agreements/{each.id}/end/", {"reason": ""}).status_code == 422
        wanda.post(f"/office/agreements/{each.id}/end/", {"reason": "Over."})
        assert (selectors.active_version(make.DESK) is not None) is stands


def test_the_detail_page_says_what_is_missing_and_what_would_be_captured(
    nordhafen: make.House,
) -> None:
    ines = signed_in("ines")
    page = ines.get(f"/office/policies/{make.DESK}/1/").content.decode()
    assert "What must hold before it acts" in page
    assert "vendor-form" in page
    (agreed,) = compliance.agreements(make.DESK)
    signed_in("wanda").post(f"/office/agreements/{agreed.id}/end/", {"reason": "Over."})
    stopped = ines.get(f"/office/policies/{make.DESK}/1/").content.decode()
    assert "No works agreement over exactly this is in force" in stopped
    where = f"/office/policies/{make.DESK}/1/"
    assert ines.post(f"{where}resume/").status_code == 422
    groundwork.agree(
        application=make.DESK,
        scope_digest=agreed.scope_digest,
        officer=nordhafen.ines,
        council=nordhafen.wanda,
    )
    assert ines.post(f"{where}resume/").status_code == 302
    assert selectors.active_version(make.DESK) is None
    assert signed_in("lea").post(f"{where}resume/").status_code == 302
    assert selectors.active_version(make.DESK) is not None


def test_r80_the_stop_switch_works_on_its_page_and_tells_how_far_it_came(
    nordhafen: make.House,
) -> None:
    wanda, ines = signed_in("wanda"), signed_in("ines")
    make.endpoint(nordhafen, "mira")
    assert wanda.post("/office/stop/", {"reason": ""}).status_code == 422
    wanda.post("/office/stop/", {"reason": "Drill."})
    page = ines.get("/office/stop/").content.decode()
    assert "0 of 1 computers said that they obey it." in page
    assert ines.get("/office/stop/1/certificate.json").status_code == 409
    ines.post("/office/stop/1/lift/")
    assert ines.post("/office/stop/1/lift/").status_code == 422
    assert selectors.active_policies() == {}
    wanda.post("/office/stop/1/lift/")
    assert set(selectors.active_policies()) == set(make.APPLICATIONS)
    assert "is over" in ines.get("/office/stop/").content.decode()


def test_an_application_and_a_basis_are_registered_on_pages(nordhafen: make.House) -> None:
    ines = signed_in("ines")
    ines.post("/office/applications/", {"key": "crm", "name": "CRM", "kind": "web"})
    assert selectors.application("crm") is not None
    assert ines.post("/office/applications/", {"key": "crm", "name": "CRM"}).status_code == 422
    nameless = ines.post("/office/applications/", {"key": "CRM", "name": ""})
    assert (nameless.status_code, selectors.application("CRM")) == (422, None)
    assert signed_in("lea").post("/office/applications/", {"key": "x"}).status_code == 403
    body = {"purpose": make.TRAIN, "basis": "A6-1-f", "evidence": "x@1"}
    assert ines.post("/office/bases/", body).status_code == 422


def test_r103_the_office_publishes_what_a_place_wants_people_told(nordhafen: make.House) -> None:
    ines = signed_in("ines")
    door = "/office/places/US-NY"
    assert "Notice of New York" in ines.get("/office/places/").content.decode()
    for name in ("wanda", "lea"):
        assert "Publish this notice" not in signed_in(name).get("/office/places/").content.decode()
        assert signed_in(name).post(f"{door}/notice/").status_code == 403
    texts = {"text.en": "We record.\r\nAsk us.", "text.de": "Wir zeichnen auf.", "text.fr": " "}
    missing = ines.post(f"{door}/notice/", texts)
    assert missing.status_code == 422
    page = missing.content.decode()
    assert "Write the notice in every language." in page
    assert "Wir zeichnen auf." in page, "what was written stays"
    assert ines.post(f"{door}/posting/", {"where": "Hall"}).status_code == 404
    long = ines.post(f"{door}/notice/", texts | {"text.fr": "x" * 8001})
    assert long.status_code == 422
    done = ines.post(f"{door}/notice/", texts | {"text.fr": "Nous enregistrons."})
    assert done.status_code == 302
    notice = monitoring.newest("US-NY")
    assert notice is not None
    assert notice.texts == {
        "en": "We record.\nAsk us.", "de": "Wir zeichnen auf.", "fr": "Nous enregistrons.",
    }  # fmt: skip
    assert ines.post(f"{door}/posting/", {"where": " "}).status_code == 422
    assert ines.post(f"{door}/posting/", {"where": "Hall  2,\ngate"}).status_code == 302
    assert [each.where for each in notice.postings.all()] == ["Hall 2, gate"]
    assert "Hall 2, gate" in signed_in("wanda").get("/office/places/").content.decode()
    for code in ("DE", "XX"):
        assert ines.post(f"/office/places/{code}/notice/", texts).status_code == 404
