"""Consent that must not come about, one way of trying it after another.

Each try is sent as its sender would send it, over the API and over the form, to a house in which
nobody has decided anything. It is answered with its problem; it leaves one entry in the log where
somebody asked for what is not theirs, and none else; and afterwards every choice, receipt and
count stands as it stood before.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from audit.actions import Action
from audit.models import Entry
from consent import selectors as consents
from consent.errors import NotTheSubjectError
from consent.models import ConsentEvent, ConsentReceipt, ConsentRecord, ConsentState, SubjectEpoch
from consent.services import publish_notice
from consent.status import ConsentStatus
from governance.policies.suspending import suspend
from governance.rights import services as rights
from tests import make
from tests.governance.api.people import Session
from tests.governance.portal.test_pages import choose, filled, reviewed, signed_in

pytestmark = pytest.mark.django_db
CELL = f"/api/v1/me/consents/{make.TRAIN}/{make.DESK}/pointer"
NOTICE = f"{make.TRAIN}@1"
YES = {"status": "ConsentGiven", "notice_version": NOTICE}
CHANGED = "Something changed while you were choosing"


@dataclass(frozen=True, slots=True)
class Told:
    """What the sender was told: the status, and the problem's name or the page's words."""

    status: int
    words: str


def told(answer: Any) -> Told:
    if answer["Content-Type"].startswith("application/problem+json"):
        return Told(answer.status_code, answer.json()["type"].rpartition("/")[2])
    return Told(answer.status_code, answer.text)


def everything_decided() -> list[object]:
    """Return every row that says or counts what anybody chose."""
    tables = (ConsentRecord, ConsentEvent, ConsentState, ConsentReceipt, SubjectEpoch)
    return [list(table.objects.order_by("pk").values()) for table in tables]


@contextmanager
def nothing_decided(*entries: Action) -> Iterator[None]:
    """Check that only these entries come about meanwhile, and that no choice changes."""
    before, last = everything_decided(), Entry.objects.latest("id").id
    yield
    assert everything_decided() == before
    assert list(Entry.objects.filter(id__gt=last).values_list("event", flat=True)) == [*entries]


def test_r13_consent_for_somebody_else(nordhafen: make.House) -> None:
    """No address and no field names a person; whoever tries to name one is told so."""
    carla, jonas = Session("carla"), Session("jonas", "data_requester")
    page = signed_in("carla")
    form = filled(page, answer="yes") | {"subject": nordhafen.subject("tariq")}
    with nothing_decided():
        named = YES | {"subject": nordhafen.subject("tariq")}
        assert told(carla.put(CELL, named)) == Told(400, "invalid-request")
        address = f"/api/v1/people/{nordhafen.subject('tariq')}/consents"
        assert carla.put(address, YES).status_code == 404
        # A name in a form says nothing: this is carla's own yes, without a tick.
        assert page.post("/consent/review/", form).status_code == 422
    with nothing_decided(Action.ACCESS_DENIED):
        assert told(jonas.put(CELL, YES)) == Told(403, "not-allowed")
    with nothing_decided(), pytest.raises(NotTheSubjectError):
        rights.choose(
            person_subject=nordhafen.subject("tariq"),
            choices=[rights.Answer(make.TRAIN, make.DESK, "pointer", ConsentStatus.GIVEN, NOTICE)],
            actor=nordhafen.actor("carla"),
            language="en",
            form_digest="0" * 64,
        )


@pytest.mark.parametrize(
    ("name", "role"),
    [("ines", "privacy_officer"), ("lea", "policy_approver"), ("adam", "service_admin")],
)
def test_r13_consent_by_an_officer(nordhafen: make.House, name: str, role: str) -> None:
    officer, page = Session(name, role), signed_in(name)
    form = filled(signed_in("tariq"), "pointer", answer="yes")
    with nothing_decided(Action.ACCESS_DENIED):
        assert told(officer.put(CELL, YES)) == Told(403, "not-allowed")
    with nothing_decided(Action.ACCESS_DENIED):
        assert page.post("/consent/review/", form).status_code == 403
    with nothing_decided(Action.ACCESS_DENIED):
        assert page.post("/consent/save/", {"do": "save"}).status_code == 403


def test_consent_on_an_outdated_notice(nordhafen: make.House) -> None:
    tariq, page = Session("tariq"), signed_in("tariq")
    filled_in = filled(page, "pointer", answer="yes")
    late = signed_in("tariq")
    late.post("/consent/review/", filled(late, "pointer", answer="yes"))
    save = reviewed(late)
    newer = make.notice(make.TRAIN) | {"transfers": "To nobody outside the European Union."}
    publish_notice(
        purpose=make.TRAIN,
        texts=dict.fromkeys(("en", "de", "fr"), newer),
        actor=nordhafen.ines,
    )
    with nothing_decided():
        assert told(tariq.put(CELL, YES)) == Told(409, "notice-outdated")
        for answer in (
            page.post("/consent/review/", filled_in),
            late.post("/consent/save/", save),
            late.post("/consent/save/", save),
        ):
            assert answer.status_code == 409
            assert f"The notice on “{make.TRAIN}” is a newer one." in answer.text


def test_consent_for_an_application_without_an_active_policy(nordhafen: make.House) -> None:
    tariq, page, early = Session("tariq"), signed_in("tariq"), signed_in("tariq")
    never = CELL.replace(make.DESK, "customer-desk")
    unknown = {f"cell.{make.TRAIN}.customer-desk.pointer": "on"}
    with nothing_decided():
        assert told(tariq.put(never, YES)) == Told(409, "cell-not-offered")
        # What is not on the form is not read from it: a yes without a tick.
        answer = page.post("/consent/review/", filled(page, answer="yes") | unknown)
        assert answer.status_code == 422
        assert "Nothing was saved yet" in answer.text
    filled_in = filled(early, "pointer", answer="yes")
    suspend(application=make.DESK, number=1, reason="A drill.", actor=nordhafen.ines)
    with nothing_decided():
        assert told(tariq.put(CELL, YES)) == Told(409, "cell-not-offered")
        answer = early.post("/consent/review/", filled_in)
        assert (answer.status_code, CHANGED in answer.text) == (409, True)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (f"{make.TRAIN}@2", Told(409, "notice-outdated")),
        (f"{make.IMPROVE}@1", Told(409, "notice-outdated")),
        (f"{make.TRAIN}@1@1", Told(400, "invalid-request")),
        ("../../notices/1", Told(400, "invalid-request")),
        (None, Told(409, "notice-outdated")),
    ],
    ids=str,
)
def test_consent_that_names_a_notice_nobody_published(
    nordhafen: make.House, reference: str | None, expected: Told
) -> None:
    tariq = Session("tariq")
    with nothing_decided():
        assert told(tariq.put(CELL, YES | {"notice_version": reference})) == expected


@pytest.mark.parametrize(
    "forged",
    [
        {"form": "0" * 64},
        {"form": ""},
        {f"notice.{make.TRAIN}": f"{make.TRAIN}@7", "form": "f" * 64},
        {f"notice.{make.TRAIN}": f"{make.TRAIN}@7"},
        {f"notice.{make.TRAIN}": f"{make.IMPROVE}@1"},
        {f"notice.{make.TRAIN}": "../../etc/passwd"},
    ],
    ids=str,
)
def test_consent_with_a_forged_digest_or_notice_on_the_form(
    nordhafen: make.House, forged: dict[str, str]
) -> None:
    page = signed_in("tariq")
    with nothing_decided():
        answer = page.post("/consent/review/", filled(page, "pointer", answer="yes") | forged)
        if answer.status_code == 302:
            answer = page.post("/consent/save/", reviewed(page))
        assert answer.status_code == 409


def test_consent_over_a_page_of_another_site(nordhafen: make.House) -> None:
    """The browser sends the cookie along; the token, or the origin, is missing."""
    page = Client(enforce_csrf_checks=True)
    page.force_login(nordhafen.people["tariq"])
    tariq = Session("tariq")
    elsewhere = {"Origin": "https://elsewhere.example"}
    with nothing_decided():
        assert told(tariq.send("PUT", CELL, YES, **{"X-CSRFToken": ""})) == Told(403, "csrf-failed")
        assert told(tariq.send("PUT", CELL, YES, **elsewhere)) == Told(403, "csrf-failed")
        for path in ("/consent/review/", "/consent/save/"):
            assert page.post(path, {"do": "save"}).status_code == 403
            assert page.post(path, {"do": "save"}, headers=elsewhere).status_code == 403


@pytest.mark.parametrize("is_reviewed", [False, True])
def test_consent_on_a_stale_form(nordhafen: make.House, is_reviewed: bool) -> None:
    """The policy reaches further than the form said when it was filled in, or looked at again."""
    page = signed_in("tariq")
    form = filled(page, "pointer", answer="yes")
    if is_reviewed:
        page.post("/consent/review/", form)
    save = reviewed(page) if is_reviewed else {}
    wider = make.policy_content(make.DESK) | {"labels": ["Germany", "France", "Meals", "Wages"]}
    make.activate(nordhafen, wider)
    with nothing_decided():
        answer = (
            page.post("/consent/save/", save)
            if is_reviewed
            else page.post("/consent/review/", form)
        )
        assert answer.status_code == 409
        assert "What may be captured in Freight Desk is not the same any more." in answer.text
        # What was ticked is still ticked; nobody has to begin again.
        assert f'name="cell.{make.TRAIN}.{make.DESK}.pointer" checked' in answer.text


def valid(house: make.House) -> set[tuple[str, str, str]]:
    return {*consents.valid_cells(subject=house.subject("tariq"))}


def test_save_gives_nothing_that_the_review_did_not_show(nordhafen: make.House) -> None:
    """What was allowed, and stood on no line of the review, ended elsewhere: it stays ended."""
    page, elsewhere = signed_in("tariq"), signed_in("tariq")
    choose(page, "pointer", answer="yes")
    page.post("/consent/review/", filled(page, "pointer", "click", answer="yes"))
    save = reviewed(page)
    assert elsewhere.post("/withdraw/")["Location"].startswith("/consent/done/")
    with nothing_decided():
        for _ in range(2):
            answer = page.post("/consent/save/", save)
            assert (answer.status_code, CHANGED in answer.text) == (409, True)
            assert "What would be saved is not what you were shown" in answer.text
    # Only another review, which shows both, is an answer to it.
    assert "2 answers would change" in page.get("/consent/review/").text
    page.post("/consent/save/", reviewed(page))
    assert valid(nordhafen) == {(make.TRAIN, make.DESK, kind) for kind in ("pointer", "click")}


def test_save_gives_nothing_that_another_tab_put_under_review(nordhafen: make.House) -> None:
    page = signed_in("tariq")
    page.post("/consent/review/", filled(page, "pointer", answer="yes"))
    first = reviewed(page)
    page.post("/consent/review/", filled(page, "click", answer="yes"))
    second = reviewed(page)
    with nothing_decided():
        for sent in (first, first, {"do": "save"}, first | {"reviewed": "0" * 64}):
            answer = page.post("/consent/save/", sent)
            assert (answer.status_code, CHANGED in answer.text) == (409, True)
    assert page.post("/consent/save/", second).status_code == 302
    assert valid(nordhafen) == {(make.TRAIN, make.DESK, "click")}


def test_save_of_one_person_says_nothing_for_another(nordhafen: make.House) -> None:
    tariq, mira = signed_in("tariq"), signed_in("mira")
    for page in (tariq, mira):
        page.post("/consent/review/", filled(page, "pointer", answer="yes"))
    with nothing_decided():
        assert tariq.post("/consent/save/", reviewed(mira)).status_code == 409


@pytest.mark.parametrize("looks", ["", "/consent/"])
def test_a_save_that_was_refused_is_refused_again(nordhafen: make.House, looks: str) -> None:
    """Loading the refused page once more is no answer to the notice that overtook it."""
    page = signed_in("tariq")
    page.post("/consent/review/", filled(page, "pointer", answer="yes"))
    save = reviewed(page)
    newer = make.notice(make.TRAIN) | {"transfers": "To nobody outside the European Union."}
    texts = dict.fromkeys(("en", "de", "fr"), newer)
    publish_notice(purpose=make.TRAIN, texts=texts, actor=nordhafen.ines)
    with nothing_decided():
        for _ in range(3):
            assert page.post("/consent/save/", save).status_code == 409
            if looks:
                page.get(looks)
    page.get("/consent/")
    assert page.post("/consent/save/", reviewed(page)).status_code == 302
    assert valid(nordhafen) == {(make.TRAIN, make.DESK, "pointer")}


@pytest.mark.parametrize("after_reading", [1, 2])
def test_a_save_that_crosses_a_withdrawal_gives_nothing_back(
    nordhafen: make.House, after_reading: int
) -> None:
    """The same, in the moment between reading what stands and writing the answer."""
    page, elsewhere = signed_in("tariq"), signed_in("tariq")
    choose(page, "pointer", answer="yes")
    wider = make.policy_content(make.DESK) | {"labels": ["Germany", "France", "Meals", "Wages"]}
    make.activate(nordhafen, wider)
    page.post("/consent/review/", filled(page, "pointer", answer="yes"))
    save = reviewed(page)
    with crossed_by(lambda: elsewhere.post("/withdraw/"), after_reading=after_reading) as other:
        answer = page.post("/consent/save/", save)
    assert other[0].status_code == 302
    assert (answer.status_code, CHANGED in answer.text) == (409, True)
    assert valid(nordhafen) == set()


@contextmanager
def crossed_by(act: Callable[[], Any], *, after_reading: int) -> Iterator[list[Any]]:
    """Let another request do all of its work once this one has read what stands so often."""
    answers: list[Any] = []
    read = 0

    def between(execute: Any, sql: str, *rest: Any) -> Any:
        nonlocal read
        found = execute(sql, *rest)
        if 'FROM "consent_state"' in sql and not answers:
            read += 1
            if read == after_reading:
                answers.append(None)
                answers[0] = act()
        return found

    with connection.execute_wrapper(between):
        yield answers


def one_decision(house: make.House) -> bool:
    events = ConsentEvent.objects.filter(subject=house.subject("tariq"))
    decisions = events.values_list("decision_id", flat=True).distinct().count()
    entries = Entry.objects.filter(event=Action.CONSENT_DECIDED).count()
    return (decisions, ConsentReceipt.objects.count(), entries) == (1, 1, 1)


def test_consent_sent_twice_at_once_over_the_api(nordhafen: make.House) -> None:
    """One of the two decides; the other is told so, and may send it again to learn the receipt."""
    tariq, elsewhere = Session("tariq"), Session("tariq")
    with crossed_by(lambda: elsewhere.put(CELL, YES), after_reading=1) as other:
        late = tariq.put(CELL, YES)
    assert (other[0].status_code, other[0].json()["changed"]) == (200, 1)
    assert told(late) == Told(409, "decided-meanwhile")
    assert one_decision(nordhafen)
    again = tariq.put(CELL, YES).json()
    assert (again["changed"], again["receipt_id"]) == (0, other[0].json()["receipt_id"])
    assert one_decision(nordhafen)


@pytest.mark.parametrize("after_reading", [1, 2])
def test_consent_sent_twice_at_once_over_the_form(
    nordhafen: make.House, after_reading: int
) -> None:
    one, other = signed_in("tariq"), signed_in("tariq")
    for page in (one, other):
        page.post("/consent/review/", filled(page, "pointer", answer="yes"))
    sent = {page: reviewed(page) for page in (one, other)}

    def save() -> Any:
        return other.post("/consent/save/", sent[other])

    with crossed_by(save, after_reading=after_reading) as first:
        late = one.post("/consent/save/", sent[one])
    assert first[0]["Location"].startswith("/consent/done/")
    assert (late.status_code, "Nothing was left to save" in late.text) == (409, True)
    assert one_decision(nordhafen)
    # The same button once more, in either window.
    for page in (one, other):
        assert page.post("/consent/save/", sent[page]).status_code == 409
    assert one_decision(nordhafen)


def test_a_no_that_crosses_a_yes_is_never_refused(nordhafen: make.House) -> None:
    """Ways out stay open, whatever happens at the same moment."""
    tariq, elsewhere = Session("tariq"), Session("tariq")
    with crossed_by(lambda: elsewhere.put(CELL, YES), after_reading=1) as other:
        late = tariq.put(CELL, {"status": "ConsentWithdrawn"})
    assert other[0].json()["changed"] == late.json()["changed"] == 1
    states = ConsentState.objects.filter(subject=nordhafen.subject("tariq"))
    assert states.get().status == ConsentStatus.WITHDRAWN
