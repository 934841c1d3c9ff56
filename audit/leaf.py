"""The leaf: the public bytes of one entry, in the restricted profile of RFC 8785.

Promises: no personal data in clear, one byte form per value, and for shy acts one length and one
shape whatever was decided. What is personal stands only as the digest of a salted disclosure
(RFC 9901 §4.2), padded with decoys (§4.2.7) so that their number says nothing.
"""

import base64
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from audit.actions import Action, Verdict
from audit.errors import LeafError

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]

VERSION: Final = 1
MAX_LEAF_BYTES: Final = 65535  # The uint16 length of a tlog-tiles entry bundle.
MAX_INTEGER: Final = 2**53 - 1
MAX_DEPTH: Final = 16
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 16
TAG_BYTES: Final = 16
DIGEST_BYTES: Final = 32
# Every leaf carries a multiple of this many digests, a shy leaf always exactly SHY_DIGESTS.
DIGEST_STEP: Final = 8
SHY_DIGESTS: Final = 16

# Every name a leaf may use at its top.
NAMES: Final = frozenset(
    ("v", "id", "t", "ev", "dec", "pur", "role", "act", "n", "pol", "_sd_alg", "_sd", "tag")
)

_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """The policy version an act relied on: its key, number and content digest in hex."""

    id: str
    version: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear:
    """What stands in clear. For a shy act only `uuid`, `at` and `action` are kept."""

    uuid: UUID
    at: datetime
    action: Action
    verdict: Verdict = Verdict.NOT_APPLICABLE
    purpose: str | None = None
    role: str | None = None
    act: str | None = None
    count: int | None = None
    policy: PolicyRef | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """A nonce and its HMAC under the person's tag key; random when no person is concerned."""

    nonce: bytes
    value: bytes


