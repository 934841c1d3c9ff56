"""Each requirement has its tests by name, and the page that an auditor reads says which."""

from tests import requirements


def test_the_page_of_requirements_says_what_the_tests_say() -> None:
    assert requirements.DOCUMENT.read_text() == requirements.document(), "Run `make requirements`."


def test_requirements_are_counted_without_a_gap_and_tests_name_only_those() -> None:
    numbers = [one.number for _, rows in requirements.parts() for one in rows]
    assert numbers == list(range(1, 109))
    assert set(requirements.tests()) <= set(numbers)
