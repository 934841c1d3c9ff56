"""The names a log has borne: each entry that changes the name, and the way from one to the next.

The first entry binds the first name and its keys; each `log:rotated` binds the next and says where
the one before ended. A log that could still speak for itself says `log:closed` before, under the
old keys; a reader who trusts only those follows from there to the new ones.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit.verifier.checkpoint import Checkpoint, Trust, accept, parse_tree
from audit.verifier.encoding import Json, hash_bytes
from audit.verifier.errors import NotVerifiedError, UnreachableError
from audit.verifier.keys import ED25519, Key, parse_vkey, vkey
from audit.verifier.leaf import GENESIS, Leaf, parse_leaf
from audit.verifier.merkle import check_consistency, check_inclusion, leaf_hash
from audit.verifier.mirror import TILE_WIDTH, TileTree, read_bundle, read_checkpoint
from audit.verifier.note import LONGEST_NOTE, parse_note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit.verifier.source import Source

CLOSED = "log:closed"
ROTATED = "log:rotated"
_MOST_NAMES = 64

Successor = tuple[str, frozenset[str]]


@dataclass
class Names:
    """The names so far; `origin` is None before the first entry.

    `roots` are the heads that the entries speak of and that the tree must have had.
    """

    origin: str | None = None
    vkeys: frozenset[str] | None = None
    closed: Successor | None = None
    roots: list[tuple[int, bytes]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def visit(self, index: int, leaf: Leaf) -> None:
        """Look at one entry; raise when it breaks the line of names."""
        if self.closed and leaf.event != ROTATED:
            raise NotVerifiedError(f"entry {index}: the log was closed before it")
        if index == 0 or leaf.event == GENESIS:
            self._begin(index, leaf)
        elif leaf.event == CLOSED:
            self.closed = _binding(leaf.fields["successor"], index)
        elif leaf.event == ROTATED:
            self._go_on(index, leaf.fields)

    def check_end(self, origin: str, signers: Sequence[Key]) -> None:
        """Raise unless the last name is the head's, and its keys are those that signed it."""
        if self.origin not in (None, origin):
            how = "goes on" if self.remarks else "was begun"
            raise NotVerifiedError(f"the log {how} under another name, {self.origin}")
        if self.vkeys is not None and not {vkey(key) for key in signers} <= self.vkeys:
            raise NotVerifiedError("the log binds other keys than those that signed its head")

    def _begin(self, index: int, leaf: Leaf) -> None:
        if index or leaf.event != GENESIS:
            raise NotVerifiedError(f"entry {index}: the log's first entry and only it is genesis")
        self.origin, self.vkeys = _binding(leaf.fields, 0)

    def _go_on(self, index: int, fields: dict[str, Json]) -> None:
        origin, vkeys = _binding(fields, index)
        old = fields["predecessor"]
        if not isinstance(old, dict) or old.keys() != {"origin", "root", "size"}:
            raise NotVerifiedError(f"entry {index}: it does not say where the earlier name ended")
        if old["origin"] != self.origin or origin == self.origin:
            raise NotVerifiedError(f"entry {index}: it follows another name than the log had")
        root = hash_bytes(str(old["root"]), f"the root in entry {index}")
        if self.closed is None:
            self.remarks.append(
                f"Entry {index}: {self.origin} ended without its keys' word; nothing but what is "
                f"on paper vouches for {origin}."
            )
        elif self.closed != (origin, vkeys) or old["size"] != index:
            raise NotVerifiedError(f"entry {index}: it is not what the log was closed for")
        else:
            self.roots.append((index, root))
            self.remarks.append(f"Entry {index}: {self.origin} was closed and went on as {origin}.")
        self.origin, self.vkeys, self.closed = origin, vkeys, None


def _binding(value: Json, index: int) -> Successor:
    """Return the name and the keys that an entry binds to the tree."""
    origin = value.get("origin") if isinstance(value, dict) else None
    bound = value.get("vkeys") if isinstance(value, dict) else None
    keys = bound if isinstance(bound, list) else []
    if not isinstance(origin, str) or not keys or not all(isinstance(text, str) for text in keys):
        raise NotVerifiedError(f"entry {index}: it does not bind the log's name and keys")
    return origin, frozenset(keys)


@dataclass(frozen=True)
class Present:
    """The newest head, the trust that accepts it, and how that trust was come by."""

    checkpoint: Checkpoint
    trust: Trust
    remarks: tuple[str, ...] = ()


def present(source: Source, trust: Trust) -> Present:
    """Return the newest head, of a trusted name or of one to which a trusted name leads.

    Raises NotVerifiedError.
    """
    data = read_checkpoint(source)
    origin = parse_tree(parse_note(data)).origin
    ends: list[Checkpoint] = []
    while not trust.log_keys(origin) and len(ends) < _MOST_NAMES:
        end = _end(source, trust, [one.origin for one in ends])
        if end is None:
            break
        trust = _followed(source, end, trust)
        ends.append(end)
    checkpoint = accept(data, trust)
    for end in ends:
        check_beginning(source, end, checkpoint)
    remarks = [f"{end.origin} was closed at {end.size} entries." for end in ends]
    if ends:
        keys = trust.log_keys(origin)
        remarks += [f"It goes on as {origin}; its keys, by the old ones' word:"]
        remarks += [f"  {vkey(key)}" for key in keys]
    return Present(checkpoint, trust, tuple(remarks))


def _end(source: Source, trust: Trust, known: Sequence[str]) -> Checkpoint | None:
    """Return the last head of a trusted name that has ended, if there is one more."""
    listed = [*(trust.policy.logs if trust.policy else ()), *trust.keys]
    names = dict.fromkeys(key.name for key in listed if key.type == ED25519)
    for name in reversed([name for name in names if name not in known]):
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
        try:
            data = source.read(f"ended/{digest}", LONGEST_NOTE)
        except UnreachableError:
            continue
        end = accept(data, trust)
        if end.origin == name and end.size:
            return end
    return None


def _followed(source: Source, end: Checkpoint, trust: Trust) -> Trust:
    """Return the trust with the keys that the last entry under a trusted name hands over to."""
    index = end.size - 1
    data = read_bundle(source, index // TILE_WIDTH, end.size)[index % TILE_WIDTH]
    tree, path, start = TileTree(source, end.size), [], 0
    while end.size - start > 1:
        middle = start + (1 << (end.size - start - 1).bit_length() - 1)
        path.append(tree.node(start, middle))
        start = middle
    check_inclusion(
        leaf=leaf_hash(data), index=index, size=end.size, path=path[::-1], root=end.root
    )
    leaf = parse_leaf(data)
    if leaf.event != CLOSED:
        raise NotVerifiedError(f"{end.origin} ended without saying how it goes on")
    origin, vkeys = _binding(leaf.fields["successor"], index)
    keys = [parse_vkey(text) for text in sorted(vkeys)]
    if any(key.name != origin for key in keys):
        raise NotVerifiedError(f"{end.origin} was closed for keys of another name")
    return Trust(keys=(*trust.keys, *keys), policy=trust.policy)


def check_beginning(source: Source, old: Checkpoint, new: Checkpoint) -> None:
    """Raise unless the log begins with what was signed under the earlier name."""
    if old.size > new.size:
        raise NotVerifiedError(f"the log shrank from {old.size} to {new.size} entries")
    path = TileTree(source, new.size).consistency_path(old.size)
    check_consistency(
        old_size=old.size, old_root=old.root, new_size=new.size, new_root=new.root, path=path
    )
