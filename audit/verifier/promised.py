"""Checks the `Audit-Entry` headers that a client kept: what was promised must be in the log.

An entry that the service acknowledged and never sequenced is in no tile and in no gap of the tree;
only who kept the header can show that it is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit.verifier.encoding import hash_bytes
from audit.verifier.errors import NotVerifiedError
from audit.verifier.merkle import leaf_hash

if TYPE_CHECKING:
    from audit.verifier.leaf import Leaf

LONGEST_HEADERS = 4 * 1024 * 1024
_HEADER = re.compile(
    r"(?:audit-entry:[ \t]*)?"
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12});[ \t]*leaf=([A-Za-z0-9+/]{43}=)[ \t]*",
    re.IGNORECASE | re.ASCII,
)


@dataclass
class Promised:
    """The leaf hashes that the log owes, each under its entry's id."""

    owed: dict[bytes, str]
    found: list[tuple[int, Leaf]] = field(default_factory=list)

    def visit(self, index: int, leaf: Leaf) -> None:
        """Look at one entry of a scan."""
        if leaf.id not in self._ids:
            return
        hashed = leaf_hash(leaf.data)
        if hashed not in self.owed:
            raise NotVerifiedError(f"entry {index}: {leaf.uuid} is not the entry that was promised")
        self.found.append((index, leaf))

    def __post_init__(self) -> None:
        self._ids = {bytes.fromhex(uuid.replace("-", "")) for uuid in self.owed.values()}

    def check(self, size: int) -> None:
        """Raise unless all that was promised has been seen."""
        present = {leaf.uuid for _, leaf in self.found}
        missing = sorted(set(self.owed.values()) - present)
        if missing:
            shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")  # noqa: PLR2004
            raise NotVerifiedError(
                f"{len(missing)} of {len(self.owed)} promised entries are withheld: none of the "
                f"{size} entries is {shown}"
            )


def parse_headers(data: bytes) -> Promised | None:
    """Read kept headers, one a line; None when the file holds something else."""
    lines = [line for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines or not _HEADER.fullmatch(lines[0].strip()):
        return None
    owed: dict[bytes, str] = {}
    for number, line in enumerate(lines, 1):
        match = _HEADER.fullmatch(line.strip())
        if match is None:
            raise NotVerifiedError(f"line {number} of the receipts is not an Audit-Entry header")
        owed[hash_bytes(match[2], "a promised leaf hash")] = match[1].lower()
    return Promised(owed=owed)
