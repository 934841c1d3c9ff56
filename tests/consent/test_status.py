"""The state machine against a second, hand-written list of what may happen (standards.md 3.1)."""

import itertools

import pytest

from consent.status import VALID, ConsentStatus, Party, answer, is_allowed

S = ConsentStatus
ALLOWED = {
    ("ConsentUnknown", "ConsentRequested", "clock"),
    ("ConsentRequested", "ConsentUnknown", "clock"),
    ("ConsentRequested", "ConsentRequestDeferred", "subject"),
    ("ConsentUnknown", "ConsentGiven", "subject"),
    ("ConsentRequested", "ConsentGiven", "subject"),
    ("ConsentRequestDeferred", "ConsentGiven", "subject"),
    ("ConsentRefused", "ConsentGiven", "subject"),
    ("ConsentWithdrawn", "ConsentGiven", "subject"),
    ("ConsentExpired", "ConsentGiven", "subject"),
    ("ConsentRevoked", "ConsentGiven", "subject"),
    ("ConsentInvalidated", "ConsentGiven", "subject"),
    ("ConsentGiven", "RenewedConsentGiven", "subject"),
    ("RenewedConsentGiven", "RenewedConsentGiven", "subject"),
    ("ConsentUnknown", "ConsentRefused", "subject"),
    ("ConsentRequested", "ConsentRefused", "subject"),
    ("ConsentRequestDeferred", "ConsentRefused", "subject"),
    ("ConsentGiven", "ConsentWithdrawn", "subject"),
    ("RenewedConsentGiven", "ConsentWithdrawn", "subject"),
    ("ConsentGiven", "ConsentExpired", "clock"),
    ("RenewedConsentGiven", "ConsentExpired", "clock"),
    ("ConsentGiven", "ConsentRevoked", "officer"),
    ("RenewedConsentGiven", "ConsentRevoked", "officer"),
    ("ConsentGiven", "ConsentRevoked", "clock"),
    ("RenewedConsentGiven", "ConsentRevoked", "clock"),
    ("ConsentGiven", "ConsentInvalidated", "officer"),
    ("RenewedConsentGiven", "ConsentInvalidated", "officer"),
}


def test_exactly_the_listed_changes_are_allowed() -> None:
    table = {
        (source.value, target.value, party.value)
        for source, target, party in itertools.product(S, S, Party)
        if is_allowed(source=source, target=target, party=party)
    }
    assert table == ALLOWED


def test_nobody_but_the_subject_ever_says_yes() -> None:
    for source, target, party in itertools.product(S, VALID, Party):
        if is_allowed(source=source, target=target, party=party):
            assert party is Party.SUBJECT


@pytest.mark.parametrize("current", list(S))
def test_a_plain_no_always_finds_its_way_and_a_plain_yes_too(current: ConsentStatus) -> None:
    for yes in (True, False):
        target = answer(current, yes=yes)
        if target is None:
            assert (current in VALID) is yes
        else:
            assert is_allowed(source=current, target=target, party=Party.SUBJECT)
