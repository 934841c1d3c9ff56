"""The leaf profile: one byte form, the same as RFC 8785's, and nothing outside it."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit import leaf
from audit.actions import Action
from audit.errors import LeafError
from audit.ids import uuid7

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
KEYS = st.text(st.characters(max_codepoint=127, exclude_characters="\x00"))
SCALARS = st.none() | st.booleans() | TEXT | st.integers(-leaf.MAX_INTEGER, leaf.MAX_INTEGER)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20
)
OBJECTS = st.dictionaries(KEYS, VALUES)


@given(OBJECTS)
def test_the_bytes_are_those_of_rfc_8785_and_read_back(value: dict[str, Any]) -> None:
    data = leaf.canonical(value)
    assert data == rfc8785.dumps(value)
    assert leaf.parse(data) == value


@given(OBJECTS)
def test_any_other_spelling_is_refused(value: dict[str, Any]) -> None:
    data = leaf.canonical(value)
    spellings = {
        json.dumps(value).encode(),
        json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode(),
        data + b" ",
        b" " + data,
        data.replace(b"{", b'{"a":1,"a":1,', 1) if value else b"",
    }
    for spelling in spellings - {data}:
        with pytest.raises(LeafError):
            leaf.parse(spelling)


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), 2**53, -(2**53), "\ud800", "\x00", {"ä": 1}, {1: 1}, b"x", {1}, object()],
)
def test_what_the_profile_does_not_know_is_refused(value: Any) -> None:
    for shape in (value, [value], {"a": {"b": value}}):
        with pytest.raises(LeafError):
            leaf.canonical(shape)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"[]", b"1", b'{"a":1.0}', b'{"a":NaN}', b'{"a":1,"a":2}', b"\xff"),
        *(b'{"a":"\\ud800"}', b"[" * 100_000),
    ],
)
def test_bytes_that_are_no_leaf_are_refused(data: bytes) -> None:
    with pytest.raises(LeafError):
        leaf.parse(data)


@given(TEXT, VALUES)
def test_a_disclosure_reveals_its_value_and_is_salted_anew(name: str, value: Any) -> None:
    (first,), (second,) = leaf.disclose({name: value}), leaf.disclose({name: value})
    assert first != second
    assert leaf.reveal(first) == leaf.reveal(second) == (name, value)
    assert leaf.digest(first) != leaf.digest(second)


def test_the_example_of_rfc_9901_has_its_digest() -> None:
    # RFC 9901 §4.2.3, the disclosure of "family_name".
    disclosure = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert leaf.digest(disclosure) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    assert leaf.reveal(disclosure) == ("family_name", "Möbius")


@given(st.integers(0, 40))
def test_digests_are_sorted_unique_and_never_tell_their_number(count: int) -> None:
    made = leaf.disclose({f"n{number}": number for number in range(count)})
    found = leaf.digests(made)
    assert len(found) % leaf.DIGEST_STEP == 0
    assert found == sorted(set(found))
    assert {leaf.digest(each) for each in made} <= set(found)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(-12, 12))  # noqa: DTZ001
def test_times_are_utc_of_fixed_width(at: datetime, hours: int) -> None:
    local = at.replace(tzinfo=timezone(timedelta(hours=hours)))
    text = leaf.time_text(local)
    assert len(text) == len("2026-11-21T07:38:11.123Z")
    assert timedelta(0) <= local - datetime.fromisoformat(text) < timedelta(milliseconds=1)
    assert leaf.time_text(leaf.rounded_hour(local))[13:] == ":00:00.000Z"


def test_a_leaf_longer_than_a_bundle_can_hold_is_refused() -> None:
    now = datetime.now(UTC)
    clear = leaf.Clear(uuid=uuid7(now), at=now, action=Action.ACCESS_DENIED, purpose="x" * 65535)
    with pytest.raises(LeafError):
        leaf.build(clear, disclosures=(), tag=leaf.no_tag())
