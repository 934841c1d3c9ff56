"""What a choice means, before anything is written."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from consent.selectors import Cell, CellState
from consent.status import ConsentStatus
from governance.portal import form
from governance.portal.pausing import minutes_of
from governance.portal.typed import plain, typed

POINTER = Cell("train", "desk", "pointer")
CLICK = Cell("train", "desk", "click")
NONE: frozenset[Cell] = frozenset()


def section() -> form.Section:
    slots = (form.Slot("pointer", POINTER), form.Slot("click", CLICK), form.Slot("shortcut", None))
    row = form.Row("desk", "Desk", "web", 90, "desk@1", slots)
    return form.Section("train", "Train", "", "train@1", 90, (), "", None, (row,))


def state(status: ConsentStatus) -> CellState:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    return CellState(status, at, None, "scope", uuid4(), at, "train@1")


def test_a_purpose_without_an_answer_changes_nothing() -> None:
    assert form.wanted(section(), answer=None, ticked=frozenset({POINTER}), covered=NONE) == {}


def test_no_means_no_for_every_cell_even_a_ticked_one() -> None:
    no = form.Answer.NO
    wishes = form.wanted(section(), answer=no, ticked=frozenset({POINTER}), covered=NONE)
    assert wishes == {POINTER: False, CLICK: False}


def test_yes_allows_what_is_ticked_ends_what_no_longer_is_and_answers_nothing_else() -> None:
    yes, ticked = form.Answer.YES, frozenset({POINTER})
    wishes = form.wanted(section(), answer=yes, ticked=ticked, covered=NONE)
    assert wishes == {POINTER: True}
    wishes = form.wanted(section(), answer=yes, ticked=ticked, covered=frozenset({CLICK}))
    assert wishes == {POINTER: True, CLICK: False}


@pytest.mark.parametrize(
    ("was", "covered", "yes", "will"),
    [
        (ConsentStatus.GIVEN, True, True, None),
        (ConsentStatus.GIVEN, False, True, ConsentStatus.RENEWED),
        (ConsentStatus.GIVEN, True, False, ConsentStatus.WITHDRAWN),
        (ConsentStatus.REFUSED, False, False, None),
        (ConsentStatus.REFUSED, False, True, ConsentStatus.GIVEN),
        (ConsentStatus.WITHDRAWN, False, False, None),
        (ConsentStatus.REQUESTED, False, False, ConsentStatus.REFUSED),
    ],
)
def test_only_a_real_change_is_written(
    was: ConsentStatus, covered: bool, yes: bool, will: ConsentStatus | None
) -> None:
    found = form.changes(
        {POINTER: yes}, {POINTER: state(was)}, covered=frozenset({POINTER} if covered else ())
    )
    assert [change.will for change in found] == ([] if will is None else [will])


def test_a_person_who_was_only_asked_has_no_answer() -> None:
    states = {POINTER: state(ConsentStatus.REQUESTED)}
    assert form.answer_so_far(states, [POINTER, CLICK]) is None
    refused = {POINTER: state(ConsentStatus.REFUSED)}
    assert form.answer_so_far(refused, [POINTER]) == "no"
    assert form.answer_so_far(refused, [POINTER, CLICK]) is None
    assert form.answer_so_far({}, []) is None
    assert form.answer_so_far({POINTER: state(ConsentStatus.GIVEN)}, [POINTER]) == "yes"


def test_the_digest_names_the_form_that_was_shown() -> None:
    assert form.digest([section()], language="en") != form.digest([section()], language="de")
    assert form.digest([section()], language="en") == form.digest([section()], language="en")


def test_typed_text_reads_as_it_was_typed() -> None:
    keys = [{"type": "key.down", "key_char": character} for character in "cak\bt"]
    released = [{"type": "key.up", "key_char": "x"}]
    assert plain(typed([*keys, *released])) == "cat"


def test_a_pause_until_tomorrow_ends_at_the_zones_midnight() -> None:
    # 22:30 UTC is 23:30 in Berlin in winter: half an hour is left of the day.
    evening = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)
    assert minutes_of("tomorrow", now=evening) == 30
    assert minutes_of("tomorrow", now=evening + timedelta(hours=1)) == 24 * 60 - 30
    assert minutes_of("hour", now=evening) == 60
    assert minutes_of("anything else", now=evening) is None
