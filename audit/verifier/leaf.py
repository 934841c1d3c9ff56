"""Reads leaves strictly: one byte form, only the names of the profile, each of its own type.

Two readings give one verdict. A pattern over the bytes proves that a common leaf is canonical: it
fixes the order of the names and admits no character that could be escaped or written otherwise.
Whatever it does not match, the careful reading decides. A scan of millions lives on the pattern.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from calendar import timegm
from functools import lru_cache
from itertools import islice
from operator import lt
from time import strptime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from audit.verifier.encoding import Json, parse_canonical
from audit.verifier.errors import NotVerifiedError

if TYPE_CHECKING:
    from collections.abc import Sequence

# The closed registry. A name outside it was written by something that is not this service.
EVENTS = frozenset(
    (
        *("log:genesis", "log:heartbeat", "log:recovered", "log:searched", "log:opened"),
        *("log:closed", "log:rotated"),
        *("consent:decided", "notice:published", "purpose:registered", "application:registered"),
        *("policy:drafted", "policy:submitted", "policy:approved", "policy:rejected"),
        *("policy:activated", "policy:suspended", "retention:scheduled"),
        *("account:created", "role:assigned", "session:started", "session:refused"),
        *("account:changed", "account:ended", "session:confirmed", "session:ended"),
        *("credential:added", "credential:removed"),
        *("device:enrolled", "device:revoked"),
        *("capture:ingested", "capture:redacted", "capture:refused", "capture:deleted"),
        *("capture:expired", "access:requested", "access:approved", "access:rejected"),
        *("access:allowed", "access:denied", "access:closed"),
        *("release:published", "release:recalled", "rights:requested", "rights:fulfilled"),
        *("erasure:requested", "erasure:completed", "key:shredded", "key:rotated"),
        "export:built",
        "campaign:sent",
        "campaign:ended",
        "asking:limited",
        "pressure:reported",
        "pressure:settled",
        "participation:published",
        *("policy:resumed", "stop:ordered", "stop:lifted", "place:recorded"),
        *("monitoring:published", "monitoring:posted", "monitoring:acknowledged"),
        *("basis:recorded", "assessment:drafted", "assessment:submitted", "assessment:decided"),
        *("assessment:review_due", "consultation:recorded", "agreement:recorded"),
        *("agreement:confirmed", "agreement:ended", "private:told"),
        *("ending:proposed", "ending:decided"),
    )
)
GENESIS = "log:genesis"
# Acts that must tell nothing: whole hours, no decision, nothing else in clear.
SHY = frozenset(("consent:decided", "capture:ingested", "private:told"))

LONGEST_LEAF = 65535
# Decoys fill the digests to a multiple of this; a shy act always has as many as it ever can.
_DIGEST_STEP = 8
_SHY_DIGESTS = 16
_ALWAYS = frozenset(("v", "id", "t", "ev", "dec", "_sd_alg", "_sd", "tag"))
_SPOKEN = frozenset(("pur", "role", "act", "n", "pol"))
# What the log says about itself, in names of its own, all of them required.
OWN = {
    GENESIS: frozenset(("origin", "vkeys")),
    "log:recovered": frozenset(("from", "to")),
    "log:closed": frozenset(("successor",)),
    "log:rotated": frozenset(("origin", "vkeys", "predecessor")),
}
_NO_NAMES: frozenset[str] = frozenset()
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# 32 and 16 bytes in base64url: what the last character may be follows from the length.
_DIGEST = r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
_SIXTEEN = r"[A-Za-z0-9_-]{21}[AQgw]"
_IS_DIGEST = re.compile(_DIGEST).fullmatch
_IS_SIXTEEN = re.compile(_SIXTEEN).fullmatch
# Strings and numbers of which no other spelling exists.
_PLAIN = r"[ !#-\[\]-~]*"
_NUMBER = r"(?:0|-?[1-9][0-9]{0,14})"
_common = re.compile(
    (
        rf'\{{"_sd":\["({_DIGEST}(?:","{_DIGEST})*)"\],"_sd_alg":"sha-256",'
        rf'(?P<act>"act":"{_PLAIN}",)?"dec":"(allow|deny|n/a)","ev":"([a-z]+:[a-z]+)",'
        r'"id":"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",'
        rf'(?P<n>"n":{_NUMBER},)?'
        rf'(?P<pol>"pol":\{{"id":"{_PLAIN}","sha256":"{_PLAIN}","ver":{_NUMBER}\}},)?'
        rf'(?P<pur>"pur":"{_PLAIN}",)?(?P<role>"role":"{_PLAIN}",)?'
        r'"t":"(\d{4}-\d\d-\d\dT\d\d:[0-5]\d):([0-5]\d\.\d{3})Z",'
        rf'"tag":\{{"s":\["({_SIXTEEN})"\],"x":"({_SIXTEEN})"\}},"v":1\}}'
    ).encode("ascii")
).fullmatch
_SHY = frozenset(event.encode("ascii") for event in SHY)
_ORDINARY = frozenset(event.encode("ascii") for event in EVENTS - SHY - OWN.keys())
_SPOKEN_GROUPS = ("act", "n", "pol", "pur", "role")


class Leaf(NamedTuple):
    """An entry as the public sees it."""

    id: bytes
    time: float
    event: str
    digests: list[bytes]
    tag: bytes
    nonce: bytes
    data: bytes

    @property
    def fields(self) -> dict[str, Json]:
        """All that the entry says, parsed anew: most entries of a scan are never asked."""
        fields: dict[str, Json] = parse_canonical(self.data, "an entry")
        return fields

    @property
    def uuid(self) -> str:
        """The entry's id as people write it."""
        return str(UUID(bytes=self.id))


