"""What our log promises beyond a correct tree: canonical leaves, unique ids, honest times.

No transparency tool knows these rules; they catch what a faithful tree over false entries hides.
"""

from __future__ import annotations

import hashlib
import re
from calendar import timegm
from dataclasses import dataclass, field
from functools import lru_cache
from time import strptime

from audit.verifier.encoding import (
    Json,
    base64url_bytes,
    base64url_text,
    parse_canonical,
)
from audit.verifier.errors import NotVerifiedError

# The closed registry. A name outside it was written by something that is not this service.
EVENTS = frozenset(
    (
        *("log:genesis", "log:heartbeat", "log:recovered", "log:searched", "log:opened"),
        *("consent:decided", "notice:published", "purpose:registered", "application:registered"),
        *("policy:drafted", "policy:submitted", "policy:approved", "policy:rejected"),
        *("policy:activated", "policy:suspended", "retention:scheduled"),
        *("account:created", "role:assigned", "session:started", "session:refused"),
        *("device:enrolled", "device:revoked"),
        *("capture:ingested", "capture:redacted", "capture:refused", "capture:deleted"),
        *("capture:expired", "access:requested", "access:approved", "access:rejected"),
        *("access:allowed", "access:denied", "access:closed"),
        *("release:published", "release:recalled", "rights:requested", "rights:fulfilled"),
        *("erasure:requested", "erasure:completed", "key:shredded", "key:rotated"),
        "export:built",
    )
)
# Acts that must tell nothing: whole hours, no decision, nothing else in clear.
SHY = frozenset(("consent:decided", "capture:ingested"))

_ALWAYS = frozenset(("v", "id", "t", "ev", "dec", "_sd_alg", "_sd", "tag"))
_SPOKEN = frozenset(("pur", "role", "act", "n", "pol"))
# The first leaf alone binds the log's name and keys to the tree.
_GENESIS = frozenset(("origin", "vkeys"))
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGEST_TEXT = 43  # A SHA-256 hash in base64url.
_LONGEST_LEAF = 65535
_MOST_DISCLOSURES = 1024


@dataclass(frozen=True)
class Leaf:
    """An entry as the public sees it."""

    id: bytes
    time: float
    event: str
    fields: dict[str, Json]

    @property
    def uuid(self) -> str:
        """The entry's id as people write it."""
        return str(self.fields["id"])


@dataclass(frozen=True)
class Disclosure:
    """A personal detail that was opened, with the salt that binds it to one leaf."""

    name: str
    value: Json


def seconds(text: str) -> float:
    """Read the one form a time has in the log; seconds since 1970."""
    if not _TIME.fullmatch(text):
        raise NotVerifiedError("the time of an entry is not in the log's form")
    return _hour(text[:13]) + int(text[14:16]) * 60 + int(text[17:19]) + int(text[20:23]) / 1000


@lru_cache(maxsize=1024)
def _hour(text: str) -> int:
    """Read date and hour. Neighbouring entries share it, and a scan reads millions of them."""
    try:
        return timegm(strptime(text, "%Y-%m-%dT%H"))
    except ValueError:
        raise NotVerifiedError("the time of an entry does not exist") from None


def parse_leaf(data: bytes) -> Leaf:
    """Read a leaf: canonical, only the names of the profile, a known event, digests in order."""
    if len(data) > _LONGEST_LEAF:
        raise NotVerifiedError("an entry is too long")
    fields = parse_canonical(data, "an entry")
    if not isinstance(fields, dict) or not _ALWAYS <= fields.keys() <= _names(fields):
        raise NotVerifiedError("an entry lacks a field of the log's profile or has one more")
    event, time = fields["ev"], fields["t"]
    if fields["v"] != 1 or fields["_sd_alg"] != "sha-256":
        raise NotVerifiedError("an entry is of an unknown version")
    if not isinstance(event, str) or event not in EVENTS:
        raise NotVerifiedError(f"the event {str(event)[:64]!r} is not in the log's registry")
    if fields["dec"] not in ("allow", "deny", "n/a"):
        raise NotVerifiedError("an entry states no decision of the log's profile")
    if not isinstance(time, str):
        raise NotVerifiedError("the time of an entry is not in the log's form")
    _check_digests(fields["_sd"])
    if event in SHY:
        _check_shy(fields)
    return Leaf(id=_entry_id(fields["id"]), time=seconds(time), event=event, fields=fields)


