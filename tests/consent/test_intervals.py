"""Consent as half-open intervals, against a slow second reading of the same events."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.intervals import (
    Change,
    PauseChange,
    effective,
    pause_intervals,
    six_months_after,
    spans,
)
from consent.status import VALID, ConsentStatus

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
RECORD = UUID(int=1)


def _change(status: ConsentStatus, minute: int, lasts: int = 10_000) -> Change:
    at = START + timedelta(minutes=minute)
    until = at + timedelta(minutes=lasts) if status in VALID else None
    return Change(uuid4(), RECORD, status, at, until, "scope")


steps = st.lists(
    st.tuples(
        st.sampled_from([s for s in ConsentStatus if s is not ConsentStatus.INVALIDATED]),
        st.integers(0, 60),
        st.integers(1, 60),
    ),
    max_size=12,
)


@given(steps, st.integers(-5, 800))
def test_a_moment_is_covered_exactly_when_the_last_event_before_it_was_a_living_yes(
    steps: list[tuple[ConsentStatus, int, int]], minute: int
) -> None:
    changes, clock = [], 0
    for status, pause, lasts in steps:
        clock += pause
        changes.append(_change(status, clock, lasts))
    at = START + timedelta(minutes=minute)
    past = [c for c in changes if c.occurred_at <= at]
    expected = bool(past) and effective(past[-1].status, past[-1].valid_until, at) in VALID
    covering = [s for s in spans(changes) if s.start <= at < s.end]
    assert bool(covering) is expected
    assert len(covering) <= 1


def test_the_first_moment_counts_and_the_last_does_not() -> None:
    given_, withdrawn = _change(ConsentStatus.GIVEN, 0), _change(ConsentStatus.WITHDRAWN, 5)
    (span,) = spans([given_, withdrawn])
    assert (span.start, span.end) == (given_.occurred_at, withdrawn.occurred_at)
    assert span.event_id == given_.event_id


def test_what_was_given_and_withdrawn_at_once_never_held() -> None:
    assert not list(spans([_change(ConsentStatus.GIVEN, 0), _change(ConsentStatus.WITHDRAWN, 0)]))


def test_invalidation_reaches_back_to_the_beginning_of_its_record_alone() -> None:
    first = [_change(ConsentStatus.GIVEN, 0), _change(ConsentStatus.INVALIDATED, 5)]
    again = _change(ConsentStatus.GIVEN, 9)
    second = Change(
        again.event_id, UUID(int=2), again.status, again.occurred_at, again.valid_until, "scope"
    )
    assert [span.start for span in spans([*first, second])] == [second.occurred_at]


@pytest.mark.parametrize(
    ("given_on", "ends_on"),
    [
        ("2026-11-20", "2027-05-20"),
        ("2026-08-31", "2027-02-28"),
        ("2027-08-30", "2028-02-29"),
        ("2026-12-31", "2027-06-30"),
        ("2026-06-01", "2026-12-01"),
    ],
)
def test_six_months_end_on_the_same_day_or_the_last_of_a_shorter_month(
    given_on: str, ends_on: str
) -> None:
    moment = datetime.fromisoformat(f"{given_on}T09:15:41+00:00")
    assert six_months_after(moment) == datetime.fromisoformat(f"{ends_on}T09:15:41+00:00")


def test_a_pause_ends_by_itself_or_when_resumed_or_not_yet() -> None:
    at = [START + timedelta(minutes=m) for m in range(10)]
    changes = [
        PauseChange(None, True, at[0], at[5]),
        PauseChange(None, False, at[2], None),
        PauseChange(None, True, at[3], at[4]),
        PauseChange(None, True, at[6], None),
    ]
    assert [(p.start, p.end) for p in pause_intervals(changes)] == [
        (at[0], at[2]),
        (at[3], at[4]),
        (at[6], None),
    ]
