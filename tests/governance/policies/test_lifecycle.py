"""Drafting, four eyes, the guards of an activation, suspension; what the database itself holds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

import consent.services
from audit.models import Entry
from governance.compliance.errors import CommitmentBrokenError
from governance.policies import history, selectors, services, suspending
from governance.policies.categories import Category
from governance.policies.errors import (
    ApprovalMissingError,
    ContentChangedError,
    FourEyesError,
    InvalidStateError,
    NoticeMissingError,
    RetentionMissingError,
    UnknownApplicationError,
    UnknownPolicyVersionError,
    UnknownPurposeError,
)
from governance.policies.models import Approval, CapturePolicyVersion
from governance.policies.states import FOLLOWS, PolicyState
from tests import groundwork
from tests.consent.notices import content as notice_content
from tests.governance.policies.house import (
    APPLICATION,
    CATEGORIES,
    INES,
    LEA,
    PURPOSE,
    activated,
    approved,
    content,
    furnish,
    register,
    tell,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def events() -> list[str]:
    return list(Entry.objects.order_by("id").values_list("event", flat=True))


def test_a_policy_goes_from_draft_to_active_and_each_step_is_an_entry() -> None:
    furnish()
    before = len(events())
    activated()
    assert [event for event in events()[before:] if event.startswith("policy:")] == [
        "policy:drafted",
        "policy:submitted",
        "policy:approved",
        "policy:activated",
    ]
    version = history.version(APPLICATION, 1)
    assert version is not None
    assert [step.state for step in version.steps] == ["Draft", "InReview", "Approved", "Active"]
    assert version.answer is not None
    assert (version.author, version.answer.approver) == (INES.key, LEA.key)
    active = selectors.active_version(APPLICATION)
    assert active is not None
    assert active.version == "freight-desk@1"
    assert active.cells == {(PURPOSE, category) for category in CATEGORIES}


def test_the_author_does_not_approve_and_another_person_may() -> None:
    furnish()
    draft = services.draft_policy(content=content(), actor=LEA)
    services.submit(application=APPLICATION, number=1, actor=LEA)
    word: dict[str, Any] = {
        "application": APPLICATION,
        "number": 1,
        "content_digest": draft.content_digest,
    }
    with pytest.raises(FourEyesError):
        services.approve(**word, actor=LEA)
    with pytest.raises(FourEyesError):
        services.reject(**word, reason="No.", actor=LEA)
    assert "policy:approved" not in events()
    services.approve(**word, actor=INES)


def test_an_approval_is_for_the_bytes_that_were_read() -> None:
    furnish()
    draft = services.draft_policy(content=content(), actor=INES)
    other = services.draft_policy(content=content(categories=["pointer"]), actor=INES)
    services.submit(application=APPLICATION, number=draft.number, actor=INES)
    with pytest.raises(ContentChangedError):
        services.approve(
            application=APPLICATION, number=1, content_digest=other.content_digest, actor=LEA
        )
    services.approve(
        application=APPLICATION, number=1, content_digest=draft.content_digest, actor=LEA
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"approver": INES.key},
        {"approver": LEA.key, "author": LEA.key},
        {"author": "00000000-0000-4000-8000-00000000000f"},
        {"content_digest": "0" * 64},
    ],
)
def test_the_database_refuses_an_approval_that_is_not_a_second_persons(
    changes: dict[str, str],
) -> None:
    furnish()
    draft = services.draft_policy(content=content(), actor=INES)
    row = {
        "version": draft,
        "author": draft.author,
        "approver": LEA.key,
        "content_digest": draft.content_digest,
        "is_approved": True,
        "at": NOW,
        "entry": draft.entry,
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.create(**(row | changes))
    Approval.objects.create(**row)


def test_steps_that_do_not_follow_are_refused() -> None:
    furnish()
    draft = services.draft_policy(content=content(), actor=INES)
    at: dict[str, Any] = {"application": APPLICATION, "number": 1, "actor": INES}
    with pytest.raises(InvalidStateError):
        services.activate(**at)
    with pytest.raises(InvalidStateError):
        suspending.suspend(**at, reason="Stop.")
    with pytest.raises(InvalidStateError):
        services.approve(
            application=APPLICATION, number=1, content_digest=draft.content_digest, actor=LEA
        )
    services.submit(**at)
    with pytest.raises(InvalidStateError):
        services.submit(**at)
    with pytest.raises(UnknownPolicyVersionError):
        services.submit(application=APPLICATION, number=9, actor=INES)


def test_a_rejected_version_stays_rejected() -> None:
    furnish()
    draft = services.draft_policy(content=content(), actor=INES)
    services.submit(application=APPLICATION, number=1, actor=INES)
    word: dict[str, Any] = {
        "application": APPLICATION,
        "number": 1,
        "content_digest": draft.content_digest,
    }
    services.reject(**word, reason="Too wide.", actor=LEA)
    with pytest.raises(InvalidStateError):
        services.approve(**word, actor=LEA)
    with pytest.raises(InvalidStateError):
        services.activate(application=APPLICATION, number=1, actor=INES)
    assert FOLLOWS[PolicyState.REJECTED] == frozenset()


def without_notice() -> None:
    register()
    services.register_application(key=APPLICATION, name="Freight", kind="web", actor=INES)
    services.set_retention(
        application=APPLICATION, days={Category(key): 90 for key in CATEGORIES}, actor=INES
    )


def without_retention() -> None:
    register()
    services.register_application(key=APPLICATION, name="Freight", kind="web", actor=INES)
    tell(notice_content(days=180))


def retention_of_one_missing() -> None:
    without_retention()
    services.set_retention(application=APPLICATION, days={Category.POINTER: 90}, actor=INES)


def notice_promises_less() -> None:
    without_notice()
    tell(notice_content(days=89))


def notice_missing_in_one_language() -> None:
    without_notice()
    texts = dict.fromkeys(["en", "de"], notice_content(days=180))
    consent.services.publish_notice(purpose=PURPOSE, texts=texts, actor=INES)


def notice_without_the_category() -> None:
    without_notice()
    tell(notice_content(days=180, categories=["click"]))


@pytest.mark.parametrize(
    ("house", "error"),
    [
        (without_notice, NoticeMissingError),
        (notice_promises_less, NoticeMissingError),
        (notice_missing_in_one_language, NoticeMissingError),
        (notice_without_the_category, NoticeMissingError),
        (without_retention, RetentionMissingError),
        (retention_of_one_missing, RetentionMissingError),
    ],
    ids=lambda value: value.__name__,
)
def test_each_guard_alone_stops_the_activation(
    house: Callable[[], None], error: type[Exception]
) -> None:
    house()
    number = approved()
    epoch = selectors.generation()
    with pytest.raises(error):
        services.activate(application=APPLICATION, number=number, actor=INES)
    assert selectors.active_version(APPLICATION) is None
    assert selectors.generation() == epoch
    assert "policy:activated" not in events()


def test_an_approval_nobody_acted_on_for_ninety_days_has_gone_stale() -> None:
    furnish()
    number = approved(NOW)
    with pytest.raises(ApprovalMissingError):
        services.activate(
            application=APPLICATION, number=number, actor=INES, now=NOW + timedelta(days=90)
        )
    services.activate(
        application=APPLICATION, number=number, actor=INES, now=NOW + timedelta(days=89)
    )


def test_a_draft_names_only_what_is_registered() -> None:
    furnish()
    with pytest.raises(UnknownPurposeError):
        services.draft_policy(content=content(purposes=["unheard-of"]), actor=INES)
    with pytest.raises(UnknownApplicationError):
        services.draft_policy(content=content(application="unheard-of"), actor=INES)
    title = {"kind": "window-title", "pattern": "Freight *", "id": "desk"}
    with pytest.raises(UnknownApplicationError):
        services.draft_policy(content=content(kind="desktop", matchers=[title]), actor=INES)


def test_the_policy_in_force_is_the_one_of_its_time() -> None:
    furnish()
    activated(NOW)
    activated(NOW + timedelta(hours=1), categories=["pointer"])
    suspending.suspend(
        application=APPLICATION,
        number=2,
        reason="Stop.",
        actor=INES,
        now=NOW + timedelta(hours=2),
    )

    def at(minutes: int) -> str | None:
        found = selectors.active_version(APPLICATION, NOW + timedelta(minutes=minutes))
        return found.version if found else None

    assert [at(minutes) for minutes in (-1, 0, 59, 60, 119, 120)] == [
        None,
        "freight-desk@1",
        "freight-desk@1",
        "freight-desk@2",
        "freight-desk@2",
        None,
    ]
    states = [version.state for version in history.versions(APPLICATION)]
    assert states == [PolicyState.SUSPENDED, PolicyState.SUPERSEDED]


def test_r39_the_promises_of_every_assessment_of_a_scope_count() -> None:
    furnish()
    number = approved()
    version = history.version(APPLICATION, number)
    assert version is not None
    strict = groundwork.assessment(
        [(APPLICATION, version.scope_digest)],
        [PURPOSE],
        commitments=[
            {"kind": "category-never", "id": "no-typed-text", "category": "keystroke-text"}
        ],
    )
    # Named so that it comes last: no assessment hides behind another one's name.
    groundwork.assess("zz-strict", strict, officer=INES, approver=LEA)
    with pytest.raises(CommitmentBrokenError) as refused:
        services.activate(application=APPLICATION, number=number, actor=INES)
    assert refused.value.commitments == ["no-typed-text"]


def test_only_what_agents_depend_on_moves_the_epoch() -> None:
    furnish()
    start = selectors.generation()
    number = approved()
    assert selectors.generation() == start
    services.activate(application=APPLICATION, number=number, actor=INES)
    services.set_retention(
        application=APPLICATION, days={Category(key): 60 for key in CATEGORIES}, actor=INES
    )
    suspending.suspend(application=APPLICATION, number=number, reason="Stop.", actor=INES)
    assert selectors.generation() == start + 3


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE policies_capture_policy_version SET author = 'somebody'",
        "UPDATE policies_transition SET state = 'Active'",
        "UPDATE policies_approval SET approver = 'somebody'",
        "UPDATE policies_retention_rule SET days = 365",
        "UPDATE policies_cell_scope SET digest = 'x'",
        "DELETE FROM policies_approval",
        "DELETE FROM policies_transition",
    ],
)
def test_what_was_decided_cannot_be_rewritten(statement: str) -> None:
    furnish()
    activated()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert CapturePolicyVersion.objects.get().author == INES.key
