"""C2SP tlog-proof files: one entry, its path to a signed root, and what was opened of it.

The `extra` line is base64 of the canonical JSON `{"disclosures":[...],"leaf":"..."}`. Nothing in it
is trusted: the leaf is hashed again and each disclosure must be committed to by the leaf.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.verifier.checkpoint import Checkpoint, Trust, accept
from audit.verifier.encoding import Json, base64_bytes, decimal, hash_bytes, parse_canonical
from audit.verifier.errors import NotVerifiedError
from audit.verifier.leaf import Leaf, parse_leaf
from audit.verifier.merkle import LONGEST_PATH, check_inclusion, leaf_hash
from audit.verifier.note import LONGEST_NOTE
from audit.verifier.rules import open_disclosures

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST_LINE = "c2sp.org/tlog-proof@v1"
LONGEST_PROOF = LONGEST_NOTE + 1024 * 1024


@dataclass(frozen=True)
class Proof:
    """A parsed proof file; nothing in it is believed yet."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    leaf: bytes
    disclosures: Json


@dataclass(frozen=True)
class Proved:
    """An entry that is in the signed log."""

    index: int
    leaf: Leaf
    details: dict[str, Json]
    checkpoint: Checkpoint


def parse_proof(data: bytes) -> Proof:
    """Read a proof file, refusing anything that is not exactly of its form."""
    if len(data) > LONGEST_PROOF:
        raise NotVerifiedError("the proof is too long")
    head, gap, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise NotVerifiedError("the proof is not text") from None
    if not gap or lines[0] != FIRST_LINE:
        raise NotVerifiedError("this is not a tlog-proof file")
    extra, rest = _extra(lines[1:])
    if not rest or not rest[0].startswith("index "):
        raise NotVerifiedError("the proof does not name an index")
    path = rest[1:]
    if len(path) > LONGEST_PATH:
        raise NotVerifiedError("the inclusion path is too long")
    return Proof(
        index=decimal(rest[0][len("index ") :], "the index"),
        path=tuple(hash_bytes(line, "a step of the inclusion path") for line in path),
        checkpoint=checkpoint,
        leaf=str(extra["leaf"]).encode("utf-8", "surrogatepass"),
        disclosures=extra["disclosures"],
    )


def _extra(lines: Sequence[str]) -> tuple[dict[str, Json], Sequence[str]]:
    if not lines or not lines[0].startswith("extra "):
        raise NotVerifiedError("the proof does not carry its entry")
    extra = parse_canonical(base64_bytes(lines[0][len("extra ") :], "the entry"), "the extra line")
    if not isinstance(extra, dict) or extra.keys() != {"leaf", "disclosures"}:
        raise NotVerifiedError("the proof does not carry exactly a leaf and its disclosures")
    if not isinstance(extra["leaf"], str):
        raise NotVerifiedError("the leaf in the proof is not text")
    return extra, lines[1:]


def check_proof(data: bytes, trust: Trust) -> Proved:
    """Return the proved entry, or raise NotVerifiedError with what does not hold."""
    proof = parse_proof(data)
    checkpoint = accept(proof.checkpoint, trust)
    check_inclusion(
        leaf=leaf_hash(proof.leaf),
        index=proof.index,
        size=checkpoint.size,
        path=proof.path,
        root=checkpoint.root,
    )
    leaf = parse_leaf(proof.leaf)
    details = open_disclosures(leaf, proof.disclosures)
    return Proved(index=proof.index, leaf=leaf, details=details, checkpoint=checkpoint)
