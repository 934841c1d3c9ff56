"""JSON from strangers: one meaning or a 400, within a blink."""

import contextlib
import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError, UnsupportedMediaType

from governance.api import parsers
from governance.api.errors import BodyTooLargeError


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000,
        b"[[[[[[[[[1]]]]]]]]]",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": 1, "\\u0061": 2}',
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"[1e999]",
        b"9007199254740992",
        b"-9007199254740992",
        b"1" * 100_000,
        b'"\\u0000"',
        b'["\x00"]',
        b'{"\\u0000": 1}',
        b'"\\ud800"',
        b'{"\\udfff": 1}',
        b'["\\udc00\\ud800"]',
        b'"\xff"',
        b"\xef\xbb\xbf{}",
        '"\u00e9"'.encode("utf-16"),
        b'"\xed\xa0\x80"',
        b"",
        b"{",
        b"{}{}",
        b"{'a': 1}",
        b"[1,]",
        b"// no\n1",
        b'{"%s": 1}' % (b"k" * (parsers.MOST_KEY + 1)),
        b'"' + b'\\"' * 100_000,
        b'"' + b"\\" * 200_001,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_two_readers_could_read_differently_is_refused_at_once(body: bytes) -> None:
    start = time.monotonic()
    with pytest.raises(ParseError):
        parsers.parse(body)
    assert time.monotonic() - start < 1


def test_a_body_beyond_the_limit_is_too_large_and_never_read_further() -> None:
    stream = io.BytesIO(b" " * (parsers.MOST_BYTES * 4))
    with pytest.raises(BodyTooLargeError):
        parsers.StrictJSONParser().parse(stream, "application/json")
    assert stream.tell() == parsers.MOST_BYTES + 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1.5,
        2**53 - 1,
        "\U0001f600 {[[[[[[[[[[",
        [[[[[[[[1]]]]]]]],
        {"a": [{"b": 'q"\\'}]},
        [],
    ],
)
def test_plain_json_is_read(value: object) -> None:
    assert parsers.parse(json.dumps(value).encode()) == value
    assert parsers.parse(json.dumps(value, ensure_ascii=False).encode()) == value


_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-parsers.MOST_NUMBER, parsers.MOST_NUMBER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
)
_keys = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=parsers.MOST_KEY
)


@given(
    st.recursive(
        _scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
        max_leaves=3,
    )
)
def test_what_passes_is_what_was_sent(value: object) -> None:
    body = json.dumps(value).encode()
    assert parsers.parse(body) == value


@given(st.binary(max_size=200))
def test_any_bytes_raise_only_our_own_error(body: bytes) -> None:
    with contextlib.suppress(ParseError):
        parsers.parse(body)


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", '"ISO-8859-1"'])
def test_another_charset_is_an_unsupported_type(charset: str) -> None:
    parser = parsers.StrictJSONParser()
    with pytest.raises(UnsupportedMediaType):
        parser.parse(io.BytesIO(b"{}"), f"application/json; charset={charset}")
    assert parser.parse(io.BytesIO(b"{}"), 'application/json; charset="UTF-8"') == {}
