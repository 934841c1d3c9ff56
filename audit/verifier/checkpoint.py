"""C2SP tlog-checkpoint: the signed head of the log, and when to believe it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.verifier.encoding import decimal, hash_bytes
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import COSIGNATURE, ED25519, ML_DSA_44, Key
from audit.verifier.merkle import EMPTY_ROOT
from audit.verifier.note import Note, Tree, Verified, parse_note, verified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit.verifier.policy import Policy


@dataclass(frozen=True)
class Trust:
    """What the reader trusts: keys by name, and perhaps a policy with a quorum of witnesses."""

    keys: tuple[Key, ...] = ()
    policy: Policy | None = None

    def log_keys(self, origin: str) -> list[Key]:
        """Keys that may sign for this origin: a log's key bears the log's name."""
        listed = list(self.keys) + (self.policy.logs if self.policy else [])
        return [key for key in listed if key.name == origin and key.type in (ED25519, ML_DSA_44)]

    def witness_keys(self, origin: str) -> list[Key]:
        """Keys of others than the log that may cosign it; its earlier names are no others."""
        listed = list(self.keys) + list(self.policy.witnesses.values() if self.policy else [])
        named = listed + (self.policy.logs if self.policy else [])
        logs = {origin, *(key.name for key in named if key.type == ED25519)}
        return [
            key for key in listed if key.name not in logs and key.type in (COSIGNATURE, ML_DSA_44)
        ]


@dataclass(frozen=True)
class Checkpoint:
    """A believed head of the log: its log signed it and the policy's quorum cosigned it."""

    tree: Tree
    signers: tuple[Verified, ...]
    witnesses: tuple[Verified, ...]
    data: bytes

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.tree.origin

    @property
    def size(self) -> int:
        """How many entries the log holds."""
        return self.tree.size

    @property
    def root(self) -> bytes:
        """The root hash over all of them."""
        return self.tree.root

    @property
    def witnessed_at(self) -> int | None:
        """The latest time a witness stated, the only clock that is not the operator's."""
        return max((witness.time for witness in self.witnesses), default=None)


def parse_tree(note: Note) -> Tree:
    """Read origin, size and root. Extension lines are refused: this log never writes them."""
    lines = note.text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:  # noqa: PLR2004 - three lines and the end.
        raise NotVerifiedError("the checkpoint is not three lines")
    size = decimal(lines[1], "the size of the log")
    root = hash_bytes(lines[2], "the root of the log")
    if size == 0 and root != EMPTY_ROOT:
        raise NotVerifiedError("the empty log has another root than RFC 6962 gives it")
    return Tree(origin=lines[0], size=size, root=root)


def accept(data: bytes, trust: Trust) -> Checkpoint:
    """Return the checkpoint if its log signed it, known signatures hold and the quorum is met.

    Raises NotVerifiedError otherwise.
    """
    note = parse_note(data)
    tree = parse_tree(note)
    signers = _verified_by(note, trust.log_keys(tree.origin), tree)
    if not signers:
        raise NotVerifiedError(f"no trusted key of {tree.origin} signed the checkpoint")
    witnesses = [
        witness
        for witness in _verified_by(note, trust.witness_keys(tree.origin), tree)
        if witness.time  # A cosignature without a time says nothing about freshness.
    ]
    if trust.policy and not trust.policy.is_satisfied([witness.key for witness in witnesses]):
        raise NotVerifiedError("fewer witnesses cosigned the checkpoint than the policy demands")
    return Checkpoint(tree=tree, signers=tuple(signers), witnesses=tuple(witnesses), data=data)


def _verified_by(note: Note, keys: Sequence[Key], tree: Tree) -> list[Verified]:
    return verified(note, keys=keys, tree=tree) if keys else []
