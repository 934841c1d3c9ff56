"""A text field as its editing made it: every character ever typed, and where it came from.

Deleted characters stay as tombstones, so that a name typed and taken back is still known to the
keys that typed it. `views` keeps what the field said at each high-water mark, just before something
was taken away: what stood there then can be found although it never stood in the final text.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

# Beyond this, aligning two texts character by character costs more than it tells.
_MOST_ALIGNMENT: Final = 200_000


@dataclass(slots=True, eq=False)
class Node:
    """One character, the event it came from and its offset in that event's text."""

    character: str
    source: int
    offset: int
    live: bool = True
    flag: str | None = None


@dataclass(slots=True, eq=False)
class Field:
    """The editing state of one text field."""

    key: tuple[str, str]
    role: str = ""
    label: str = ""
    nodes: list[Node] = field(default_factory=list)
    caret: int = 0
    selection: tuple[int, int] | None = None
    views: list[list[Node]] = field(default_factory=list)
    is_dirty: bool = False
    is_uncertain: bool = False

    def live(self) -> list[Node]:
        return [node for node in self.nodes if node.live]

    def store_view(self) -> None:
        """Keep what the field says now, if it changed since the last time."""
        if self.is_dirty:
            self.views.append(self.live())
            self.is_dirty = False

    def index_of(self, position: int) -> int:
        """Return the index in `nodes` just after the given number of live characters."""
        if position <= 0:
            return 0
        seen = 0
        for index, node in enumerate(self.nodes):
            seen += node.live
            if seen == position:
                return index + 1
        return len(self.nodes)

    def insert(self, text: str, source: int) -> list[Node]:
        """Insert at the caret, over the selection if there is one; return the new nodes."""
        self._replace_selection()
        fresh = [Node(character, source, offset) for offset, character in enumerate(text)]
        self.nodes[self.caret : self.caret] = fresh
        self.caret += len(fresh)
        self.is_dirty = True
        return fresh

    def erase_back(self, *, word: bool = False) -> None:
        """Backspace: the character (or word) before the caret becomes a tombstone."""
        self.store_view()
        if self._replace_selection():
            return
        index = self._live_before(self.caret)
        if not word:
            if index > 0:
                self.nodes[index - 1].live = False
            return
        while index > 0 and self.nodes[index - 1].character == " ":
            self.nodes[index - 1].live = False
            index = self._live_before(index - 1)
        while index > 0 and self.nodes[index - 1].character not in " \n":
            self.nodes[index - 1].live = False
            index = self._live_before(index - 1)

    def erase_ahead(self) -> None:
        """Delete: the character after the caret becomes a tombstone."""
        self.store_view()
        if self._replace_selection():
            return
        index = self._live_after(self.caret)
        if index < len(self.nodes):
            self.nodes[index].live = False

    def cut(self) -> None:
        if self.selection:
            self.store_view()
            self._replace_selection()

    def move(self, step: int) -> None:
        """Move the caret over one live character to the left (-1) or right (1)."""
        self.selection = None
        if step < 0:
            self.caret = max(0, self._live_before(self.caret) - 1)
        else:
            self.caret = min(len(self.nodes), self._live_after(self.caret) + 1)

    def jump(self, *, end: bool) -> None:
        self.selection = None
        self.caret = len(self.nodes) if end else 0

    def select(self, start: int, end: int) -> None:
        """Select a range counted in live characters; an empty one places the caret."""
        first, last = self.index_of(start), self.index_of(end)
        self.selection = None if start == end else (first, last)
        if start == end:
            self.caret = first

    def select_all(self) -> None:
        self.selection = (0, len(self.nodes))

    def doubt(self) -> None:
        """Note that the caret moved where nobody saw it (undo, a click)."""
        self.store_view()
        self.is_uncertain = True

    def resync(self, value: str, source: int) -> list[Node]:
        """Make the field say `value`, keeping the nodes it still says; return its live nodes.

        Only what differs between the common beginning and the common end is touched, so that a
        text that grows by a letter costs a letter.
        """
        before = self.live()
        current = "".join(node.character for node in before)
        if current == value:
            return before
        start = common(current, value, str.startswith, head)
        most = min(len(current), len(value)) - start
        same = min(most, common(current, value, str.endswith, tail))
        kept_end = before[len(before) - same :]
        gone = before[start : len(before) - same]
        if gone:  # Only growing hides nothing; anything else may.
            self.store_view()
        offset, words = start, value[start : len(value) - same]
        fresh = _align(gone, words, source=source, offset=offset)
        low = self.nodes.index(before[start - 1]) + 1 if start else 0
        high = self.nodes.index(kept_end[0], low) if kept_end else len(self.nodes)
        self.nodes[low:high] = _lay(self.nodes[low:high], fresh)
        self.is_dirty = self.is_dirty or bool(words)
        self.caret = len(self.nodes)
        self.selection = None
        return [*before[:start], *fresh, *kept_end]

    def _replace_selection(self) -> bool:
        if not self.selection:
            return False
        self.store_view()
        start, end = self.selection
        for node in self.nodes[start:end]:
            node.live = False
        self.caret = end
        self.selection = None
        return True

    def _live_before(self, index: int) -> int:
        while index > 0 and not self.nodes[index - 1].live:
            index -= 1
        return index

    def _live_after(self, index: int) -> int:
        while index < len(self.nodes) and not self.nodes[index].live:
            index += 1
        return index


def head(text: str, size: int) -> str:
    return text[:size]


def tail(text: str, size: int) -> str:
    return text[len(text) - size :]


def common(
    old: str, new: str, agrees: Callable[[str, str], bool], part: Callable[[str, int], str]
) -> int:
    """Return how many characters two texts share at one end, by halving."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if agrees(old, part(new, middle)):
            low = middle
        else:
            high = middle - 1
    return low


def _align(gone: list[Node], words: str, *, source: int, offset: int) -> list[Node]:
    """Return a node for each character of the new words, an old one where both texts share it."""
    shared: dict[int, Node] = {}
    if gone and words and len(gone) * len(words) <= _MOST_ALIGNMENT:
        old = "".join(node.character for node in gone)
        matcher = difflib.SequenceMatcher(None, old, words, autojunk=False)
        for block in matcher.get_matching_blocks():
            shared.update((block.b + n, gone[block.a + n]) for n in range(block.size))
    return [
        shared.get(position) or Node(character, source, offset + position)
        for position, character in enumerate(words)
    ]


def _lay(old: list[Node], new: list[Node]) -> list[Node]:
    """Lay the new live nodes among the old ones, which stay in place as tombstones."""
    kept = {id(node) for node in new}
    known = {id(node) for node in old}
    result: list[Node] = []
    rest = iter(old)
    for node in new:
        if id(node) in known:
            for passed in rest:
                if passed is node:
                    break
                result.append(passed)
        result.append(node)
    result.extend(rest)
    for node in old:
        node.live = id(node) in kept
    return result