def parse_leaf(data: bytes) -> Leaf:
    """Read a leaf: canonical, only the names of the profile, a known event, digests in order."""
    return _read_common(data) or read_carefully(data)


def _read_common(data: bytes) -> Leaf | None:
    """Return the leaf if the pattern proves it right; None leaves it to the careful reading."""
    match = _common(data)
    facts = _facts(match) if match and len(data) <= LONGEST_LEAF else None
    if match is None or facts is None:
        return None
    name, tag, nonce = match.group(4, 12, 13)
    return Leaf(*facts[:2], name.decode("ascii"), facts[2], tag, nonce, data)


def common_facts(leaves: Sequence[bytes]) -> tuple[list[bytes], list[float]] | None:
    """Return ids and times of leaves that the pattern proves right; None if any is beyond it.

    A scan needs no more of most entries, and makes no object of each.
    """
    ids, times = [], []
    for leaf in leaves:
        match = _common(leaf)
        facts = _facts(match) if match else None
        if facts is None:
            return None
        ids.append(facts[0])
        times.append(facts[1])
    return None if max(map(len, leaves)) > LONGEST_LEAF else (ids, times)


def _facts(match: re.Match[bytes]) -> tuple[bytes, float, list[bytes]] | None:
    """Return id, time and digests of what the pattern matched, if all the rest holds too."""
    listed, name, uuid, minute, second = match.group(1, 4, 5, 10, 11)
    digests = listed.split(b'","')
    if name in _ORDINARY:
        whole = len(digests) % _DIGEST_STEP == 0
    else:
        whole = name in _SHY and len(digests) == _SHY_DIGESTS and _tells_nothing(match)
    if not whole or not all(map(lt, digests, islice(digests, 1, None))):
        return None
    return unhexlify(uuid.replace(b"-", b"")), _minute(minute) + float(second), digests


def _tells_nothing(match: re.Match[bytes]) -> bool:
    verdict, minute, second = match.group(3, 10, 11)
    whole_hour = minute[14:] == b"00" and second == b"00.000"
    return whole_hour and verdict == b"n/a" and not any(match.group(*_SPOKEN_GROUPS))


@lru_cache(maxsize=4096)
def _minute(text: bytes) -> int:
    """Read date, hour and minute. Neighbouring entries share it; a scan reads millions of them."""
    try:
        return timegm(strptime(text.decode("ascii"), "%Y-%m-%dT%H:%M"))
    except ValueError:
        raise NotVerifiedError("the time of an entry does not exist") from None


