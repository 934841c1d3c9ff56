"""The quick reader says what the strict one says, or nothing: every twist of every type of line."""

import json
from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.redaction import events, quick
from tests.governance.redaction.test_events import LABELS, SAMPLES, wire

PLAIN = [json.dumps(wire(kind, **leaves)).encode() for kind, leaves in SAMPLES.items()]
MORE = (
    b'"seq":2',
    b'"type":"mouse.move"',
    b'"app":"freight-desk"',
    b'"redacted":"NAME"',
    b'"redacted":null',
    b'"field":null',
    b'"field_role":"password"',
    b'"x":1e2',
    b'"x":NaN',
    b'"x":1e400',
    b'"t_ns":1.0',
    b'"nodes":[{"id":1,"id":2,"role":"textbox","text_class":"short"}]',
    b'"text":"\\u0022,\\u0022\\u003a"',
    b'"text":"\xff"',
    b'"":1',
)


def strictly(data: bytes) -> events.Parsed:
    with mock.patch.object(quick, "read", return_value=None):
        return events.parse_lines(data, labels=LABELS)


def twisted(line: bytes) -> Iterator[bytes]:
    """Yield the line with one more member, in front and behind, and with each byte gone."""
    for more in MORE:
        yield b"{" + more + b"," + line[1:]
        yield line[:-1] + b"," + more + b"}"
    yield from (line[:at] + line[at + 1 :] for at in range(len(line)))
    yield from (line + more for more in (b" ", b"\r", b"\x0b", b"\x00", b",", b"{}", line))
    yield from (b"\xef\xbb\xbf" + line, b"[" + line + b"]", b'"' + line, line.replace(b'"', b"'"))


@pytest.mark.parametrize("line", PLAIN, ids=list(SAMPLES))
def test_both_readers_say_the_same_of_every_twist_of_a_line(line: bytes) -> None:
    assert quick.read(line) is not None
    for twist in twisted(line):
        assert events.parse_lines(twist, labels=LABELS) == strictly(twist), twist


def test_a_line_that_says_something_twice_is_left_to_the_strict_reader() -> None:
    for line in PLAIN:
        name, _, _ = line[1:].partition(b":")
        assert quick.read(b"{" + name + b': "capture.pause", ' + line[1:]) is None
    twice = b'{"id":1,"id":2,"role":"textbox","text_class":"short"}'
    tree = b'{"seq":1,"t_ns":1,"type":"ui.tree","app":"desk","nodes":[' + twice + b"]}"
    assert quick.read(tree) is None
    assert events.parse_lines(tree).refused == {"not_json": 1}


@given(
    st.lists(st.sampled_from(PLAIN), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=6)), max_size=3),
)
def test_both_readers_say_the_same_of_damaged_batches(
    lines: list[bytes], damages: list[tuple[int, bytes]]
) -> None:
    data = b"\n".join(lines)
    for at, junk in damages:
        data = data[: at % len(data)] + junk + data[at % len(data) + len(junk) :]
    assert events.parse_lines(data, labels=LABELS) == strictly(data)
