"""Asking for consent over the API: who may, when, how often, and what nobody learns from it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from consent import selectors as consents
from consent.status import ConsentStatus
from governance.jobs import services as jobs
from governance.rights import campaigns, participation
from governance.rights.models import Asked, AskingLimit, Campaign, Participation
from governance.rights.states import Limit
from tests import make
from tests.governance.api.people import Session
from tests.governance.portal.test_pages import signed_in
from tests.governance.releases.conftest import ALL, Office, contributed, office  # noqa: F401

pytestmark = pytest.mark.django_db

ASK = {"purpose": make.TRAIN, "incentive": "none"}
ALL_CELLS = [(make.TRAIN, make.DESK, kind) for kind in ALL]
CELL = [(make.TRAIN, make.DESK, "pointer")]


def ines() -> Session:
    return Session("ines", "privacy_officer")


def settled(house: make.House, *names: str) -> None:
    """Let people have worked here long enough to be asked."""
    began = timezone.now().date() - timedelta(days=400)
    for name in names:
        window = campaigns.Window(Limit.EMPLOYMENT_BEGAN, began, began, house.subject(name))
        campaigns.limit(window=window, actor=house.ines)


def reached() -> set[str]:
    return set(Asked.objects.values_list("subject", flat=True))


def slug(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


def test_r20_a_campaign_declares_no_incentive_and_has_no_place_for_one(
    nordhafen: make.House,
) -> None:
    assert slug(ines().post("/api/v1/campaigns", ASK | {"incentive": "a gift"})) == (
        422,
        "incentive",
    )
    more = ASK | {"reward": "a day off"}
    assert slug(ines().post("/api/v1/campaigns", more)) == (400, "invalid-request")
    assert slug(ines().post("/api/v1/campaigns", {"purpose": make.TRAIN}))[0] == 400
    assert not Campaign.objects.exists()
    words = ("reward", "bonus", "target", "rank", "quota", "leader", "score", "gift", "badge")
    fields = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if model._meta.app_label in {"consent", "rights", "accounts", "policies", "releases"}
    ]
    assert len(fields) > 100
    assert [name for name in fields if any(word in name.lower() for word in words)] == []


def test_r22_nobody_is_asked_in_a_window_and_only_the_privacy_office_asks(
    nordhafen: make.House,
) -> None:
    settled(nordhafen, "tariq")
    today = timezone.now().date()
    window = {"kind": "review-cycle", "starts_on": str(today), "ends_on": str(today)}
    assert ines().post("/api/v1/asking-limits", window).status_code == 201
    assert slug(ines().post("/api/v1/campaigns", ASK)) == (409, "asking-window")
    for name, role in (
        ("petra", "employee"),
        ("jonas", "data_requester"),
        ("lea", "policy_approver"),
    ):
        assert Session(name, role).post("/api/v1/campaigns", ASK).status_code == 403
    assert not Campaign.objects.exists()
    assert not Entry.objects.filter(event=Action.CAMPAIGN_SENT).exists()


@pytest.mark.parametrize("kind", ["redundancies", "probation"])
def test_r22_a_window_that_opens_later_silences_who_was_asked_while_it_lasts(
    nordhafen: make.House, kind: str
) -> None:
    settled(nordhafen, "tariq")
    assert ines().post("/api/v1/campaigns", ASK).status_code == 201
    tariq = nordhafen.subject("tariq")
    assert campaigns.open_request(subject=tariq) is not None
    today = timezone.now().date()
    window = {"kind": kind, "starts_on": str(today), "ends_on": str(today + timedelta(days=3))}
    own = {"username": "tariq"} if kind == "probation" else {}
    assert ines().post("/api/v1/asking-limits", window | own).status_code == 201
    assert campaigns.open_request(subject=tariq) is None
    after = timezone.now() + timedelta(days=4)
    assert campaigns.open_request(subject=tariq, now=after) is not None


def test_r22_newcomers_people_on_probation_and_the_senders_own_people_are_left_out(
    nordhafen: make.House,
) -> None:
    settled(nordhafen, "tariq", "carla", "jonas", "lea")
    nordhafen.people["lea"].manager = nordhafen.people["ines"]
    nordhafen.people["lea"].save()
    today = timezone.now().date()
    for name, kind, reason in (
        ("carla", "probation", None),
        ("jonas", "exemption", "representative"),
    ):
        body = {
            "kind": kind,
            "username": name,
            "starts_on": str(today - timedelta(days=1)),
            "ends_on": str(today + timedelta(days=9)),
        }
        answer = ines().post("/api/v1/asking-limits", body | ({"reason": reason} if reason else {}))
        assert answer.status_code == 201
        assert name not in answer.content.decode()
        assert answer["Audit-Entry"]
    sent = ines().post("/api/v1/campaigns", ASK)
    assert sent.status_code == 201
    # Mira and the others came less than thirty days ago.
    assert reached() == {nordhafen.subject("tariq")}
    assert ines().get("/api/v1/asking-limits").json()["windows"] == []
    told = Session("wanda", "auditor").get("/api/v1/campaigns").json()["campaigns"]
    assert set(told[0]) == {"id", "purpose", "incentive", "sent_at", "lapses_at", "ended_at"}


@pytest.mark.parametrize(
    "window",
    [
        {"kind": "review-cycle", "ends_on": "2026-11-19"},
        {"kind": "review-cycle", "ends_on": "2036-11-19"},
        {"kind": "review-cycle", "starts_on": "9999-12-31", "ends_on": "9999-12-30"},
        {
            "kind": "review-cycle",
            "starts_on": "2026-11-20",
            "ends_on": "2026-11-21",
            "username": "tariq",
        },
        {"kind": "probation"},
        {
            "kind": "probation",
            "starts_on": "2026-11-20",
            "ends_on": "2026-11-21",
            "username": "nobody",
        },
        {
            "kind": "exemption",
            "starts_on": "2026-11-20",
            "ends_on": "2026-11-21",
            "username": "tariq",
        },
        {
            "kind": "exemption",
            "starts_on": "2026-11-20",
            "ends_on": "2026-11-21",
            "username": "tariq",
            "reason": "ill",
        },
        {"kind": "because"},
        {"kind": "probation", "starts_on": "soon", "username": "tariq"},
    ],
)
def test_a_window_that_says_nothing_is_refused(
    nordhafen: make.House, window: dict[str, str]
) -> None:
    officer = ines()
    entries = Entry.objects.count()
    days = {"starts_on": "2026-11-20", "ends_on": "2026-11-21"}
    assert slug(officer.post("/api/v1/asking-limits", days | window)) == (400, "invalid-request")
    assert not AskingLimit.objects.exists()
    assert Entry.objects.count() == entries


def test_r10_after_any_answer_or_request_nobody_is_asked_again_for_twelve_months(
    nordhafen: make.House, time_machine: Callable[[datetime], None]
) -> None:
    settled(nordhafen, "tariq", "carla", "jonas", "lea", "wanda")
    make.decide(nordhafen, "carla", CELL, ConsentStatus.REFUSED)
    make.decide(nordhafen, "jonas", CELL)
    make.decide(nordhafen, "jonas", CELL, ConsentStatus.WITHDRAWN)
    make.decide(nordhafen, "wanda", CELL)
    start = timezone.now()
    assert ines().post("/api/v1/campaigns", ASK).status_code == 201
    silent = {nordhafen.subject(name) for name in ("tariq", "lea")}
    assert reached() == silent
    # Tariq says "later" on the page and is asked no more; Lea's request lapses.
    tariq = signed_in("tariq")
    assert "You are being asked for something" in tariq.get("/").text
    assert tariq.post("/consent/later/")["Location"] == "/"
    assert "You are being asked for something" not in tariq.get("/").text
    assert campaigns.open_request(subject=nordhafen.subject("lea")) is not None
    assert "You are being asked for something" not in signed_in("carla").get("/").text
    everybody = {nordhafen.subject(name) for name in ("tariq", "lea", "carla", "jonas", "wanda")}
    for months, whom in ((2, set()), (11, set()), (13, everybody)):
        time_machine(start + timedelta(days=31 * months))
        sent = campaigns.send(purpose=make.TRAIN, incentive="none", actor=nordhafen.ines)
        asked = set(Asked.objects.filter(campaign=sent).values_list("subject", flat=True))
        assert asked & everybody == whom
    # Whoever may be asked again reads it, also after a no or a consent that ran out meanwhile.
    newest = campaigns.campaigns()[0]
    for subject in everybody:
        assert campaigns.open_request(subject=subject) == newest
    assert "You are being asked for something" in signed_in("carla").get("/").text
    make.decide(nordhafen, "wanda", CELL)
    assert campaigns.open_request(subject=nordhafen.subject("wanda")) is None
    # A request that nobody answers is over after thirty days.
    time_machine(start + timedelta(days=31 * 13 + 29))
    assert campaigns.open_request(subject=nordhafen.subject("lea")) is not None
    time_machine(start + timedelta(days=31 * 13 + 31))
    assert campaigns.open_request(subject=nordhafen.subject("lea")) is None


def test_r25_a_report_without_a_name_makes_consents_void_once_it_is_confirmed(
    contributed: Office,  # noqa: F811
) -> None:
    house = contributed.house
    stranger = Client()
    sent = stranger.post(
        "/api/v1/pressure-reports",
        {"words": "Petra said that who refuses gets the night shift."},
        content_type="application/json",
    )
    assert (sent.status_code, sent.json()) == (202, {"received": True})
    assert sent.cookies.output() == ""
    for name, role in (
        ("ines", "privacy_officer"),
        ("petra", "employee"),
        ("adam", "service_admin"),
    ):
        assert Session(name, role).get("/api/v1/pressure-reports").status_code == 403
    wanda = Session("wanda", "auditor")
    (report,) = wanda.get("/api/v1/pressure-reports").json()["reports"]
    assert (report["state"], report["words"][:5]) == ("open", "Petra")
    assert UUID(report["id"]).version == 4, "the id tells the millisecond of a report"
    finding = f"/api/v1/pressure-reports/{report['id']}/finding"
    assert slug(wanda.post(finding, {"is_confirmed": True}))[0] == 400
    # Carla never agreed again: what is done for her looks the same.
    make.decide(
        house,
        "carla",
        [(make.TRAIN, make.DESK, kind) for kind in ("pointer", "click")],
        ConsentStatus.WITHDRAWN,
    )
    before = Entry.objects.filter(event=Action.CONSENT_DECIDED).count()
    done = wanda.post(finding, {"is_confirmed": True, "purpose": make.TRAIN, "below": "petra"})
    assert (done.status_code, done.json()) == (200, {"received": True})
    assert Entry.objects.filter(event=Action.CONSENT_DECIDED).count() == before + 3
    for name in ("mira", "tariq"):
        assert consents.valid_cells(subject=house.subject(name)) == {}
        assert consents.intervals(subject=house.subject(name)) == []
    jobs.run_due()
    assert contributed.frames("mira") == []
    assert wanda.post(finding, {"is_confirmed": True}).status_code == 404


def test_a_report_says_something_and_not_everything(nordhafen: make.House) -> None:
    for words in ("", "   ", "x" * 4001):
        answer = Client().post(
            "/api/v1/pressure-reports", {"words": words}, content_type="application/json"
        )
        assert slug(answer) == (400, "invalid-request")


def test_r19_one_band_a_month_for_everybody_and_none_for_few(
    nordhafen: make.House, time_machine: Callable[[datetime], None]
) -> None:
    house = make.House(dict(nordhafen.people))
    agreed = list(house.people)[:6]
    for name in agreed:
        make.decide(house, name, CELL)
    assert participation.publish_month() == 2
    told = Client().get("/api/v1/transparency/participation").json()["participation"]
    assert {row["purpose"]: row["value"] for row in told} == dict.fromkeys(make.PURPOSES)
    assert participation.publish_month() == 0
    assert "agreed" not in str(told)
    (row,) = Participation.objects.filter(purpose=make.TRAIN)
    assert row.agreed == 6
