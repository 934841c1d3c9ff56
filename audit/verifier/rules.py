"""What our log promises beyond a correct tree: canonical leaves, unique ids, honest times.

No transparency tool knows these rules; they catch what a faithful tree over false entries hides.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit.verifier.encoding import Json, base64url_bytes, base64url_text, parse_canonical
from audit.verifier.errors import NotVerifiedError
from audit.verifier.leaf import Leaf, common_facts, parse_leaf
from audit.verifier.lineage import Names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit.verifier.keys import Key

CLOCK_SKEW_SECONDS = 300
_MOST_DISCLOSURES = 1024


@dataclass(frozen=True)
class Disclosure:
    """A personal detail that was opened, with the salt that binds it to one leaf."""

    name: str
    value: Json


def open_disclosure(leaf: Leaf, text: Json) -> Disclosure:
    """Read a disclosure and check that this leaf commits to it (RFC 9901 §4.2)."""
    if not isinstance(text, str) or not text.isascii():
        raise NotVerifiedError("a disclosure is not text in base64url")
    digest = base64url_text(hashlib.sha256(text.encode("ascii")).digest())
    if digest.encode("ascii") not in leaf.digests:
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
    signers: Sequence[Key] = ()
    names: Names = field(default_factory=Names)

    def check_all(self, index: int, leaves: Sequence[bytes]) -> None:
        """Check the next entries at once; what does not pass so is checked one by one."""
        facts = common_facts(leaves) if index and not self.names.closed else None
        if facts is None or not self._fit(*facts):
            for offset, data in enumerate(leaves):
                self.check(index + offset, data)

    def _fit(self, ids: list[bytes], times: list[float]) -> bool:
        """Take entries in if no order among them could break a rule; otherwise change nothing."""
        latest = max(self.latest, *times)
        fresh = set(ids)
        if (
            latest > self.no_later_than
            or min(times) < max(latest, self.no_earlier_than) - self.longest_delay
            or len(fresh) != len(ids)
            or not self.seen.isdisjoint(fresh)
        ):
            return False
        self.seen |= fresh
        self.latest = latest
        return True

    def check(self, index: int, data: bytes) -> Leaf:
        """Check the next entry; the message of NotVerifiedError names its index."""
        try:
            leaf = parse_leaf(data)
        except NotVerifiedError as error:
            raise NotVerifiedError(f"entry {index}: {error}") from None
        self.names.visit(index, leaf)
        if leaf.id in self.seen:
            raise NotVerifiedError(f"entry {index}: the id {leaf.uuid} stands in the log twice")
        self.seen.add(leaf.id)
        time = leaf.time
        self.latest = max(self.latest, time)
        if time < max(self.latest, self.no_earlier_than) - self.longest_delay:
            raise NotVerifiedError(f"entry {index}: it is back-dated")
        if time > self.no_later_than:
            raise NotVerifiedError(f"entry {index}: its time is after the witnesses' signatures")
        return leaf

    def check_end(self) -> None:
        """Check, after the last entry, that the head bears the name and keys which entries give."""
        self.names.check_end(self.origin, self.signers)