def read_carefully(data: bytes) -> Leaf:
    """Read a leaf of any content, without the pattern."""
    if len(data) > LONGEST_LEAF:
        raise NotVerifiedError("an entry is too long")
    fields = parse_canonical(data, "an entry")
    needed = _ALWAYS | _own_names(fields)
    if not isinstance(fields, dict) or not needed <= fields.keys() <= needed | _SPOKEN:
        raise NotVerifiedError("an entry lacks a field of the log's profile or has one more")
    event, time = fields["ev"], fields["t"]
    if fields["v"] is True or fields["v"] != 1 or fields["_sd_alg"] != "sha-256":
        raise NotVerifiedError("an entry is of an unknown version")
    if not isinstance(event, str) or event not in EVENTS:
        raise NotVerifiedError(f"the event {str(event)[:64]!r} is not in the log's registry")
    if fields["dec"] not in ("allow", "deny", "n/a"):
        raise NotVerifiedError("an entry states no decision of the log's profile")
    if not isinstance(time, str) or not _TIME.fullmatch(time):
        raise NotVerifiedError("the time of an entry is not in the log's form")
    _check_spoken(fields)
    if event in SHY:
        _check_shy(fields)
    _check_digests(fields["_sd"], event)
    tag, nonce = _tag(fields["tag"])
    return Leaf(
        id=_entry_id(fields["id"]),
        time=_minute(time[:16].encode("ascii")) + float(time[17:23]),
        event=event,
        digests=[digest.encode("ascii") for digest in fields["_sd"]],
        tag=tag,
        nonce=nonce,
        data=data,
    )


def _own_names(fields: Json) -> frozenset[str]:
    event = fields.get("ev") if isinstance(fields, dict) else None
    return OWN.get(event, _NO_NAMES) if isinstance(event, str) else _NO_NAMES


def _entry_id(text: Json) -> bytes:
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        raise NotVerifiedError("the id of an entry is not a UUID in its one form")
    return bytes.fromhex(text.replace("-", ""))


def _check_spoken(fields: dict[str, Json]) -> None:
    """Raise unless what may be absent has, where it is present, the type of the profile."""
    policy = fields.get("pol", {"id": "", "sha256": "", "ver": 0})
    whole = isinstance(policy, dict) and policy.keys() == {"id", "sha256", "ver"}
    if not whole or not isinstance(policy["id"], str) or not isinstance(policy["sha256"], str):
        raise NotVerifiedError("an entry names its policy in another form than the log's profile")
    # Booleans are integers to Python, not to the profile.
    if type(policy["ver"]) is not int or type(fields.get("n", 0)) is not int:
        raise NotVerifiedError("an entry has something else where a number belongs")
    if not all(isinstance(fields.get(name, ""), str) for name in ("act", "pur", "role")):
        raise NotVerifiedError("an entry has something else where text belongs")


def _check_digests(digests: Json, event: str) -> None:
    whole = isinstance(digests, list) and all(isinstance(one, str) for one in digests)
    if not whole or not all(map(_IS_DIGEST, digests)):
        raise NotVerifiedError("the digests of an entry are malformed")
    if sorted(set(digests)) != digests:
        raise NotVerifiedError("the digests of an entry are not sorted or not unique")
    count = len(digests)
    if count != _SHY_DIGESTS if event in SHY else not count or count % _DIGEST_STEP:
        raise NotVerifiedError("the number of an entry's digests tells something")


def _check_shy(fields: dict[str, Json]) -> None:
    if fields.keys() != _ALWAYS or fields["dec"] != "n/a":
        raise NotVerifiedError(f"an entry of {fields['ev']} says more in clear than it may")
    if fields["t"][13:] != ":00:00.000Z":
        raise NotVerifiedError(f"an entry of {fields['ev']} tells its time too exactly")


def _tag(tag: Json) -> tuple[bytes, bytes]:
    """Return the tag and its nonce as they are written."""
    whole = isinstance(tag, dict) and tag.keys() == {"s", "x"} and isinstance(tag["s"], list)
    texts = [*tag["s"], tag["x"]] if whole else []
    if len(texts) != 2 or not all(isinstance(text, str) and _IS_SIXTEEN(text) for text in texts):  # noqa: PLR2004
        raise NotVerifiedError("the tag of an entry is malformed")
    return texts[0].encode("ascii"), texts[1].encode("ascii")
