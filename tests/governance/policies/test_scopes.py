"""A consent never covers more than what was in force when it was given."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from governance.policies import content as policy_content
from governance.policies import scopes, selectors, services
from governance.policies.categories import Category
from governance.policies.errors import NoticeMissingError, RetentionPeriodError
from tests.consent.notices import content as notice_content
from tests.governance.policies.house import (
    APPLICATION,
    CATEGORIES,
    INES,
    PURPOSE,
    activated,
    content,
    furnish,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
URL = {"id": "order", "pattern": "https://freight.example/orders/*"}
MORE = {"id": "bill", "pattern": "https://freight.example/bills/*"}
MASK = {"id": "iban", "selector": "#iban"}


TOLD = scopes.Told(recipients=("Training",), locations=("loc:DE",), transfers="None.")


def scope(days: int = 90, told: scopes.Told = TOLD, **changes: object) -> bytes:
    parsed = policy_content.parse(content(**changes))
    return scopes.scope_of(parsed, purpose=PURPOSE, category=Category.POINTER, days=days, told=told)


@pytest.mark.parametrize(
    ("new", "within"),
    [
        (scope(), True),
        (scope(89), True),
        (scope(91), False),
        (scope(told=replace(TOLD, recipients=("Sales", "Training"))), False),
        (scope(told=replace(TOLD, recipients=())), True),
        (scope(told=replace(TOLD, locations=("loc:DE", "loc:US"))), False),
        (scope(told=replace(TOLD, transfers="To the United States.")), False),
        (scope(urls=[]), True),
        (scope(urls=[URL, MORE]), False),
        (scope(urls=[MORE]), False),
        (scope(titles=[]), True),
        (scope(fields=[MASK]), False),
        (scope(masks=[MASK]), True),
        (scope(labels=["Save"]), False),
        (scope(rules={"pointer": {"most": 1}}), False),
        (scope(rules={"click": {"most": 1}}), True),
        (scope(categories=["pointer", "click", "keystroke-text", "shortcut"]), True),
        (scopes.closed(), True),
        (scope(budgets={}), True),
        (scope(budgets={"megabytes_per_day": 100, "on_battery": False}), True),
        (scope(budgets={"on_metered": "never"}), True),
        (scope(budgets={"megabytes_per_day": 201}), False),
        (scope(budgets={"screens_per_minute": 7}), False),
        (scope(budgets={"cpu_percent": 6}), False),
        (scope(budgets={"offline_hours": 1}), False),
    ],
)
def test_more_of_anything_is_wider(new: bytes, within: bool) -> None:
    assert scopes.is_within(new=new, old=scope()) is within


def test_what_is_open_where_nothing_is_named_is_wider_without_its_last_name() -> None:
    """Without a named field every field may be typed into; without a kind of matcher more match."""
    mask = scope(fields=[MASK])
    assert not scopes.is_within(new=scope(fields=[]), old=mask)
    assert scopes.is_within(new=mask, old=scope(fields=[MASK, {"id": "b", "selector": "#b"}]))
    few = scope(participants=["DE"])
    assert not scopes.is_within(new=scope(participants=[]), old=few)
    assert scopes.is_within(new=few, old=scope(participants=["DE", "example.org"]))
    more = scope(participants=["DE", "FR"])
    assert not scopes.is_within(new=more, old=scope(participants=["DE"]))
    assert scopes.is_within(new=more, old=scope())
    title = {"kind": "window-title", "pattern": "Order *", "id": "a"}
    process = {"kind": "process", "pattern": "orders", "id": "b"}
    both, one = (scope(kind="desktop", matchers=some) for some in ([title, process], [title]))
    assert not scopes.is_within(new=one, old=both)


def test_fewer_masks_are_wider_and_everything_is_wider_than_nothing() -> None:
    assert not scopes.is_within(new=scope(), old=scope(masks=[MASK]))
    assert not scopes.is_within(new=scope(), old=scopes.closed())
    assert scopes.is_within(new=scopes.closed(), old=scopes.closed())


_some = st.lists(st.sampled_from(["a1", "b2", "c3", "d4"]), unique=True, max_size=4)


@given(_some, _some, _some)
def test_within_is_reflexive_and_transitive(a: list[str], b: list[str], c: list[str]) -> None:
    one, two, three = (scope(labels=labels) for labels in (a, b, c))
    assert scopes.is_within(new=one, old=one)
    if scopes.is_within(new=one, old=two) and scopes.is_within(new=two, old=three):
        assert scopes.is_within(new=one, old=three)
    assert scopes.is_within(new=one, old=two) == (set(a) <= set(b))


def digest(at: datetime | None = None, category: str = "pointer") -> str | None:
    active = selectors.active_version(APPLICATION, at)
    assert active is not None
    return active.scope_digest_of(category, PURPOSE)


@pytest.mark.django_db
def test_narrowing_keeps_the_digest_and_widening_back_does_not_revive_it() -> None:
    furnish()
    activated(NOW, urls=[URL, MORE])
    wide = digest(NOW)
    activated(NOW + timedelta(hours=1), urls=[URL])
    assert digest(NOW + timedelta(hours=1)) == wide
    activated(NOW + timedelta(hours=2), urls=[URL, MORE])
    assert digest(NOW + timedelta(hours=2)) not in {wide, None}
    # Whoever asks about the past gets the answer of the past.
    assert digest(NOW + timedelta(minutes=30)) == wide


@pytest.mark.django_db
def test_a_category_that_was_dropped_and_comes_back_is_asked_for_again() -> None:
    furnish()
    activated()
    before = digest(category="click")
    activated(categories=["pointer"])
    assert digest(category="click") is None
    activated()
    assert digest(category="click") not in {before, None}
    assert digest(category="pointer") is not None


@pytest.mark.django_db
def test_keeping_longer_asks_again_and_keeping_shorter_does_not() -> None:
    furnish(days=90)
    activated()
    before = digest()

    def keep(days: int) -> None:
        services.set_retention(
            application=APPLICATION, days={Category(key): days for key in CATEGORIES}, actor=INES
        )

    keep(60)
    assert digest() == before
    keep(90)
    assert digest() != before
    assert {cell.retention_days for cell in selectors.offered_cells()} == {90}
    assert selectors.retention(APPLICATION, "pointer").schedule == "freight-desk@3"


@pytest.mark.django_db
def test_r7_while_a_policy_acts_nothing_is_kept_longer_than_people_were_told() -> None:
    furnish(days=90)
    activated()
    before = digest()

    def keep(days: int) -> None:
        periods = dict.fromkeys(map(Category, CATEGORIES), 90) | {Category.POINTER: days}
        services.set_retention(application=APPLICATION, days=periods, actor=INES)

    with pytest.raises(NoticeMissingError):
        keep(181)
    assert selectors.retention(APPLICATION, "pointer").days == 90
    assert digest() == before
    keep(180)
    assert selectors.retention(APPLICATION, "pointer").days == 180


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("category", "days"),
    [("pointer", 0), ("pointer", 366), ("keystroke-text", 181), ("screenshot", 30)],
)
def test_a_period_beyond_the_limit_is_refused(category: str, days: int) -> None:
    furnish()
    with pytest.raises(RetentionPeriodError):
        services.set_retention(application=APPLICATION, days={Category(category): days}, actor=INES)


@pytest.mark.django_db
def test_an_active_policy_keeps_a_period_for_each_category() -> None:
    furnish()
    activated()
    with pytest.raises(RetentionPeriodError):
        services.set_retention(application=APPLICATION, days={Category.POINTER: 30}, actor=INES)


@pytest.mark.django_db
def test_the_offered_cells_stand_in_the_order_of_the_house() -> None:
    furnish()
    assert selectors.offered_cells() == []
    activated()
    assert [cell.category for cell in selectors.offered_cells()] == CATEGORIES


@pytest.mark.django_db
def test_r08_a_notice_with_one_more_recipient_carries_no_old_consent_over() -> None:
    """R8: a new recipient needs a new consent; a notice that only reads better does not."""
    furnish()
    activated(NOW)
    before = selectors.active_policies(NOW)[APPLICATION].scopes
    said = notice_content(days=180)

    def publish(changed: dict[str, object], at: datetime) -> None:
        texts = dict.fromkeys(dict(settings.LANGUAGES), said | changed)
        services.publish_notice(purpose=PURPOSE, texts=texts, actor=INES, now=at)

    publish({"introduction": "You decide. Nothing follows from a no."}, NOW + timedelta(days=1))
    assert selectors.active_policies(NOW + timedelta(days=1))[APPLICATION].scopes == before
    epoch = selectors.generation()
    sales = {"name": "Sales", "address": "Kai 7", "contact": "sales@n.example"}
    recipients = said["recipients"]
    assert isinstance(recipients, list)
    publish({"recipients": [*recipients, sales]}, NOW + timedelta(days=2))
    after = selectors.active_policies(NOW + timedelta(days=2))[APPLICATION].scopes
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    assert selectors.generation() > epoch
