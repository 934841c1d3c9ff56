"""Finds one person's entries in the public log, which names no one.

Each entry bears a nonce and HMAC-SHA-256(k, nonce)[:16] per person concerned. Whoever holds k finds
their entries; to all others the tags are unrelated. `subject_seq` inside the disclosures counts
1, 2, 3, ...: a gap means that an entry about the person bears another tag.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit.verifier.encoding import base64_bytes, base64url_bytes, base64url_text, parse_json
from audit.verifier.errors import NotVerifiedError
from audit.verifier.rules import open_disclosure

if TYPE_CHECKING:
    from audit.verifier.leaf import Leaf

LONGEST_DISCLOSURES = 256 * 1024 * 1024
_KEY_LENGTH = 32
_TAG_LENGTH = 16
_SEQUENCE = "subject_seq"


def parse_key(data: bytes) -> bytes:
    """Read a tag key: 32 raw bytes, or their base64, base64url or hexadecimal text."""
    if len(data) == _KEY_LENGTH:
        return data
    try:
        text = data.decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    for read in (_from_hex, base64_bytes, base64url_bytes):
        try:
            key = read(text, "the key")
        except NotVerifiedError:
            continue
        if len(key) == _KEY_LENGTH:
            return key
    raise NotVerifiedError("the key file does not hold a key of 32 bytes")


def _from_hex(text: str, what: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise NotVerifiedError(f"{what} is not hexadecimal") from None


def parse_disclosures(data: bytes) -> dict[bytes, str]:
    """Read a JSON list of disclosures; returns each under its digest."""
    texts = parse_json(data, "the disclosures file")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise NotVerifiedError("the disclosures file is not a list of disclosures")
    return {_digest(text): text for text in texts}


def _digest(text: str) -> bytes:
    """Return what a leaf holds of a disclosure (RFC 9901 §4.2.3)."""
    hashed = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return base64url_text(hashed).encode("ascii")


@dataclass
class Mine:
    """Collects the entries whose tag the key explains."""

    key: bytes
    disclosures: dict[bytes, str] = field(default_factory=dict)
    found: list[tuple[int, Leaf]] = field(default_factory=list)
    sequence: list[int] = field(default_factory=list)

    def visit(self, index: int, leaf: Leaf) -> None:
        """Look at one entry of a scan."""
        tagged = _bears(leaf, self.key)
        if tagged:
            self.found.append((index, leaf))
        if not self.disclosures or self.disclosures.keys().isdisjoint(leaf.digests):
            return
        for digest in leaf.digests:
            text = self.disclosures.get(digest)
            if text is not None:
                self._read(index, leaf, text, tagged=tagged)

    def _read(self, index: int, leaf: Leaf, text: str, *, tagged: bool) -> None:
        disclosure = open_disclosure(leaf, text)
        if disclosure.name != _SEQUENCE:
            return
        if not tagged:
            raise NotVerifiedError(f"entry {index} is about you and bears another tag than yours")
        value = disclosure.value
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise NotVerifiedError(f"entry {index}: its number in your sequence is not a number")
        self.sequence.append(value)

    def check(self) -> None:
        """Raise when numbers are missing from the person's sequence or stand in it twice."""
        numbers = sorted(self.sequence)
        if len(set(numbers)) != len(numbers):
            raise NotVerifiedError("two entries about you bear the same number")
        if numbers and numbers[-1] != len(numbers):
            present = set(numbers)
            missing = [number for number in range(1, numbers[-1]) if number not in present]
            shown = ", ".join(map(str, missing[:10])) + (", ..." if len(missing) > 10 else "")  # noqa: PLR2004
            raise NotVerifiedError(f"entries about you are missing: numbers {shown}")


def _bears(leaf: Leaf, key: bytes) -> bool:
    """Whether the entry's tag is one of this key's."""
    # The careful or the fast reading of the leaf has proved both to be 16 bytes in base64url.
    nonce, tag = (b64decode(text + b"==", altchars=b"-_") for text in (leaf.nonce, leaf.tag))
    return hmac.digest(key, nonce, "sha256")[:_TAG_LENGTH] == tag
