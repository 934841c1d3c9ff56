"""rrweb 2 event streams: a JSON array of events, one page or several.

What is taken: the layout without its words, pointer, clicks with the role of what was clicked,
choices in controls, and what a field held when typing in it ended. One value a visit, not one a
keystroke: half an e-mail address is no address to a redactor, and the rhythm of typing is another
category. What is left out: passwords and everything on password fields, blocked nodes, masked
text, page text, URLs beyond what the policy's patterns name.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from remit_agent.adapters.dom import Page
from remit_agent.errors import RecordingError
from remit_agent.observed import (
    Button,
    Choice,
    Focus,
    Move,
    Node,
    Observation,
    Recording,
    Scroll,
    Structure,
    Surface,
    Typed,
    Withheld,
    in_order,
)

FULL_SNAPSHOT: Final = 2
INCREMENTAL: Final = 3
META: Final = 4
_MOUSE_UP, _MOUSE_DOWN, _CONTEXT_MENU, _BLUR = 0, 1, 3, 6
_CHOSEN: Final = frozenset({"checkbox", "radio", "combobox", "slider"})


# What comes of an event whose parts are of another shape than rrweb's.
_UNREADABLE: Final = (
    msgspec.MsgspecError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


class _Source(IntEnum):
    """The incremental sources that are taken (@rrweb/types)."""

    MUTATION = 0
    MOUSE_MOVE = 1
    INTERACTION = 2
    SCROLL = 3
    INPUT = 5


class _Event(msgspec.Struct, frozen=True):
    type: int
    timestamp: int
    data: dict[str, Any]


def recognises(path: Path) -> bool:
    """Whether this is a JSON file of events with type and timestamp."""
    if path.suffix != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(64).lstrip().startswith(b'[{"type":')


def read(path: Path) -> Recording:
    """Read a stream; RecordingError when it is not rrweb's."""
    try:
        events = msgspec.json.decode(path.read_bytes(), type=list[_Event])
        reader = Reader(start_ms=min((each.timestamp for each in events), default=0))
        for event in events:
            reader.take(event)
        reader.end_typing()
    except (OSError, *_UNREADABLE) as error:
        raise RecordingError(f"{path.name} is not an rrweb event stream.") from error
    return Recording("rrweb", in_order(reader.seen), reader.left_out)


@dataclass(slots=True)
class _Typing:
    """The field being typed into, and what it held last."""

    node_id: int
    text: str
    t_ns: int


