"""Guessing passwords is slow, whatever is guessed, and locks nobody out for good."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection, connections

from audit.actors import Actor
from governance.accounts import limits, services, sign_in
from governance.accounts.errors import TooManyAttemptsError
from governance.accounts.limits import STRANGERS_FAILURES, Source
from governance.accounts.models import Person, SignInAttempt

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def mira() -> Person:
    return services.create_person(
        username="mira", display_name="Mira", password="right", actor=Actor.system("seed")
    )


def attempt(
    password: str = "wrong",
    username: str = "mira",
    address: str = "192.0.2.1",
    seconds: int = 0,
    computer: str = "",
) -> Person | None:
    return sign_in.verify(
        username=username,
        password=password,
        source=Source(address, computer),
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
        attempt("right", username="MIRA", seconds=299)
    assert attempt("right", seconds=301) == mira


def test_wrong_passwords_of_others_lock_nobody_out(mira: Person) -> None:
    for number in range(STRANGERS_FAILURES):
        assert attempt(address=f"198.51.100.{number}") is None
    with pytest.raises(TooManyAttemptsError):
        attempt(address="198.51.100.200")
    with pytest.raises(TooManyAttemptsError):
        attempt("right", address="192.0.2.7")
    assert attempt("right", address="192.0.2.7", computer="her own") == mira


def test_a_known_computer_is_slowed_as_well(mira: Person) -> None:
    for _ in range(5):
        assert attempt(computer="her own") is None
    with pytest.raises(TooManyAttemptsError):
        attempt("right", computer="her own")
    assert attempt("right", computer="her other one") == mira


def test_one_network_of_ipv6_is_one_place(mira: Person) -> None:
    for number in range(5):
        assert attempt(address=f"2001:db8::{number}") is None
    with pytest.raises(TooManyAttemptsError):
        attempt("right", address="2001:db8::ffff")
    assert attempt("right", address="2001:db8:0:1::1") == mira


def test_the_table_of_tries_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.accounts.limits.MOST_ROWS", 30)
    for number in range(40):
        attempt(username=f"name{number}", address=f"198.51.100.{number}")
    assert SignInAttempt.objects.count() <= 30


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
    assert SignInAttempt.objects.count() == 3


def test_neither_name_nor_address_is_stored() -> None:
    attempt()
    for row in SignInAttempt.objects.all():
        assert len(bytes(row.bucket)) == 16
        assert b"mira" not in bytes(row.bucket)


def test_a_value_is_the_first_once_in_five_minutes() -> None:
    assert limits.is_first("a value", now=NOW)
    assert not limits.is_first("a value", now=NOW)
    assert limits.is_first("another", now=NOW)
    assert limits.is_first("a value", now=NOW + limits.WINDOW + timedelta(seconds=1))


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="The SQLite of tests is shared and waits for nobody."
)
def test_of_tries_that_come_all_at_once_one_is_the_first_at_most(real_transactions: None) -> None:
    start = Barrier(2)

    def try_it(value: str) -> bool:
        start.wait(20)
        try:
            return limits.is_first(value, now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as both:
        for number in range(20):
            assert sum(both.map(try_it, [f"value {number}"] * 2)) <= 1
