"""Deciding: who may, what it leaves behind, and what it refuses without leaving anything."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from audit.actors import Actor
from audit.models import Entry
from consent import selectors, services
from consent.errors import (
    InvalidTransitionError,
    NoticeMissingError,
    NoticeOutdatedError,
    NotTheSubjectError,
    UnlockedError,
)
from consent.models import ConsentEvent, ConsentReceipt, ConsentState
from consent.selectors import Cell
from consent.services import Choice, DecisionAct
from consent.status import ConsentStatus
from tests.consent.conftest import INES, PURPOSE
from tests.consent.notices import content

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FORM = sha256(b"form").hexdigest()
POINTER = Cell(PURPOSE, "freight-desk", "pointer")
CLICK = Cell(PURPOSE, "freight-desk", "click")


def decide(
    actor: Actor,
    *choices: Choice,
    subject: str | None = None,
    minute: int = 0,
    language: str = "en",
) -> DecisionAct:
    return services.decide(
        subject=subject or actor.key,
        choices=choices,
        actor=actor,
        language=language,
        form_digest=FORM,
        now=NOON + timedelta(minutes=minute),
    )


def yes(cell: Cell, notice: str, scope: str = "scope-1") -> Choice:
    return Choice(*cell, ConsentStatus.GIVEN, notice_version=notice, scope_digest=scope)


def no(cell: Cell) -> Choice:
    return Choice(*cell, ConsentStatus.REFUSED)


def withdraw(cell: Cell) -> Choice:
    return Choice(*cell, ConsentStatus.WITHDRAWN)


def test_one_act_is_one_entry_one_receipt_and_an_event_a_cell(mira: Actor, notice: str) -> None:
    entries = Entry.objects.count()
    act = decide(mira, yes(POINTER, notice), no(CLICK))
    assert Entry.objects.count() == entries + 1
    assert [event.status for event in act.events] == ["ConsentGiven", "ConsentRefused"]
    assert {event.entry_id for event in act.events} == {act.entry.id}
    assert ConsentReceipt.objects.get(subject=mira.key).id == act.receipt_id
    states = selectors.states(subject=mira.key, at=NOON)
    assert states[POINTER].is_valid
    assert states[POINTER].valid_until == datetime(2027, 5, 20, 12, tzinfo=UTC)
    assert states[CLICK].status is ConsentStatus.REFUSED
    assert not states[CLICK].is_valid


def test_r03_an_event_holds_all_that_the_controller_must_be_able_to_show(
    mira: Actor, notice: str
) -> None:
    first = decide(mira, yes(POINTER, notice)).events[0]
    second = decide(mira, withdraw(POINTER), minute=1).events[0]
    assert first.notice_version.reference == notice
    assert len(first.notice_version.content_digest) == 64
    assert (first.language, first.form_digest, first.scope_digest) == ("en", FORM, "scope-1")
    assert (first.occurred_at, first.indicated_by) == (NOON, mira.key)
    assert (first.previous, second.previous) == (None, first)
    # The way out needs no notice: it keeps the one that the yes was given on.
    assert second.notice_version == first.notice_version


def test_r13_yes_is_the_subjects_alone_and_an_officer_can_only_revoke(
    mira: Actor, notice: str
) -> None:
    for choice in (yes(POINTER, notice), no(POINTER), withdraw(POINTER)):
        with pytest.raises(NotTheSubjectError):
            decide(INES, choice, subject=mira.key)
    assert not ConsentEvent.objects.exists()
    decide(mira, yes(POINTER, notice))
    revoked = Choice(*POINTER, ConsentStatus.REVOKED)
    with pytest.raises(InvalidTransitionError):
        decide(mira, revoked)
    act = decide(INES, revoked, subject=mira.key, minute=1)
    assert act.events[0].indicated_by == INES.key
    assert not selectors.valid_cells(subject=mira.key, at=NOON + timedelta(minutes=1))


def test_the_same_answer_twice_changes_nothing_and_names_the_first_act(
    mira: Actor, notice: str
) -> None:
    for choice in (yes(POINTER, notice), no(CLICK)):
        first = decide(mira, choice)
        epoch = selectors.epoch(subject=mira.key)
        again = decide(mira, choice, minute=1)
        assert again.events == ()
        assert (again.decision_id, again.receipt_id) == (first.decision_id, first.receipt_id)
        assert again.entry == first.entry
        assert selectors.epoch(subject=mira.key) == epoch


def test_a_yes_to_a_new_scope_renews_and_the_old_scope_is_over(mira: Actor, notice: str) -> None:
    decide(mira, yes(POINTER, notice, scope="scope-1"))
    act = decide(mira, yes(POINTER, notice, scope="scope-2"), minute=10)
    assert act.events[0].status == "RenewedConsentGiven"
    found = selectors.intervals(subject=mira.key)
    assert [(i.scope_digest, i.valid_from) for i in found] == [
        ("scope-1", NOON),
        ("scope-2", NOON + timedelta(minutes=10)),
    ]
    assert found[0].valid_to == found[1].valid_from


@pytest.mark.parametrize("target", [s for s in ConsentStatus if s is not ConsentStatus.GIVEN])
def test_from_nothing_a_person_can_only_give_or_refuse(
    mira: Actor, notice: str, target: ConsentStatus
) -> None:
    choice = Choice(*POINTER, target, notice_version=notice, scope_digest="scope-1")
    if target is ConsentStatus.REFUSED:
        assert decide(mira, choice).events
    elif target is not ConsentStatus.UNKNOWN:
        with pytest.raises(InvalidTransitionError):
            decide(mira, choice)
        assert not ConsentEvent.objects.exists()


def test_one_bad_choice_undoes_the_whole_act(mira: Actor, notice: str) -> None:
    entries = Entry.objects.count()
    with pytest.raises(InvalidTransitionError):
        decide(mira, yes(POINTER, notice), withdraw(CLICK))
    with pytest.raises(InvalidTransitionError):
        decide(mira, yes(POINTER, notice), no(POINTER))
    with pytest.raises(InvalidTransitionError):
        decide(mira)
    assert Entry.objects.count() == entries
    assert not ConsentState.objects.exists()


def test_a_yes_counts_only_for_the_notice_in_force_in_the_language_read(
    mira: Actor, notice: str
) -> None:
    with pytest.raises(NoticeMissingError):
        decide(mira, yes(POINTER, notice), language="fr")
    with pytest.raises(NoticeOutdatedError):
        decide(mira, yes(Cell(PURPOSE, "customer-desk", "pointer"), notice))
    newer = services.publish_notice(purpose=PURPOSE, texts={"en": content(days=30)}, actor=INES)[
        0
    ].reference
    with pytest.raises(NoticeOutdatedError):
        decide(mira, yes(POINTER, notice))
    with pytest.raises(NoticeMissingError):
        decide(mira, yes(POINTER, newer), language="de")
    # An old page must not keep anybody from saying no.
    assert decide(mira, Choice(*POINTER, ConsentStatus.REFUSED, notice_version=notice)).events
    assert decide(mira, yes(POINTER, newer), minute=1).events


def test_r04_a_no_costs_no_more_than_a_yes(mira: Actor, notice: str) -> None:
    decide(mira, yes(POINTER, notice))
    act = decide(mira, withdraw(POINTER), minute=5)
    assert not selectors.valid_at(
        subject=mira.key, **POINTER._asdict(), at=act.events[0].occurred_at
    )
    assert selectors.valid_at(subject=mira.key, **POINTER._asdict(), at=NOON)
    assert decide(mira, yes(POINTER, notice), minute=6).events[0].status == "ConsentGiven"


def test_r09_consent_ends_to_the_second_whether_noted_or_not(mira: Actor, notice: str) -> None:
    decide(mira, yes(POINTER, notice))
    end = datetime(2027, 5, 20, 12, tzinfo=UTC)
    before = end - timedelta(seconds=1)
    assert selectors.valid_cells(subject=mira.key, at=before)
    assert selectors.consenting(**POINTER._asdict(), at=before)
    assert services.expire(subject=mira.key, now=before) is None
    assert not selectors.valid_cells(subject=mira.key, at=end)
    assert not selectors.consenting(**POINTER._asdict(), at=end)
    assert selectors.states(subject=mira.key, at=end)[POINTER].status is ConsentStatus.EXPIRED
    noted = services.expire(subject=mira.key, now=end)
    assert noted is not None
    assert noted.events[0].indicated_by == "system:expiry"
    assert services.expire(subject=mira.key, now=end) is None


def test_a_yes_after_an_unnoted_expiry_is_a_new_yes(mira: Actor, notice: str) -> None:
    decide(mira, yes(POINTER, notice))
    a_year = 60 * 24 * 365
    assert decide(mira, yes(POINTER, notice), minute=a_year).events[0].status == "ConsentGiven"
    assert len(selectors.intervals(subject=mira.key)) == 2


def test_what_was_never_free_never_was_and_a_new_yes_opens_a_new_record(
    mira: Actor, notice: str
) -> None:
    given = decide(mira, yes(POINTER, notice)).events[0]
    decide(INES, Choice(*POINTER, ConsentStatus.INVALIDATED), subject=mira.key, minute=5)
    assert selectors.intervals(subject=mira.key) == []
    again = decide(mira, yes(POINTER, notice), minute=9).events[0]
    assert again.record_id != given.record_id
    assert (again.record.number, again.number, again.previous) == (2, 1, None)
    assert [i.event_id for i in selectors.intervals(subject=mira.key)] == [again.id]


def test_the_order_of_a_record_survives_a_clock_that_steps_back(mira: Actor, notice: str) -> None:
    decide(mira, yes(POINTER, notice))
    late = decide(mira, withdraw(POINTER), minute=-30).events[0]
    assert late.occurred_at == NOON
    assert not selectors.valid_cells(subject=mira.key, at=NOON)


def test_the_projection_says_what_the_events_say(mira: Actor, notice: str) -> None:
    decide(mira, yes(POINTER, notice), no(CLICK))
    decide(mira, withdraw(POINTER), minute=3)
    decide(mira, yes(CLICK, notice), minute=4)
    for minute in range(6):
        at = NOON + timedelta(minutes=minute)
        if minute < 4:
            continue
        by_projection = set(selectors.valid_cells(subject=mira.key, at=at))
        by_events = {
            Cell(i.purpose, i.application, i.category)
            for i in selectors.intervals(subject=mira.key)
            if i.valid_from <= at and (i.valid_to is None or at < i.valid_to)
        }
        assert by_projection == by_events == {CLICK}


def test_the_epoch_counts_every_change_and_nobody_elses(mira: Actor, notice: str) -> None:
    assert selectors.epoch(subject=mira.key) == 0
    decide(mira, yes(POINTER, notice), yes(CLICK, notice))
    decide(mira, withdraw(CLICK), minute=1)
    services.pause(subject=mira.key, device_id=None, until=None, actor=mira)
    assert selectors.epoch(subject=mira.key) == 3
    assert selectors.epoch(subject="someone-else") == 0


def test_r92_the_leaf_tells_nothing_of_what_was_decided(mira: Actor, notice: str) -> None:
    given = decide(mira, yes(POINTER, notice)).entry
    refused = decide(mira, no(CLICK)).entry
    paused = services.pause(subject=mira.key, device_id=None, until=None, actor=mira)
    leaves = [bytes(entry.leaf) for entry in (given, refused, paused)]
    assert len({len(leaf) for leaf in leaves}) == 1
    for leaf in leaves:
        for word in (mira.key, PURPOSE, "Given", "Refused", "pointer", "employee", "Halted"):
            assert word.encode() not in leaf


@pytest.mark.usefixtures("real_transactions")
def test_a_lock_outside_a_transaction_is_refused(mira: Actor) -> None:
    with pytest.raises(UnlockedError):
        selectors.lock(subject=mira.key, exclusive=False)
