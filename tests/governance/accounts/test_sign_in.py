"""Guessing passwords is slow, whatever is guessed, and locks nobody out for good."""

from datetime import UTC, datetime, timedelta

import pytest

from audit.actors import Actor
from governance.accounts import services, sign_in
from governance.accounts.errors import TooManyAttemptsError
from governance.accounts.models import Person, SignInAttempt

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def mira() -> Person:
    return services.create_person(
        username="mira", display_name="Mira", password="right", actor=Actor.system("seed")
    )


def attempt(
    password: str = "wrong", username: str = "mira", address: str = "192.0.2.1", seconds: int = 0
) -> Person | None:
    return sign_in.verify(
        username=username,
        password=password,
        address=address,
        now=NOW + timedelta(seconds=seconds),
    )


def test_the_right_word_opens_and_the_wrong_one_does_not(mira: Person) -> None:
    assert attempt() is None
    assert attempt(username="nobody") is None
    assert attempt("right") == mira
    Person.objects.update(is_active=False)
    assert attempt("right") is None


def test_the_sixth_failure_within_five_minutes_waits_even_with_the_right_word(
    mira: Person,
) -> None:
    for second in range(5):
        assert attempt(seconds=second) is None
    with pytest.raises(TooManyAttemptsError) as refused:
        attempt("right", seconds=10)
    assert refused.value.retry_after == 291
    with pytest.raises(TooManyAttemptsError):
        attempt("right", username="MIRA", address="192.0.2.9", seconds=299)
    assert attempt("right", seconds=301) == mira


def test_success_clears_the_account(mira: Person) -> None:
    for _ in range(3):
        for _ in range(4):
            attempt()
        assert attempt("right") == mira


def test_an_unknown_name_is_slowed_like_a_known_one() -> None:
    for _ in range(5):
        attempt(username="nobody")
    with pytest.raises(TooManyAttemptsError):
        attempt(username="nobody")


def test_an_address_gets_fifty_failures_over_all_names() -> None:
    for index in range(50):
        attempt(username=f"name{index}")
    with pytest.raises(TooManyAttemptsError):
        attempt("right")
    assert attempt("right", address="192.0.2.2") is not None


def test_refused_tries_do_not_prolong_the_wait_and_old_ones_are_forgotten() -> None:
    for _ in range(5):
        attempt()
    for second in range(1, 299, 30):
        with pytest.raises(TooManyAttemptsError):
            attempt(seconds=second)
    assert attempt(seconds=301) is None
    assert SignInAttempt.objects.count() == 2


def test_neither_name_nor_address_is_stored() -> None:
    attempt()
    for row in SignInAttempt.objects.all():
        assert len(bytes(row.bucket)) == 16
        assert b"mira" not in bytes(row.bucket)