def _names(fields: dict[str, Json]) -> frozenset[str]:
    genesis = _GENESIS if fields.get("ev") == "log:genesis" else frozenset()
    return _ALWAYS | _SPOKEN | genesis


def _entry_id(text: Json) -> bytes:
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        raise NotVerifiedError("the id of an entry is not a UUID in its one form")
    return bytes.fromhex(text.replace("-", ""))


def _check_digests(digests: Json) -> None:
    # Sets and sorts of the whole list: a loop here would cost a scan a fifth of its time.
    whole = isinstance(digests, list) and set(map(type, digests)) <= {str}
    if not whole or not set(map(len, digests)) <= {_DIGEST_TEXT}:
        raise NotVerifiedError("the digests of an entry are malformed")
    if sorted(set(digests)) != digests:
        raise NotVerifiedError("the digests of an entry are not sorted or not unique")


def _check_shy(fields: dict[str, Json]) -> None:
    if fields.keys() != _ALWAYS or fields["dec"] != "n/a":
        raise NotVerifiedError(f"an entry of {fields['ev']} says more in clear than it may")
    if fields["t"][13:] != ":00:00.000Z":
        raise NotVerifiedError(f"an entry of {fields['ev']} tells its time too exactly")


def open_disclosure(leaf: Leaf, text: Json) -> Disclosure:
    """Read a disclosure and check that this leaf commits to it (RFC 9901 §4.2)."""
    if not isinstance(text, str) or not text.isascii():
        raise NotVerifiedError("a disclosure is not text in base64url")
    digest = base64url_text(hashlib.sha256(text.encode("ascii")).digest())
    if digest not in leaf.fields["_sd"]:
        raise NotVerifiedError("a disclosure does not belong to the entry")
    parts = parse_canonical(base64url_bytes(text, "a disclosure"), "a disclosure")
    if not isinstance(parts, list) or len(parts) != 3:  # noqa: PLR2004 - salt, name, value.
        raise NotVerifiedError("a disclosure is not salt, name and value")
    salt, name, value = parts
    if not isinstance(salt, str) or len(base64url_bytes(salt, "a salt")) < 16:  # noqa: PLR2004
        raise NotVerifiedError("a disclosure has a salt that could be guessed")
    if not isinstance(name, str) or not name or name in leaf.fields:
        raise NotVerifiedError("a disclosure has no name of its own")
    return Disclosure(name=name, value=value)


def open_disclosures(leaf: Leaf, texts: Json) -> dict[str, Json]:
    """Read all disclosures that come with a leaf; none twice."""
    if not isinstance(texts, list) or len(texts) > _MOST_DISCLOSURES:
        raise NotVerifiedError("the disclosures are not a list or too many")
    opened = [open_disclosure(leaf, text) for text in texts]
    named = {disclosure.name: disclosure.value for disclosure in opened}
    if len(named) != len(opened):
        raise NotVerifiedError("two disclosures have the same name")
    return named


@dataclass
class Rules:
    """Checks that need the whole log: entries in order, none twice, none back-dated.

    `no_earlier_than` and `no_later_than` come from witnesses' clocks. Entries may be sequenced late
    (a stalled sequencer catches up; consents wait on purpose), by at most `longest_delay` seconds.
    """

    origin: str
    longest_delay: float
    no_later_than: float
    no_earlier_than: float = 0.0
    latest: float = 0.0
    seen: set[bytes] = field(default_factory=set)

    def check(self, index: int, data: bytes) -> Leaf:
        """Check the next entry; the message of NotVerifiedError names its index."""
        try:
            leaf = parse_leaf(data)
        except NotVerifiedError as error:
            raise NotVerifiedError(f"entry {index}: {error}") from None
        if (index == 0) != (leaf.event == "log:genesis"):
            raise NotVerifiedError(f"entry {index}: the log's first entry and only it is genesis")
        if index == 0 and leaf.fields.get("origin") != self.origin:
            raise NotVerifiedError("entry 0: the log was begun under another name")
        if leaf.id in self.seen:
            raise NotVerifiedError(f"entry {index}: the id {leaf.uuid} stands in the log twice")
        self.seen.add(leaf.id)
        if leaf.time < max(self.latest, self.no_earlier_than) - self.longest_delay:
            raise NotVerifiedError(f"entry {index}: it is back-dated")
        if leaf.time > self.no_later_than:
            raise NotVerifiedError(f"entry {index}: its time is after the witnesses' signatures")
        self.latest = max(self.latest, leaf.time)
        return leaf
