"""What a tree says about itself beyond its acts: its names, its keys, and what befell it.

The names follow one another: `log:genesis` gives the first, each `log:rotated` the next. Heads up
to a `log:rotated` were signed under the name before it; see docs/log-format.md, "New keys".
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from audit import leaf, tree
from audit.actions import Action
from audit.actors import Actor
from audit.errors import LeafError
from audit.ids import uuid7
from audit.leaf import Json
from audit.models import Entry, Leaf
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import Key, parse_vkey
from audit.verifier.note import Tree

_SEQUENCER: Final = Actor.system("sequencer")


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the log, its keys, and the index of the leaf that gave them."""

    origin: str
    vkeys: tuple[str, ...]
    since: int

    @property
    def keys(self) -> list[Key]:
        """Return the public keys. Raises LeafError."""
        try:
            return [parse_vkey(text) for text in self.vkeys]
        except NotVerifiedError as error:
            raise LeafError(f"The keys of {self.origin} cannot be read.") from error


def names() -> list[Name]:
    """Return the log's names in their order; none before the first leaf. Raises LeafError."""
    rows = Leaf.objects.filter(entry__event__in=[Action.LOG_GENESIS, Action.LOG_ROTATED])
    found = rows.order_by("index").values_list("index", "entry__leaf")
    return [_name(index, leaf.parse(bytes(body))) for index, body in found]


def after(index: int) -> Name | None:
    """Return the name that followed the one under which an entry got its place; None: present."""
    return next((name for name in names() if name.since > index), None)


def successor(size: int) -> tuple[str, tuple[str, ...]] | None:
    """Return the name and keys that a log of this size was closed for, if its last leaf says so."""
    last = Leaf.objects.filter(pk=size - 1, entry__event=Action.LOG_CLOSED)
    for body in last.values_list("entry__leaf", flat=True):
        match leaf.parse(bytes(body)):
            case {"successor": {"origin": str(origin), "vkeys": [*vkeys]}}:
                return origin, tuple(map(str, vkeys))
    return None


def recovered(*, start: int, end: int) -> Entry:
    """Write that the entries start <= index < end were put back."""
    return _write(Action.LOG_RECOVERED, {"from": start, "to": end})


def closed(*, origin: str, vkeys: Sequence[str]) -> Entry:
    """Write, last under the old name, which name and keys follow."""
    return _write(Action.LOG_CLOSED, {"successor": {"origin": origin, "vkeys": list(vkeys)}})


def rotated(*, origin: str, vkeys: Sequence[str], after: Tree) -> Entry:
    """Write, first under the new name, where the old one ended."""
    root = base64.b64encode(after.root).decode("ascii")
    predecessor: Json = {"origin": after.origin, "root": root, "size": after.size}
    own: dict[str, Json] = {"origin": origin, "vkeys": list(vkeys), "predecessor": predecessor}
    return _write(Action.LOG_ROTATED, own)


def _write(action: Action, own: dict[str, Json]) -> Entry:
    at = timezone.now()
    clear = leaf.Clear(uuid=uuid7(at), at=at, action=action, role=_SEQUENCER.role)
    common = leaf.parse(leaf.build(clear, disclosures=(), tag=leaf.no_tag()))
    body = leaf.canonical(common | own)
    return Entry.objects.create(uuid=clear.uuid, leaf=body, leaf_hash=tree.leaf_hash(body))


def _name(index: int, body: dict[str, Json]) -> Name:
    match body:
        case {"origin": str(origin), "vkeys": [*vkeys]}:
            return Name(origin, tuple(str(text) for text in vkeys), index)
        case _:
            raise LeafError(f"The leaf at {index} names no keys.")
