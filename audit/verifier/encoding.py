"""Strict readings of base64, decimals and JSON: one byte form for each value, all sizes bounded."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from audit.verifier.errors import NotVerifiedError

# A value of JSON as the standard library gives it back; the one place where types are unknown.
Json = Any

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_LARGEST_COUNT = 2**63 - 1
_DEEPEST = 16
_LARGEST_INTEGER = 2**53 - 1  # RFC 8785 §3.2.2.3: beyond it, parsers disagree.


def base64_bytes(text: str, what: str) -> bytes:
    """Decode standard base64 with padding, refusing every other spelling of the same bytes."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotVerifiedError(f"{what} is not base64") from None
    if base64.b64encode(decoded).decode("ascii") != text:
        raise NotVerifiedError(f"{what} is not canonical base64")
    return decoded


def hash_bytes(text: str, what: str) -> bytes:
    """Decode the base64 of one SHA-256 hash."""
    decoded = base64_bytes(text, what)
    if len(decoded) != 32:  # noqa: PLR2004 - the length of a SHA-256 hash.
        raise NotVerifiedError(f"{what} is not a SHA-256 hash")
    return decoded


def base64url_text(data: bytes) -> str:
    """Encode as base64url without padding, as disclosures and their digests are written."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def base64url_bytes(text: str, what: str) -> bytes:
    """Decode unpadded base64url, canonical only."""
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NotVerifiedError(f"{what} is not base64url") from None
    if base64url_text(decoded) != text:
        raise NotVerifiedError(f"{what} is not canonical base64url")
    return decoded


def decimal(text: str, what: str) -> int:
    """Read an ASCII decimal without sign or leading zeros, below 2^63."""
    if not _DECIMAL.fullmatch(text) or int(text) > _LARGEST_COUNT:
        raise NotVerifiedError(f"{what} is not a plain decimal number")
    return int(text)


def _refuse_number(text: str) -> Json:
    raise NotVerifiedError(f"a number that is not a whole number: {text[:32]}")


def _integer(text: str) -> int:
    # Longer than 2^53: do not even convert, conversion is quadratic.
    if len(text) > 17 or abs(int(text)) > _LARGEST_INTEGER:  # noqa: PLR2004
        raise NotVerifiedError("a number is beyond 2^53 - 1")
    return int(text)


_DECODER = json.JSONDecoder(
    parse_float=_refuse_number, parse_constant=_refuse_number, parse_int=_integer
)
# Signed documents are not of the log's profile: JSON-LD says its own version as 1.1.
_DOCUMENT_DECODER = json.JSONDecoder(parse_constant=_refuse_number, parse_int=_integer)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical_json(value: Json) -> bytes:
    """Encode in the log's profile of RFC 8785: ASCII keys, strings, whole numbers, no floats."""
    return _ENCODER.encode(value).encode("utf-8")


def parse_json(data: bytes, what: str, *, with_fractions: bool = False) -> Json:
    """Parse JSON. Duplicate names are not seen here; see `parse_canonical`."""
    decoder = _DOCUMENT_DECODER if with_fractions else _DECODER
    try:
        return decoder.decode(data.decode("utf-8"))
    except NotVerifiedError as error:
        raise NotVerifiedError(f"{what} holds {error}") from None
    except (ValueError, RecursionError):
        raise NotVerifiedError(f"{what} is not JSON") from None


def parse_canonical(data: bytes, what: str) -> Json:
    """Parse JSON that is exactly its own canonical form.

    Encoding the parsed value again and comparing refuses, in one step, duplicate names, another
    order, white space and needless escapes.
    """
    value = parse_json(data, what)
    try:
        same = canonical_json(value) == data
    except (ValueError, RecursionError):
        same = False
    if not same or not _is_of_profile(value):
        raise NotVerifiedError(f"{what} is not in canonical form")
    return value


def _is_of_profile(value: Json, depth: int = 0) -> bool:
    """Whether it nests no deeper than the profile allows and holds no U+0000.

    Names must be ASCII: only then do code point and UTF-16 order agree (RFC 8785).
    """
    if depth > _DEEPEST:
        return False
    if isinstance(value, dict):
        return all(
            name.isascii() and _is_of_profile(inner, depth + 1) for name, inner in value.items()
        )
    if isinstance(value, list):
        return all(_is_of_profile(inner, depth + 1) for inner in value)
    return not isinstance(value, str) or "\x00" not in value
