"""What follows from somebody's own decision is told with all of its day, among decoys (R18)."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import Settings

from audit import daily, journal, leaf, selectors, telling
from audit.actions import PRIVATE, Action
from audit.actors import Actor
from audit.models import Entry, Leaf, Outbox, TreeState
from audit.search import SearchFilters, every_row, search
from audit.verifier.leaf import parse_leaf, read_carefully

pytestmark = pytest.mark.django_db

CARLA = "11111111-2222-4333-8444-555566667777"
DAY = timedelta(days=1)
LATE = timedelta(minutes=5)


@pytest.fixture(autouse=True)
def production(settings: Settings) -> None:
    settings.REMIT_RECALL_SECONDS = 86_400


def ended(action: Action = Action.KEY_SHREDDED, **more: Any) -> Entry:
    return journal.append_now(action, actor=Actor.system("erasure"), subject=CARLA, **more)


def midnight() -> datetime:
    return daily.end_of(timezone.now())


def told() -> int:
    return Leaf.objects.filter(entry__event=Action.PRIVATE_TOLD).count()


def let_it_pass(open_log: Callable[[], None], *, days: int = 1) -> int:
    """Let midnight come and all that was drawn then be due; return how many entries it told."""
    number = telling.tell(now=midnight() + LATE + (days - 1) * DAY)
    Outbox.objects.filter(not_before__lt=midnight() + days * DAY).update(not_before=Now())
    open_log()
    return number


def test_r18_nothing_private_is_in_the_tree_before_its_day_is_over(
    open_log: Callable[[], None],
) -> None:
    open_log()
    before = selectors.log_state()
    entries = [ended(action) for action in sorted(PRIVATE)]
    open_log()
    after = selectors.log_state()
    assert (after.size, after.entries_pending, after.is_open) == (before.size, 0, True)
    found = search(filters=SearchFilters(events=frozenset({"private:told"})))
    assert (found.total, found.entries) == (0, [])
    assert not search(filters=SearchFilters(text=str(entries[0].uuid))).entries
    telling.tell(now=midnight() - LATE)
    telling.tell(now=midnight() + timedelta(seconds=1))
    assert told() == 0


@pytest.mark.parametrize("many", [0, 1, telling.LEAST])
def test_r18_each_day_tells_as_many_whatever_happened(
    many: int, open_log: Callable[[], None]
) -> None:
    open_log()
    for _ in range(many):
        ended()
    assert let_it_pass(open_log) == telling.LEAST
    assert told() == telling.LEAST
    assert telling.tell(now=midnight() + 2 * LATE) == 0, "a day is told once"
    assert let_it_pass(open_log, days=2) == telling.LEAST, "a quiet one as well"


def test_r18_more_than_usual_makes_the_next_power_of_two(open_log: Callable[[], None]) -> None:
    open_log()
    for _ in range(telling.LEAST + 1):
        ended()
    assert let_it_pass(open_log) == 2 * telling.LEAST


def test_r18_what_is_told_says_the_day_and_nothing_else(open_log: Callable[[], None]) -> None:
    open_log()
    for action in sorted(PRIVATE):
        ended(action, purpose="training", count=7, private={"reason": "consent-withdrawn"})
    let_it_pass(open_log)
    leaves = [
        leaf.parse(bytes(body))
        for body in Entry.objects.filter(event="private:told").values_list("leaf", flat=True)
    ]
    assert len(leaves) == telling.LEAST
    assert {len(leaf.canonical(body)) for body in leaves} == {len(leaf.canonical(leaves[0]))}
    assert {(body["ev"], body["dec"], body["t"]) for body in leaves} == {
        ("private:told", "n/a", leaf.time_text(midnight()))
    }
    assert {str(body["id"])[:13] for body in leaves} == {str(leaves[0]["id"])[:13]}
    for row in Entry.objects.filter(event="private:told"):
        assert parse_leaf(bytes(row.leaf)) == read_carefully(bytes(row.leaf))


def test_r18_the_order_among_those_that_say_nothing_is_random(
    open_log: Callable[[], None], settings: Settings
) -> None:
    settings.REMIT_LOG_DELAY_SECONDS = 3600
    open_log()
    own = [ended().pk for _ in range(10)]
    telling.tell(now=midnight() + LATE)
    order = Outbox.objects.filter(entry__event="private:told").order_by("not_before", "entry_id")
    ranks = [rank for rank, row in enumerate(order) if row.entry_id in own]
    assert len(ranks) == len(own)
    assert ranks != list(range(10))


def test_the_person_reads_what_it_was_and_when(open_log: Callable[[], None]) -> None:
    at = timezone.now().replace(microsecond=0)
    ended(Action.CAPTURE_DELETED, act="erased", count=3, now=at)
    (entry,) = selectors.entries_about(subject=CARLA)
    assert (entry.action, entry.occurred_at) == (Action.CAPTURE_DELETED, at)
    assert (entry.details["act"], entry.details["count"], entry.seq) == ("erased", 3, 1)


def test_what_was_committed_long_after_its_day_waits_no_other_day(
    open_log: Callable[[], None],
) -> None:
    open_log()
    TreeState.objects.update(told_until=midnight())
    ended()
    open_log()
    assert told() == 1


def test_a_log_that_kept_something_before_it_first_told_tells_it_with_its_day(
    open_log: Callable[[], None],
) -> None:
    open_log()
    ended()
    TreeState.objects.update(told_until=None)
    assert let_it_pass(open_log) == telling.LEAST


def test_periods_too_short_to_hide_anything_keep_nothing(
    open_log: Callable[[], None], settings: Settings
) -> None:
    settings.REMIT_RECALL_SECONDS = 60
    ended()
    open_log()
    assert told() == 1
    assert telling.tell(now=timezone.now() + LATE) == 0


def test_r18_no_cursor_counts_what_is_hidden_between_two_entries(
    open_log: Callable[[], None],
) -> None:
    """The cursor of a page once held the row's number: it jumped by what nobody should see."""
    open_log()
    auditor = Actor("x", "auditor")
    at = datetime(2026, 11, 21, 7, 38, 11, tzinfo=UTC)
    for number in range(3):
        journal.append_now(Action.ACCESS_DENIED, actor=auditor, now=at + timedelta(seconds=number))
        for _ in range(number):
            ended()
    rows = list(every_row(filters=SearchFilters()))[:3]
    assert [row.occurred_at.second for row in rows] == [13, 12, 11]
    steps = [one.cursor - other.cursor >> 12 for one, other in itertools.pairwise(rows)]
    assert all(abs(step - 1000) <= 1 for step in steps)
    first = search(filters=SearchFilters(), limit=1)
    second = search(filters=SearchFilters(), after=first.next, limit=1)
    assert [first.entries[0].uuid, second.entries[0].uuid] == [row.uuid for row in rows[:2]]


def test_r18_a_proof_that_a_yes_asks_for_is_private_and_an_offices_is_not() -> None:
    own = journal.append_now(
        Action.SESSION_CONFIRMED, actor=Actor(CARLA, "employee"), subject=CARLA
    )
    office = journal.append_now(Action.SESSION_CONFIRMED, actor=Actor(CARLA, "auditor"))
    events = [Entry.objects.get(pk=entry.pk).event for entry in (own, office)]
    assert events == ["private:told", "session:confirmed"]
    (entry,) = selectors.entries_about(subject=CARLA)
    assert entry.action is Action.SESSION_CONFIRMED
