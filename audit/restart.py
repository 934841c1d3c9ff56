"""What a sequencer makes sure of before it goes on: that database, files and signer are one log.

Promises: nothing is signed again after a database, a signer's memory or a directory of keys came
back older or other than what was signed (ForkError); what a crash left undone in the files is
done, from the leaves, and what is published is not read again but for the tree's right edge.
"""

from typing import Final

from django.db.models import Max

from audit import heads, lineage, tree
from audit.checkpoint import Head, LogKeys
from audit.errors import ForkError, TileError
from audit.frontier import Frontier
from audit.models import Leaf, TreeState
from audit.tiles import WIDTH

_CHUNK: Final = 4096


def recover(frontier: Frontier, *, keys: LogKeys, signed: Head) -> TreeState:
    """Bring the tiles and their edge up to what the database says; return its state of the tree.

    `signed` is what the signer remembers. Raises ForkError.
    """
    state = _state(keys.origin)
    size = _placed()
    if state.size != size:
        raise ForkError(f"the tree says {state.size}, its leaves say {size}")
    if size < signed.size:
        raise ForkError(f"the database ends at {size}, {signed.size} were signed")
    if signed.size < state.published_size:
        raise ForkError(
            f"{state.published_size} were published, the signer remembers {signed.size}"
        )
    _require_own_name(keys)
    _require_newest(keys, size)
    _restore(frontier, size, published=state.published_size)
    # Read through the newest tiles: an older part of a tile may still hold the signed past.
    if tree.root(frontier.tiles.node(size), signed.size) != signed.root:
        raise ForkError(f"the tree of {signed.size} is not the one that was signed")
    return state


def _state(origin: str) -> TreeState:
    """Return the log's one row, made when there is none. Raises ForkError for another name's."""
    if other := TreeState.objects.exclude(pk=origin).first():
        raise ForkError(f"the database holds {other.origin}, the keys are those of {origin}")
    return TreeState.objects.get_or_create(origin=origin)[0]


def _placed() -> int:
    highest = Leaf.objects.aggregate(last=Max("index"))["last"]
    return 0 if highest is None else int(highest) + 1


def _require_own_name(keys: LogKeys) -> None:
    """Keys that were lost and made anew must not go on with another log's tree."""
    own = keys.origin, tuple(keys.vkeys)
    if any((name.origin, name.vkeys) != own for name in lineage.names()[-1:]):
        raise ForkError("the leaves name other keys than those in the directory of keys")


def _require_newest(keys: LogKeys, size: int) -> None:
    """Sign nothing while others hold a larger head: all of our memory may be restored."""
    for seen in heads.elsewhere(keys.public):
        if seen.head.size > size:
            raise ForkError(
                f"the database ends at {size}, {seen.where} has seen the larger {seen.head.size}"
            )


def _restore(frontier: Frontier, size: int, *, published: int) -> None:
    """Lay what the files lack; what is published stands in them already."""
    try:
        if published:
            index, offset = divmod(published - 1, WIDTH)
            frontier.tiles.leaves(index, offset + 1)
        _lay(frontier, published - published % WIDTH, size)
        tree.root(frontier.tiles.node(size), size)
    except TileError:
        # The directory was lost or cut: lay it anew, it is a function of the leaves.
        _lay(frontier, 0, size)


def _lay(frontier: Frontier, start: int, size: int) -> None:
    frontier.load(start)
    while frontier.size < size:
        rows = Leaf.objects.filter(index__gte=frontier.size, index__lt=frontier.size + _CHUNK)
        both = list(rows.order_by("index").values_list("entry__leaf", "leaf_hash"))
        frontier.append([bytes(one) for one, _ in both], [bytes(one) for _, one in both])
    frontier.lay_parts()
