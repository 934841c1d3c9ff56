"""Each requirement has its tests by name, and the page that an auditor reads says which."""

from tests import claims, requirements


def test_the_page_of_requirements_says_what_the_tests_say() -> None:
    assert requirements.DOCUMENT.read_text() == requirements.document(), "Run `make requirements`."


def test_requirements_are_counted_without_a_gap_and_tests_name_only_those() -> None:
    numbers = [one.number for _, rows in requirements.parts() for one in rows]
    assert numbers == list(range(1, 109))
    assert set(requirements.tests()) <= set(numbers)


def test_every_promise_is_printed_where_the_register_says_and_has_tests() -> None:
    named = requirements.tests()
    assert [one.name for one in claims.claims() if not one.is_printed] == []
    assert [one.name for one in claims.claims() if not all(one.held_by(named))] == []
    assert claims.DOCUMENT.read_text() == claims.document(), "Run `make requirements`."
