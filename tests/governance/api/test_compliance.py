"""What a policy needs before it may act, laid and taken away over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from audit.models import Entry
from governance.accounts import services as accounts
from governance.accounts.models import Person
from governance.accounts.roles import Role
from governance.policies import selectors, services
from tests import groundwork
from tests.consent.notices import content as notice_content
from tests.governance.api.conftest import SEED, Api
from tests.governance.api.test_officers import entry_of, problem
from tests.governance.policies.house import CATEGORIES, LEA, PURPOSE, content

pytestmark = pytest.mark.django_db
Enter = Callable[[str], Api]
POLICY = "/api/v1/capture-policies/freight-desk"
ASSESSMENT = "/api/v1/impact-assessments/cua"
KEY = {"number": 1}


def sent(api: Api, path: str, body: dict[str, Any], status: int = 201) -> Any:
    answer = api.post(f"/api/v1/{path}", body)
    assert answer.status_code == status, answer.content
    return answer.json()


class Ground:
    """Everything an activation needs, laid step by step by the people whose step it is."""

    def __init__(self, enter: Enter) -> None:
        self.ines, self.lea, self.wanda = enter("ines"), enter("lea"), enter("wanda")
        self.version: dict[str, Any] = {}

    def registers(self) -> None:
        purpose = {"key": PURPOSE, "name": "Training", "description": "Training of models."}
        sent(self.ines, "purposes", purpose | {"broader": "CommercialResearch"})
        sent(self.ines, "applications", {"key": "freight-desk", "name": "Desk", "kind": "web"})

    def retention(self) -> None:
        days = {"application": "freight-desk", "days": dict.fromkeys(CATEGORIES, 90)}
        sent(self.ines, "retention-schedules", days)

    def notices(self) -> None:
        texts = dict.fromkeys(("en", "de", "fr"), notice_content(days=180))
        sent(self.ines, "notices", {"purpose": PURPOSE, "texts": texts})

    def draft(self, **changes: Any) -> None:
        self.version = sent(self.ines, "capture-policies", content(**changes))

    def bases(self, **changes: Any) -> None:
        body = {"purpose": PURPOSE, "lawful_basis": "A6-1-a-explicit-consent", "evidence": "Asked."}
        sent(self.ines, "processing-activities", body | changes)

    def assessment(self, **changes: Any) -> None:
        scopes = [("freight-desk", self.version["scope_digest"])]
        body = {"key": "cua", "content": groundwork.assessment(scopes, [PURPOSE], **changes)}
        made = sent(self.ines, "impact-assessments", body)
        number = {"number": made["number"]}
        assert self.ines.post(f"{ASSESSMENT}/submit", number).status_code == 200
        word = number | {"decision": "approve", "content_digest": made["content_digest"]}
        assert self.lea.post(f"{ASSESSMENT}/decisions", word).status_code == 201

    def agreement(self, **changes: Any) -> str:
        body = {
            "application": "freight-desk",
            "kind": "agreement",
            "reference": "BV 7",
            "parties": [
                {"name": "Nordhafen GmbH", "role": "employer"},
                {"name": "Betriebsrat", "role": "works council"},
            ],
            "places": ["DE"],
            "valid_from": "2026-01-01",
            "scope_digest": self.version["scope_digest"],
            "document_digest": "5" * 64,
        }
        made = sent(self.ines, "works-agreements", body | changes)
        answer = self.wanda.post(f"/api/v1/works-agreements/{made['id']}/confirm")
        assert answer.status_code == 200
        return str(made["id"])

    def approval(self, now: Any = None) -> None:
        number = self.version["number"]
        assert self.ines.post(f"{POLICY}/submit", {"number": number}).status_code == 200
        services.approve(
            application="freight-desk",
            number=number,
            content_digest=self.version["content_digest"],
            actor=LEA,
            now=now,
        )

    def all_but(self, *left_out: str) -> None:
        for step in (
            *(self.registers, self.retention, self.notices, self.draft, self.bases),
            *(self.assessment, self.agreement, self.approval),
        ):
            if step.__name__ not in left_out:
                step()

    def activate(self) -> Any:
        return self.ines.post(f"{POLICY}/activate", {"number": self.version["number"]})


@pytest.fixture
def ground(signed_in: Enter) -> Ground:
    return Ground(signed_in)


@contextmanager
def undone() -> Iterator[None]:
    """Let one case happen and take it back, so that the people sign in once for all of them."""
    atomic = transaction.atomic()
    # As TestCase does: what asks to be outermost may run inside.
    atomic._from_testcase = True  # type: ignore[attr-defined] # Django's own word for it.
    with atomic:
        yield
        transaction.set_rollback(True)


def without_place(ground: Ground) -> None:
    ground.all_but("draft", "assessment", "agreement", "approval", "bases")
    ground.draft(places=[])
    ground.bases()
    ground.assessment()
    ground.agreement()
    ground.approval()


def of_unknown_place(ground: Ground) -> None:
    ground.all_but("draft", "assessment", "agreement", "approval", "bases")
    ground.draft(places=["DE", "BR"])
    ground.bases()
    ground.assessment()
    ground.agreement(places=["DE", "BR"])
    ground.approval()


def of_a_place_without_its_notice(ground: Ground) -> None:
    ground.all_but("draft", "assessment", "agreement", "approval", "bases")
    ground.draft(places=["DE", "US-NY"])
    ground.bases()
    ground.assessment()
    ground.agreement(places=["DE", "US-NY"])
    ground.approval()


def of_a_place_that_keeps_its_notice_to_itself(ground: Ground) -> None:
    texts = {"code": "US-NY", "texts": dict.fromkeys(("en", "de", "fr"), "We record.")}
    sent(ground.ines, "monitoring-notices", texts)
    of_a_place_without_its_notice(ground)


def with_high_risk(ground: Ground) -> None:
    ground.all_but("assessment")
    ground.assessment(residual_risk="high")


def with_a_broken_promise(ground: Ground) -> None:
    ground.all_but("assessment")
    promise = {"kind": "retention-at-most", "id": "month", "category": "click", "days": 30}
    ground.assessment(commitments=[promise])


def with_a_stale_approval(ground: Ground) -> None:
    ground.all_but("approval")
    ground.approval(now=timezone.now() - timedelta(days=91))


def with_an_overdue_review(ground: Ground) -> None:
    ground.all_but("assessment")
    ground.assessment(review_on="2026-11-01")


def with_a_narrower_agreement(ground: Ground) -> None:
    ground.all_but("agreement")
    ground.agreement(scope_digest="0" * 64)


def with_a_mere_consultation(ground: Ground) -> None:
    ground.all_but("agreement")
    ground.agreement(kind="consultation")


def with_an_agreement_that_ran_out(ground: Ground) -> None:
    ground.all_but("agreement")
    ground.agreement(valid_until="2026-02-01")


def with_an_unconfirmed_agreement(ground: Ground) -> None:
    ground.all_but("agreement")
    ground.wanda.post = lambda path: type("Skipped", (), {"status_code": 200})  # type: ignore[method-assign, assignment, misc]
    ground.agreement()
    del ground.wanda.post


REMOVED: dict[Callable[[Ground], None] | str, str] = {
    "retention": "retention-missing",
    "notices": "notice-missing",
    "bases": "lawful-basis-missing",
    "assessment": "dpia-required",
    "agreement": "works-agreement-required",
    with_a_stale_approval: "approval-required",
    without_place: "jurisdiction-unknown",
    of_unknown_place: "jurisdiction-unknown",
    of_a_place_without_its_notice: "jurisdiction-unmet",
    of_a_place_that_keeps_its_notice_to_itself: "jurisdiction-unmet",
    with_high_risk: "prior-consultation-required",
    with_a_broken_promise: "commitment-broken",
    with_an_overdue_review: "dpia-required",
    with_a_narrower_agreement: "works-agreement-required",
    with_a_mere_consultation: "works-agreement-required",
    with_an_agreement_that_ran_out: "works-agreement-required",
    with_an_unconfirmed_agreement: "works-agreement-required",
}


def test_r37_r38_r39_each_guard_taken_away_alone_blocks_activation_with_its_own_problem(
    ground: Ground,
) -> None:
    """R37, R38, R39: one thing is missing, all else is there."""
    for removed, slug in REMOVED.items():
        with undone():
            if isinstance(removed, str):
                ground.all_but(removed)
            else:
                removed(ground)
            answer = ground.activate()
            assert (answer.status_code, problem(answer)) == (409, slug), removed
            assert selectors.active_version("freight-desk") is None
            assert not Entry.objects.filter(event="policy:activated").exists()
    ground.all_but()
    assert ground.activate().status_code == 200
    assert selectors.active_version("freight-desk") is not None


def test_r45_a_high_risk_waits_for_the_authority_and_goes_on_once_it_answered(
    ground: Ground,
) -> None:
    with_high_risk(ground)
    assert problem(ground.activate()) == "prior-consultation-required"
    said = KEY | {
        "authority": "HmbBfDI",
        "reference": "A7/2026",
        "answer": "No objection.",
        "answered_on": "2026-11-10",
    }
    answer = ground.ines.post(f"{ASSESSMENT}/consultations", said)
    assert entry_of(answer).event == "consultation:recorded"
    assert ground.activate().status_code == 200


def test_r44_nothing_incomplete_is_approved_and_the_missing_parts_are_named(
    ground: Ground,
) -> None:
    ground.all_but("assessment", "agreement", "approval")
    scopes = [("freight-desk", ground.version["scope_digest"])]
    bare = groundwork.assessment(
        scopes, [PURPOSE], advice=None, other_persons=" ", review_on=None, views=None
    )
    made = sent(ground.ines, "impact-assessments", {"key": "cua", "content": bare})
    lacking = ["risks to other persons", "advice", "views", "review_on"]
    assert made["missing"] == lacking
    ground.ines.post(f"{ASSESSMENT}/submit", KEY)
    word = KEY | {"decision": "approve", "content_digest": made["content_digest"]}
    refused = ground.lea.post(f"{ASSESSMENT}/decisions", word)
    assert (refused.status_code, problem(refused)) == (409, "assessment-incomplete")
    assert refused.json()["parts"] == lacking
    silent = ground.lea.post(f"{ASSESSMENT}/decisions", word | {"decision": "reject"})
    assert silent.json()["errors"][0]["pointer"] == "/reason"
    said = word | {"decision": "reject", "reason": "It leaves other people out."}
    assert ground.lea.post(f"{ASSESSMENT}/decisions", said).json()["state"] == "Rejected"


def test_r44_a_wider_policy_sets_the_assessment_to_review_required(ground: Ground) -> None:
    ground.all_but()
    ground.activate()
    ground.draft(labels=["Save"])
    ground.ines.post(f"{POLICY}/submit", {"number": 2})
    (version,) = ground.ines.get("/api/v1/impact-assessments").json()["assessments"]
    assert version["state"] == "ReviewRequired"
    # What was approved stays approved for the scope that was looked at.
    assert selectors.active_version("freight-desk") is not None


def test_r46_california_asks_for_a_look_every_three_years_and_within_45_days(
    ground: Ground,
) -> None:
    ground.all_but("draft", "bases", "assessment", "agreement", "approval")
    ground.draft(places=["US-CA", "FR"])
    ground.bases()
    ground.assessment()
    (found,) = ground.ines.get("/api/v1/impact-assessments").json()["assessments"]
    today = timezone.now().date()
    assert found["review_by"] == today.replace(year=today.year + 3).isoformat()
    assert found["kept_until"] == today.replace(year=today.year + 5).isoformat()
    assert found["update_by"] is None
    ground.draft(places=["US-CA", "FR"], labels=["Save"])
    ground.ines.post(f"{POLICY}/submit", {"number": 2})
    (found,) = ground.ines.get("/api/v1/impact-assessments").json()["assessments"]
    assert found["update_by"] == (today + timedelta(days=45)).isoformat()


def test_an_assessment_is_decided_by_another_on_the_bytes_that_were_read(
    ground: Ground, people: dict[str, str]
) -> None:
    ground.all_but("assessment", "agreement", "approval")
    scopes = [("freight-desk", ground.version["scope_digest"])]
    body = {"key": "cua", "content": groundwork.assessment(scopes, [PURPOSE])}
    made = sent(ground.ines, "impact-assessments", body)
    ground.ines.post(f"{ASSESSMENT}/submit", KEY)
    word = KEY | {"decision": "approve", "content_digest": made["content_digest"]}
    assert ground.ines.post(f"{ASSESSMENT}/decisions", word).status_code == 403
    changed = ground.lea.post(f"{ASSESSMENT}/decisions", word | {"content_digest": "0" * 64})
    assert (changed.status_code, problem(changed)) == (412, "precondition-failed")
    approved = ground.lea.post(f"{ASSESSMENT}/decisions", word)
    assert entry_of(approved).event == "assessment:decided"
    assert [step["by"] for step in approved.json()["steps"]] == ["Ines", "Ines", "Lea"]
    shown = ground.wanda.get(f"{ASSESSMENT}/versions/1").json()
    assert [step["by"] for step in shown["steps"]] == [None, None, None]
    assert not any(key in str(shown) for key in people.values())


def test_r36_neither_the_author_nor_a_consumer_of_the_data_approves(
    ground: Ground, people: dict[str, str], signed_in: Enter
) -> None:
    """R36: who asks for data, did so once, or sits beside one who does, is refused."""
    ground.all_but("approval")
    ground.ines.post(f"{POLICY}/submit", KEY)
    word = KEY | {"content_digest": ground.version["content_digest"]}
    assert problem(ground.ines.post(f"{POLICY}/approvals", word)) == "not-allowed"
    with undone():
        accounts.end_role(subject=people["jonas"], role=Role.DATA_REQUESTER, actor=SEED)
        accounts.assign_role(subject=people["jonas"], role=Role.POLICY_APPROVER, actor=SEED)
        was_consumer = signed_in("jonas").post(f"{POLICY}/approvals", word)
        assert (was_consumer.status_code, problem(was_consumer)) == (403, "conflict-of-interest")
    with undone():
        Person.objects.filter(username__in=["lea", "jonas"]).update(unit="Training")
        beside = ground.lea.post(f"{POLICY}/approvals", word)
        assert (beside.status_code, problem(beside)) == (403, "conflict-of-interest")
    assert ground.lea.post(f"{POLICY}/approvals", word).status_code == 201


def test_r47_one_basis_a_purpose_and_never_another_once_a_policy_was_active(
    ground: Ground,
) -> None:
    """R47: whether anybody withdrew is a secret, so the rule does not ask."""
    ground.all_but("bases")
    unweighed = {"purpose": PURPOSE, "lawful_basis": "A6-1-f", "evidence": "cua@1"}
    answer = ground.ines.post("/api/v1/processing-activities", unweighed)
    assert (answer.status_code, problem(answer)) == (400, "invalid-request")
    weighed = groundwork.assessment([], [PURPOSE], kind="legitimate-interests") | {
        "interest": "Agents that help.",
        "balance": "Opt-in and opt-out at any time.",
    }
    made = sent(ground.ines, "impact-assessments", {"key": "interests", "content": weighed})
    ground.ines.post("/api/v1/impact-assessments/interests/submit", KEY)
    word = KEY | {"decision": "approve", "content_digest": made["content_digest"]}
    ground.lea.post("/api/v1/impact-assessments/interests/decisions", word)
    ground.bases(lawful_basis="A6-1-f", evidence="interests@1")
    ground.bases()
    assert ground.activate().status_code == 200
    other = ground.ines.post(
        "/api/v1/processing-activities", unweighed | {"evidence": "interests@1"}
    )
    assert (other.status_code, problem(other)) == (409, "lawful-basis-fixed")


def test_an_agreement_is_confirmed_by_another_and_its_end_stops_capture(ground: Ground) -> None:
    ground.all_but("agreement")
    agreed = ground.agreement()
    again = ground.wanda.post(f"/api/v1/works-agreements/{agreed}/confirm")
    assert (again.status_code, problem(again)) == (409, "invalid-transition")
    assert ground.ines.post(f"/api/v1/works-agreements/{agreed}/confirm").status_code == 403
    assert ground.activate().status_code == 200
    ended = ground.wanda.post(
        f"/api/v1/works-agreements/{agreed}/end", {"reason": "Terminated on notice."}
    )
    assert entry_of(ended).event == "agreement:ended"
    assert selectors.active_version("freight-desk") is None
    assert Entry.objects.latest("id").event == "policy:suspended"


@pytest.mark.parametrize(
    ("changes", "slug", "member"),
    [
        (
            {"matchers": [{"kind": "origin", "pattern": "https://mail.acme.example", "id": "a"}]},
            "protected-surface",
            ("surface", "mail"),
        ),
        (
            {"urls": [{"id": "a", "pattern": "https://desk.example/Gehaltsabrechnung/*"}]},
            "protected-surface",
            ("surface", "staff-self-service"),
        ),
        (
            {"titles": [{"id": "a", "pattern": "* (Private Browsing)"}]},
            "protected-surface",
            ("surface", "private-browsing"),
        ),
        (
            {"matchers": [{"kind": "origin", "pattern": "http://127.0.0.1:8000", "id": "a"}]},
            "protected-surface",
            ("surface", "portal"),
        ),
        (
            {"categories": ["pointer", "communication-content"]},
            "category-prohibited",
            ("prohibition", "communication-content"),
        ),
    ],
)
def test_r51_r52_nobody_enables_a_protected_place_or_kind_of_data(
    ground: Ground, changes: dict[str, Any], slug: str, member: tuple[str, str]
) -> None:
    ground.registers()
    answer = ground.ines.post("/api/v1/capture-policies", content(**changes))
    assert (answer.status_code, problem(answer)) == (422, slug)
    assert answer.json()[member[0]] == member[1]


def test_r37_r51_what_was_protected_since_it_was_approved_does_not_come_into_force(
    ground: Ground, settings: Any
) -> None:
    """The last of the guards: the lists of today decide, not those of the day of the draft."""
    ground.all_but()
    origin = content()["matchers"][0]["pattern"]  # type: ignore[index]  # A list of matchers.
    settings.REMIT_EXTERNAL_ORIGIN = origin
    answer = ground.activate()
    assert (answer.status_code, problem(answer)) == (422, "protected-surface")
    assert selectors.active_version("freight-desk") is None
    settings.REMIT_EXTERNAL_ORIGIN = "https://remit.example"
    assert ground.activate().status_code == 200


def test_anybody_signed_in_reads_what_each_place_asks_for(signed_in: Enter) -> None:
    found = signed_in("mira").get("/api/v1/jurisdictions").json()["jurisdictions"]
    assert {each["code"] for each in found} == {
        *("DE", "EU", "FR", "UK", "US", "US-CA", "US-CT", "US-DE", "US-ME", "US-NY")
    }
    assert all(each["citations"] and each["is_reviewed"] is False for each in found)