def b64url(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64url_bytes(text: str) -> bytes:
    """Return what `b64url` encoded; LeafError for any other spelling."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise LeafError("Not base64url.") from error
    if b64url(data) != text:
        raise LeafError("Not canonical base64url.")
    return data


def canonical(value: Json) -> bytes:
    """Return the one byte form of a value of the profile; LeafError for anything outside it.

    Inside the profile (ASCII keys, integers within 2^53, no floats) the prebuilt encoder and
    RFC 8785 agree byte for byte; tests/formats holds both against each other.
    """
    _check(value, 0)
    try:
        return _encode(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise LeafError("A string holds a lone surrogate.") from error


def _check(value: object, depth: int) -> None:
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) and key.isascii() for key in value):
            raise LeafError("Keys are ASCII strings.")
        _check_all(value.values(), depth + 1)
    elif isinstance(value, list | tuple):
        _check_all(value, depth + 1)
    else:
        _check_scalar(value)


def _check_all(values: Iterable[object], depth: int) -> None:
    for value in values:
        if depth > MAX_DEPTH:
            raise LeafError("The value nests too deeply.")
        # Texts first and by exact type: an entry holds little else.
        if type(value) is not str or "\x00" in value:
            _check(value, depth)


def _check_scalar(value: object) -> None:
    match value:
        case None | bool():
            pass
        case int() if abs(value) <= MAX_INTEGER:
            pass
        # PostgreSQL's jsonb, which feeds the query columns, cannot hold U+0000.
        case str() if "\x00" not in value:
            pass
        case _:
            raise LeafError(f"A {type(value).__name__} is outside the profile.")


def parse(leaf: bytes) -> dict[str, Json]:
    """Return the object a leaf holds; LeafError unless its bytes are the canonical ones."""
    try:
        value = json.loads(leaf, object_pairs_hook=_no_duplicates, parse_float=_no_float)
    except (ValueError, RecursionError) as error:
        raise LeafError("The leaf is no JSON.") from error
    if not isinstance(value, dict) or canonical(value) != leaf:
        raise LeafError("The leaf is not in canonical form.")
    return value


def _no_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise LeafError("A key stands twice.")
    return value


def _no_float(text: str) -> Json:
    raise LeafError(f"{text} is outside the profile.")


def time_text(at: datetime) -> str:
    """Return fixed-width UTC with milliseconds: 2026-11-21T07:38:11.123Z."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def rounded_hour(at: datetime) -> datetime:
    """Return the start of the hour: all that a shy entry says about its time."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def disclose(values: Mapping[str, Json]) -> list[str]:
    """Return one salted disclosure a value, b64url(JSON [salt, name, value]) (RFC 9901 §4.2.1).

    The salt is mandatory: a six-digit number without one falls to a second of guessing.
    """
    salts = _randoms(len(values), SALT_BYTES)
    return [
        b64url(canonical([salt, name, value]))
        for salt, (name, value) in zip(salts, values.items(), strict=True)
    ]


def reveal(disclosure: str) -> tuple[str, Json]:
    """Return (name, value) of a disclosure that we made ourselves; LeafError otherwise."""
    try:
        parts = json.loads(b64url_bytes(disclosure))
    except ValueError as error:
        raise LeafError("The disclosure cannot be read.") from error
    match parts:
        case [str(), str(name), value]:
            return name, value
        case _:
            raise LeafError("The disclosure is not [salt, name, value].")


def digest(disclosure: str) -> str:
    """Return b64url(SHA-256(ASCII(disclosure))) (RFC 9901 §4.2.3)."""
    return b64url(sha256(disclosure.encode("ascii")).digest())


def digests(disclosures: Sequence[str], *, exactly: int | None = None) -> list[str]:
    """Return the sorted digests, filled with decoys; LeafError when `exactly` is too few."""
    wanted = exactly or max(1, -(-len(disclosures) // DIGEST_STEP)) * DIGEST_STEP
    if len(disclosures) > wanted:
        raise LeafError(f"A shy act has at most {wanted} disclosures, not {len(disclosures)}.")
    decoys = _randoms(wanted - len(disclosures), DIGEST_BYTES)
    return sorted([*map(digest, disclosures), *decoys])


def _randoms(count: int, size: int) -> list[str]:
    """Return random strings of `size` bytes each, drawn from the system at once."""
    drawn = os.urandom(count * size)
    return [b64url(drawn[at : at + size]) for at in range(0, len(drawn), size)]


def tag(mark: Callable[[bytes], bytes]) -> Tag:
    """Return a fresh tag that `mark`, a person's tag function, makes from its nonce."""
    nonce = os.urandom(NONCE_BYTES)
    return Tag(nonce, mark(nonce))


def no_tag() -> Tag:
    """Return a tag that belongs to no one and looks like any other."""
    return Tag(os.urandom(NONCE_BYTES), os.urandom(TAG_BYTES))


def build_genesis(clear: Clear, *, origin: str, vkeys: Sequence[str]) -> bytes:
    """Return the leaf at index 0: it binds the log's name and both its keys to the tree."""
    value = parse(build(clear, disclosures=(), tag=no_tag()))
    return canonical(value | {"origin": origin, "vkeys": list(vkeys)})


def build(clear: Clear, *, disclosures: Sequence[str], tag: Tag, shy: bool = False) -> bytes:
    """Return the leaf bytes. A shy leaf keeps nothing in clear but v, id, t, ev and dec="n/a"."""
    value: dict[str, Json] = {
        "v": VERSION,
        "id": str(clear.uuid),
        "t": time_text(clear.at),
        "ev": clear.action.value,
        "dec": Verdict.NOT_APPLICABLE.value if shy else clear.verdict.value,
        "_sd_alg": "sha-256",
        "_sd": digests(disclosures, exactly=SHY_DIGESTS if shy else None),
        "tag": {"x": b64url(tag.nonce), "s": [b64url(tag.value)]},
    }
    if not shy:
        value |= _spoken(clear)
    leaf = canonical(value)
    if len(leaf) > MAX_LEAF_BYTES:
        raise LeafError("The leaf is too long.")
    return leaf


def _spoken(clear: Clear) -> dict[str, Json]:
    policy = clear.policy
    optional: dict[str, Json] = {
        "pur": clear.purpose,
        "role": clear.role,
        "act": clear.act,
        "n": clear.count,
        "pol": {"id": policy.id, "ver": policy.version, "sha256": policy.sha256}
        if policy
        else None,
    }
    return {name: value for name, value in optional.items() if value is not None}
