"""Reads JSON from strangers: one small document, one meaning, or a 400.

Promises: at most MOST_BYTES are read; brackets are counted before anything recursive sees them, so
100,000 of them cost a glance; keys are unique; there is no NaN, no Infinity, no number beyond 2^53,
no U+0000 and no lone surrogate anywhere. What passes means the same to every reader (RFC 7493).
"""

import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from governance.api.errors import BodyTooLargeError

MOST_BYTES: Final = 256 * 1024
MOST_DEPTH: Final = 8
MOST_KEY: Final = 96
MOST_NUMBER: Final = 2**53 - 1
# The closing quote may be missing: a pattern that can fail would start anew at each quote inside.
_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_BRACKET: Final = re.compile(r"[\[\]{}]")


def parse(body: bytes) -> Any:  # noqa: ANN401 - JSON is any of six types.
    """Return the value of a JSON document; ParseError says in one sentence what is wrong."""
    if len(body) > MOST_BYTES:
        raise BodyTooLargeError(f"A JSON body has at most {MOST_BYTES} bytes.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ParseError("The body is not UTF-8.") from error
    _check_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_int,
        )
    except (ValueError, RecursionError) as error:
        raise ParseError("The body is not JSON.") from error
    _check_text(value)
    return value


def _check_depth(text: str) -> None:
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub('""', text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MOST_DEPTH:
            raise ParseError(f"The body nests deeper than {MOST_DEPTH} levels.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ParseError("A key stands twice in one object.")
    if any(len(key) > MOST_KEY for key in made):
        raise ParseError(f"A key is longer than {MOST_KEY} characters.")
    return made


def _refuse_constant(name: str) -> float:
    raise ParseError(f"{name} is not JSON.")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ParseError("A number is too large.")
    return number


def _int(text: str) -> int:
    # Compared as text first: int() of a million digits is slow.
    if len(text) > len(str(MOST_NUMBER)) + 1 or abs(int(text)) > MOST_NUMBER:
        raise ParseError("A number is too large.")
    return int(text)


def _check_text(value: object) -> None:
    """Refuse what some readers cannot hold; the depth is bounded already."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ParseError("A string holds U+0000.")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ParseError("A string holds half a surrogate pair.")
    elif isinstance(value, dict):
        for key, part in value.items():
            _check_text(key)
            _check_text(part)
    elif isinstance(value, list):
        for part in value:
            _check_text(part)


class StrictJSONParser(BaseParser):
    """The only parser of the API but for sealed batches."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - as parse().
        """Return the JSON value of a request; another charset than UTF-8 is 415."""
        del parser_context
        _, _, parameters = (media_type or "").partition(";")
        charset = re.search(r'charset\s*=\s*"?([^";\s]+)', parameters, re.IGNORECASE)
        if charset and charset[1].lower() not in {"utf-8", "utf8"}:
            raise UnsupportedMediaType(media_type or "")
        return parse(stream.read(MOST_BYTES + 1))
