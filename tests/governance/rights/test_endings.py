"""Ending consents that their people did not end: two officers, a reason, and no names."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.actions import Action
from audit.models import Entry
from consent import selectors as consents
from consent.selectors import Cell
from consent.status import ConsentStatus
from governance.accounts import selectors as accounts
from governance.jobs import services as jobs
from governance.portal.history import decisions_of
from governance.rights.models import ConsentEnding, EndingDecision, EndingReach, ErasureOrder
from tests import make
from tests.governance.api.people import Session
from tests.governance.portal.test_pages import signed_in

pytestmark = pytest.mark.django_db

DOOR = "/api/v1/consent-endings"
CLOSED = {"reason": "purpose-closed", "words": "The project is over.", "purpose": make.TRAIN}
POINTER = Cell(make.TRAIN, make.DESK, "pointer")
CLICK = Cell(make.TRAIN, make.DESK, "click")
OTHER = Cell(make.PURPOSES[1], make.DESK, "pointer")


def slug(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


def ines() -> Session:
    return Session("ines", "privacy_officer")


def lea() -> Session:
    return Session("lea", "policy_approver")


def proposed(**changed: str) -> str:
    answer = ines().post(DOOR, CLOSED | changed)
    assert answer.status_code == 201, answer.content
    assert answer["Audit-Entry"]
    return f"{DOOR}/{answer.json()['id']}/decision"


def test_r13_one_officer_proposes_another_ends_consents_and_everybody_leaves_the_same_trace(
    nordhafen: make.House,
) -> None:
    make.decide(nordhafen, "mira", [POINTER, CLICK, OTHER])
    make.decide(nordhafen, "carla", [POINTER], ConsentStatus.REFUSED)
    mira = nordhafen.subject("mira")
    officer = ines()
    where = proposed(application=make.DESK)
    assert slug(officer.post(where, {"is_approved": True})) == (403, "self-approval")
    jobs.run_due()
    assert set(consents.valid_cells(subject=mira)) == {POINTER, CLICK, OTHER}
    before = Entry.objects.filter(event=Action.CONSENT_DECIDED).count()
    ordered = lea().post(where, {"is_approved": True})
    assert (ordered.status_code, ordered.json()["state"]) == (200, "ordered")
    jobs.run_due()
    assert set(consents.valid_cells(subject=mira)) == {OTHER}
    assert consents.states(subject=mira)[POINTER].status is ConsentStatus.REVOKED
    people = accounts.active_subjects()
    assert Entry.objects.filter(event=Action.CONSENT_DECIDED).count() == before + len(people)
    assert set(EndingReach.objects.values_list("subject", flat=True)) == set(people)
    # What another purpose holds stays; what no purpose holds is erased, and said to be.
    assert {o.category for o in ErasureOrder.objects.filter(subject=mira)} == {"click"}
    assert ErasureOrder.objects.filter(subject=mira).get().reason == "consent-revoked"
    assert slug(lea().post(where, {"is_approved": False})) == (409, "invalid-transition")
    # The person may agree to it again: a consent that was revoked is closed to nobody.
    make.decide(nordhafen, "mira", [POINTER])


def test_a_returned_proposal_ends_nothing(nordhafen: make.House) -> None:
    make.decide(nordhafen, "mira", [POINTER])
    where = proposed()
    assert lea().post(where, {"is_approved": False}).json()["state"] == "returned"
    jobs.run_due()
    assert consents.valid_cells(subject=nordhafen.subject("mira"))
    assert not EndingReach.objects.exists()


def test_what_an_authority_orders_voids_one_persons_consents_as_if_they_never_were(
    nordhafen: make.House,
) -> None:
    for name in ("mira", "carla"):
        make.decide(nordhafen, name, [POINTER])
    where = proposed(reason="authority-order", username="mira")
    assert lea().post(where, {"is_approved": True}).status_code == 200
    jobs.run_due()
    mira = nordhafen.subject("mira")
    assert consents.states(subject=mira)[POINTER].status is ConsentStatus.INVALIDATED
    assert consents.intervals(subject=mira) == []
    assert consents.valid_cells(subject=nordhafen.subject("carla"))
    (act, _given) = decisions_of(subject=mira)
    assert act.ending is not None
    page = signed_in("mira")
    first, told = (
        page.get(path).text.partition("<main")[2]
        for path in ("/", f"/consent/done/{act.receipt_id}/")
    )
    assert "because an authority ordered it. It counts as never given" in first
    assert "The privacy office, two people together" in told
    assert "ordered it" in page.get("/consent/").text
    for officer in ("Ines", "Lea"):
        assert officer not in first + told
    assert "authority" not in signed_in("carla").get("/").text


def test_r24_whoever_leads_somebody_neither_proposes_to_end_their_consent_nor_decides(
    nordhafen: make.House,
) -> None:
    officer, approver = ines(), lea()
    where = proposed(username="mira")
    everybody = proposed()
    nordhafen.people["mira"].manager = nordhafen.people["lea"]
    nordhafen.people["mira"].save()
    for one in (where, everybody):
        said = approver.post(one, {"is_approved": True})
        assert slug(said) == (403, "conflict-of-interest")
    nordhafen.people["tariq"].manager = nordhafen.people["ines"]
    nordhafen.people["tariq"].save()
    for username in ("tariq", ""):
        said = officer.post(DOOR, CLOSED | {"username": username})
        assert slug(said) == (403, "conflict-of-interest")
    assert officer.post(DOOR, CLOSED | {"username": "carla"}).status_code == 201
    assert not EndingDecision.objects.exists()


def test_who_decided_does_not_end_their_own_consent_the_other_does(
    nordhafen: make.House,
) -> None:
    make.decide(nordhafen, "lea", [POINTER])
    assert lea().post(proposed(), {"is_approved": True}).status_code == 200
    jobs.run_due()
    (event, _given) = consents.history(subject=nordhafen.subject("lea"))
    assert (event.status, event.by) == (ConsentStatus.REVOKED, "office")


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "because"},
        {"reason": "pressure"},
        {"words": "  "},
        {"words": "x" * 501},
        {"purpose": "nothing"},
        {"application": "nowhere"},
        {"category": "thoughts"},
        {"username": "nobody"},
        {"subject": "x"},
    ],
)
def test_a_proposal_that_names_nothing_is_refused(
    nordhafen: make.House, wrong: dict[str, str]
) -> None:
    officer = ines()
    entries = Entry.objects.count()
    assert slug(officer.post(DOOR, CLOSED | wrong)) == (400, "invalid-request")
    assert (ConsentEnding.objects.count(), Entry.objects.count()) == (0, entries)


def test_the_office_proposes_and_decides_on_a_page(nordhafen: make.House) -> None:
    make.decide(nordhafen, "mira", [POINTER])
    first, second = signed_in("ines"), signed_in("lea")
    where = "/office/endings/"
    assert first.post(where, CLOSED | {"reason": ""}).status_code == 422
    assert first.post(where, CLOSED | {"words": ""}).status_code == 422
    assert first.post(where, CLOSED)["Location"] == where
    held = ConsentEnding.objects.get()
    assert "You proposed it; somebody else decides." in first.get(where).text
    decide = f"{where}{held.id}/decide/"
    assert first.post(decide, {"do": "order"}).status_code == 422
    assert second.post(decide, {}).status_code == 422
    assert second.post(where, CLOSED).status_code == 403
    page = second.get(where).text
    assert "The project is over." in page
    assert page.index("Return it") < page.index("End these consents")
    assert second.post(decide, {"do": "order"})["Location"] == where
    jobs.run_due()
    assert consents.valid_cells(subject=nordhafen.subject("mira")) == {}
    assert "Mira" not in second.get(where).text.partition("<main")[2]


def test_the_database_takes_no_decision_by_the_author_nor_of_another(
    nordhafen: make.House,
) -> None:
    proposed()
    held = ConsentEnding.objects.get()
    for author, actor in ((held.author, held.author), ("other", held.author)):
        with pytest.raises(IntegrityError), transaction.atomic():
            EndingDecision.objects.create(
                ending=held,
                is_approved=True,
                author=author,
                actor=actor,
                role="policy_approver",
                at=held.at,
                entry=held.entry,
            )
