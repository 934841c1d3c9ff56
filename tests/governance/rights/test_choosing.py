"""Choosing: what is offered, what follows from a withdrawal, and what survives it."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from audit.models import Entry
from consent import selectors as consents
from consent.errors import InvalidTransitionError, NoticeOutdatedError, NotTheSubjectError
from consent.models import SubjectEpoch
from consent.selectors import Cell
from consent.status import ConsentStatus
from governance.capture.errors import ConsentRequiredError, RecordGoneError
from governance.jobs import services as jobs
from governance.policies.categories import Category
from governance.rights import selectors, services
from governance.rights.errors import CellNotOfferedError
from governance.rights.models import ErasureOrder
from governance.rights.states import ErasureState
from governance.vault import shredding
from tests import make
from tests.governance.rights.conftest import (
    CLICK,
    FORM,
    POINTER,
    POINTER_ELSEWHERE,
    Someone,
)

pytestmark = pytest.mark.django_db


def test_everything_is_off_until_somebody_says_yes(mira: Someone) -> None:
    offered = selectors.offered_choices(subject=mira.subject, language="en")
    assert {choice.status for choice in offered} == {ConsentStatus.UNKNOWN}
    assert not any(choice.is_valid for choice in offered)
    assert {choice.notice_version for choice in offered} == {f"{make.TRAIN}@1", f"{make.IMPROVE}@1"}
    assert Category.SCREENSHOT not in {choice.category for choice in offered}
    mira.allow(POINTER)
    valid = [
        c for c in selectors.offered_choices(subject=mira.subject, language="en") if c.is_valid
    ]
    assert [(c.purpose, c.application, c.category) for c in valid] == [POINTER]


@pytest.mark.parametrize(
    "cell",
    [
        Cell(make.TRAIN, make.DESK, "screenshot"),
        Cell(make.TRAIN, "customer-desk", "pointer"),
        Cell("performance-evaluation", make.DESK, "pointer"),
    ],
)
def test_nobody_can_answer_what_is_not_offered(mira: Someone, cell: Cell) -> None:
    for status in (ConsentStatus.GIVEN, ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN):
        with pytest.raises(CellNotOfferedError):
            services.choose(
                person_subject=mira.subject,
                choices=[services.Answer(*cell, status, f"{cell.purpose}@1")],
                actor=mira.actor,
                language="en",
                form_digest=FORM,
            )
    assert consents.states(subject=mira.subject) == {}


def test_yes_and_no_leave_one_entry_each_that_tells_neither_apart(
    mira: Someone, carla: Someone
) -> None:
    """One entry more, longer or later after a yes than after a no would tell who refused."""
    told = []
    for person, status in ((mira, ConsentStatus.GIVEN), (carla, ConsentStatus.REFUSED)):
        last = Entry.objects.latest("id").pk
        person.choose(status, POINTER, CLICK)
        jobs.run_due()
        (entry,) = Entry.objects.filter(pk__gt=last)
        sealed = [(row.slot, len(row.sealed), len(row.owner)) for row in entry.disclosures.all()]
        minute = f"{entry.occurred_at:%M:%S.%f}"
        told.append((entry.event, minute, len(entry.leaf), sealed))
    assert told[0] == told[1]


@pytest.mark.parametrize("status", [ConsentStatus.EXPIRED, ConsentStatus.INVALIDATED])
def test_a_person_cannot_set_what_only_others_or_the_clock_set(
    mira: Someone, status: ConsentStatus
) -> None:
    mira.allow(POINTER)
    with pytest.raises(CellNotOfferedError):
        mira.choose(status, POINTER)


def test_nobody_chooses_for_another_and_no_old_notice_counts(mira: Someone, carla: Someone) -> None:
    with pytest.raises(NotTheSubjectError):
        services.choose(
            person_subject=mira.subject,
            choices=[services.Answer(*POINTER, ConsentStatus.GIVEN, f"{make.TRAIN}@1")],
            actor=carla.actor,
            language="en",
            form_digest=FORM,
        )
    with pytest.raises(NoticeOutdatedError):
        services.choose(
            person_subject=mira.subject,
            choices=[services.Answer(*POINTER, ConsentStatus.GIVEN, f"{make.TRAIN}@0")],
            actor=mira.actor,
            language="en",
            form_digest=FORM,
        )


def test_r05_a_withdrawal_ends_reading_recording_and_the_key(
    mira: Someone, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    mira.allow(POINTER, CLICK)
    frames = mira.record("pointer", "click")
    assert len(frames) == 2
    with django_capture_on_commit_callbacks(execute=True):
        mira.withdraw(POINTER)
    with pytest.raises(RecordGoneError):
        mira.read(*(frame.id for frame in mira.frames() if frame.category == "pointer"))
    assert mira.read(*(frame.id for frame in mira.frames() if frame.category == "click"))
    with pytest.raises(ConsentRequiredError):
        mira.record("pointer")
    jobs.run_due()
    assert [frame.category for frame in mira.frames()] == ["click"]
    (order,) = ErasureOrder.objects.all()
    (view,) = selectors.erasures(subject=mira.subject)
    assert view.state is ErasureState.COMPLETED
    assert [state for state, _ in view.reached] == list(ErasureState)
    assert order.steps.get(state=ErasureState.OBJECTS_PURGED).figures == {"objects": 1}


def test_a_job_finishes_what_a_crash_after_the_commit_left(mira: Someone) -> None:
    """Without on_commit callbacks nothing ran after the commit, as if the process had died."""
    mira.allow(POINTER)
    mira.record("pointer")
    mira.withdraw(POINTER)
    assert selectors.erasures(subject=mira.subject)[0].state is ErasureState.RESTRICTED
    jobs.run_due()
    assert selectors.erasures(subject=mira.subject)[0].state is ErasureState.COMPLETED
    assert mira.frames() == []
    # Nothing is left to destroy.
    assert not shredding.destroy_cell(
        subject=mira.subject, application=make.DESK, category="pointer"
    )


def test_the_key_of_a_cell_dies_with_its_last_purpose(mira: Someone) -> None:
    mira.allow(POINTER, POINTER_ELSEWHERE)
    mira.record("pointer")
    mira.withdraw(POINTER)
    jobs.run_due()
    assert not ErasureOrder.objects.exists()
    assert len(mira.frames()) == 1
    mira.withdraw(POINTER_ELSEWHERE)
    jobs.run_due()
    assert mira.frames() == []


def test_a_new_yes_never_loses_its_data_to_the_old_withdrawal(mira: Someone) -> None:
    mira.allow(POINTER)
    mira.record("pointer")
    mira.withdraw(POINTER)
    # The job has not run; the person changes her mind.
    mira.allow(POINTER)
    assert mira.frames() == []
    (fresh,) = mira.record("pointer")
    jobs.run_due()
    assert mira.read(fresh)


def test_withdrawing_everything_is_one_act_and_then_there_is_nothing_left(mira: Someone) -> None:
    mira.allow(POINTER, CLICK, POINTER_ELSEWHERE)
    act = services.withdraw_all(
        person_subject=mira.subject, actor=mira.actor, language="en", form_digest=FORM
    )
    assert act is not None
    assert {event.status for event in act.events} == {"ConsentWithdrawn"}
    assert len(act.events) == 3
    assert consents.valid_cells(subject=mira.subject) == {}
    again = services.withdraw_all(
        person_subject=mira.subject, actor=mira.actor, language="en", form_digest=FORM
    )
    assert again is None


def test_refusing_everything_is_one_act_too(mira: Someone) -> None:
    refused = mira.choose(ConsentStatus.REFUSED, POINTER, CLICK)
    assert len(refused.events) == 2
    with pytest.raises(InvalidTransitionError):
        mira.withdraw(CLICK)


def test_what_ran_out_is_written_down_and_erased(mira: Someone) -> None:
    mira.allow(POINTER)
    mira.record("pointer")
    assert services.expire_consents() == 0
    in_a_year = timezone.now() + timedelta(days=365)
    assert services.expire_consents(now=in_a_year) == 1
    assert services.expire_consents(now=in_a_year) == 0
    (view,) = selectors.erasures(subject=mira.subject)
    assert view.reason == "consent-expired"
    jobs.run_due()
    assert mira.frames() == []


def test_a_narrower_or_wider_scope_shows_as_outdated_not_as_a_yes(mira: Someone) -> None:
    mira.allow(POINTER)
    body = make.policy_content(make.DESK) | {
        "matchers": [{"kind": "origin", "pattern": "http://127.0.0.1:38750", "id": "form"}]
    }
    make.activate(mira.house, body)
    (choice,) = (
        c
        for c in selectors.offered_choices(subject=mira.subject, language="en")
        if (c.purpose, c.application, c.category) == POINTER
    )
    assert (choice.is_valid, choice.is_outdated) == (False, True)
    assert mira.allow(POINTER).events[0].status == "RenewedConsentGiven"


def test_the_keys_themselves_refuse_whoever_relies_on_a_consent_from_before_an_end(
    mira: Someone, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    mira.allow(POINTER, POINTER_ELSEWHERE)
    frames = mira.record("pointer")
    with django_capture_on_commit_callbacks(execute=True):
        mira.withdraw(POINTER)
    assert mira.read(*frames), "Another purpose holds the cell."
    # What an older copy of the data says: the person's count, and that she still consents.
    SubjectEpoch.objects.filter(subject=mira.subject).update(epoch=F("epoch") - 1)
    with pytest.raises(RecordGoneError):
        mira.read(*frames)