@dataclass(slots=True)
class Reader:
    """Follows the page through the stream."""

    start_ms: int
    page: Page = field(default_factory=Page)
    seen: list[Observation] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    url: str | None = None
    typing: _Typing | None = None
    pointer: tuple[int, int] = (0, 0)
    scrolled: dict[int, tuple[int, int]] = field(default_factory=dict)

    def try_take(self, raw: Mapping[str, Any]) -> bool:
        """Take one event as it happens; whether it was one of rrweb's."""
        try:
            self.take(msgspec.convert(raw, _Event))
        except _UNREADABLE:
            return False
        return True

    def take(self, event: _Event) -> None:
        """Take one event of the stream."""
        t_ns = (event.timestamp - self.start_ms) * 1_000_000
        if event.type == META:
            self._visit(t_ns, str(event.data["href"]))
        elif event.type == FULL_SNAPSHOT:
            self.end_typing()
            self.page.load(event.data["node"])
            self._structure(t_ns, "full", list(self.page.visible(iter(list(self.page.nodes)))))
        elif event.type == INCREMENTAL:
            self._incremental(t_ns, event.data)
        else:
            # Custom and plugin events carry whatever a page put there: never taken.
            self.left_out["category_denied"] += 1

    def _incremental(self, t_ns: int, data: Mapping[str, Any]) -> None:
        match data["source"]:
            case _Source.MUTATION:
                self._mutate(t_ns, data)
            case _Source.MOUSE_MOVE:
                self._moves(t_ns, data)
            case _Source.INTERACTION:
                self._interact(t_ns, data)
            case _Source.SCROLL:
                self._scroll(t_ns, data)
            case _Source.INPUT:
                self._input(t_ns, data)
            case _:
                self.left_out["category_denied"] += 1

    def _surface(self) -> Surface | None:
        if self.url is None:
            return None
        parts = urlsplit(self.url)
        return Surface("origin", f"{parts.scheme}://{parts.netloc}", self.url)

    def _visit(self, t_ns: int, url: str) -> None:
        self.end_typing()
        self.url = url
        self.seen.append(Focus(t_ns=t_ns, surface=self._surface()))

    def _withhold(self, t_ns: int, reason: str = "secure_field") -> None:
        self.seen.append(
            Withheld(t_ns=t_ns, surface=self._surface(), reason=reason, source="browser")
        )

    def _structure(self, t_ns: int, kind: Any, nodes: list[Node]) -> None:  # noqa: ANN401
        if nodes:
            self.seen.append(Structure(t_ns=t_ns, surface=self._surface(), kind=kind, nodes=nodes))

    def _mutate(self, t_ns: int, data: Mapping[str, Any]) -> None:
        for change in data.get("attributes", []):
            self.page.change(int(change["id"]), change["attributes"])
        gone = [
            Node(id=int(each["id"]), parent=int(each["parentId"]), role="none", text_class="none")
            for each in data.get("removes", [])
            if not self.page.is_withheld(int(each["id"]))
        ]
        for each in data.get("removes", []):
            self.page.remove(int(each["id"]))
        self._structure(t_ns, "remove", gone)
        added: list[int] = []
        for each in data.get("adds", []):
            added += self.page.add(each["node"], parent=int(each["parentId"]))
        self._structure(t_ns, "add", list(self.page.visible(iter(added))))

    def _moves(self, t_ns: int, data: Mapping[str, Any]) -> None:
        for each in data["positions"]:
            at = max(0, t_ns + int(each["timeOffset"]) * 1_000_000)
            self.pointer = (round(each["x"]), round(each["y"]))
            x, y = self.pointer
            self.seen.append(Move(t_ns=at, surface=self._surface(), x=x, y=y))

    def _interact(self, t_ns: int, data: Mapping[str, Any]) -> None:
        kind, node_id = int(data["type"]), int(data["id"])
        if kind == _BLUR:
            self.end_typing()
        if kind not in {_MOUSE_UP, _MOUSE_DOWN, _CONTEXT_MENU}:
            return
        if self.page.is_withheld(node_id):
            self._withhold(t_ns)
            return
        if kind == _CONTEXT_MENU:
            return
        target = self.page.link_of(node_id)
        if kind == _MOUSE_DOWN and target and target != self.url:
            # The page being left for is judged already: a protected one is not even clicked into.
            self._visit(t_ns, target)
        self.pointer = (round(data["x"]), round(data["y"]))
        x, y = self.pointer
        node = self.page.nodes[node_id]
        self.seen.append(
            Button(
                t_ns=t_ns,
                surface=self._surface(),
                x=x,
                y=y,
                button="left",
                is_down=kind == _MOUSE_DOWN,
                role=node.role,
            )
        )

    def _scroll(self, t_ns: int, data: Mapping[str, Any]) -> None:
        node_id, now = int(data["id"]), (round(data["x"]), round(data["y"]))
        before = self.scrolled.get(node_id, (0, 0))
        self.scrolled[node_id] = now
        x, y = self.pointer
        self.seen.append(
            Scroll(
                t_ns=t_ns,
                surface=self._surface(),
                x=x,
                y=y,
                dx=now[0] - before[0],
                dy=now[1] - before[1],
            )
        )

    def _input(self, t_ns: int, data: Mapping[str, Any]) -> None:
        node_id, text = int(data["id"]), str(data["text"])
        if self.page.is_withheld(node_id) or self.page.is_masked(node_id) or _is_masked(text):
            self.end_typing()
            self._withhold(t_ns)
            return
        node = self.page.nodes[node_id]
        if node.role in _CHOSEN:
            self.end_typing()
            label = self.page.option(node_id, text) if node.tag == "select" else None
            label = label or self.page.element(node_id).label
            self.seen.append(
                Choice(t_ns=t_ns, surface=self._surface(), role=node.role, label=label)
            )
            return
        if self.typing is not None and self.typing.node_id != node_id:
            self.end_typing()
        self.typing = _Typing(node_id, text, t_ns)

    def end_typing(self) -> None:
        """Say what the field holds that was typed into, once."""
        typing, self.typing = self.typing, None
        if typing is None:
            return
        if self.page.is_withheld(typing.node_id):
            self._withhold(typing.t_ns)
            return
        self.seen.append(
            Typed(
                t_ns=typing.t_ns,
                surface=self._surface(),
                element=self.page.element(typing.node_id),
                text=typing.text,
            )
        )


def _is_masked(text: str) -> bool:
    """Whether rrweb masked the text: all asterisks, as many as characters; even that is told."""
    return bool(text) and set(text) <= {"*", "•"}
