"""AgentNetTool and DuckTrack folders: `events.jsonl`, `top_window.jsonl`, `a11y.jsonl`.

What is taken: pointer, buttons, keys, the process in front, and accessibility trees without their
words. What is left out: the folder's name (it looks like an e-mail address), host name and MAC in
`metadata.json`, the task's text, pictures and html. Time is monotonic without zone; only its
differences are used.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from remit_agent.adapters.lines import read_lines
from remit_agent.errors import RecordingError
from remit_agent.keyboard import named
from remit_agent.observed import (
    Button,
    Focus,
    Key,
    Move,
    Node,
    Observation,
    Recording,
    Scroll,
    Structure,
    Surface,
    Withheld,
    in_order,
    text_class,
)

MAX_NODES: Final = 1024
_ROLES: Final = {
    "Button": "button", "Calendar": "grid", "CheckBox": "checkbox", "ComboBox": "combobox",
    "DataGrid": "grid", "DataItem": "row", "Document": "document", "Edit": "textbox",
    "Group": "group", "Header": "rowheader", "HeaderItem": "columnheader", "Hyperlink": "link",
    "Image": "image", "List": "list", "ListItem": "listitem", "Menu": "menu",
    "MenuBar": "menubar", "MenuItem": "menuitem", "Pane": "pane", "ProgressBar": "progressbar",
    "RadioButton": "radio", "ScrollBar": "scrollbar", "SemanticZoom": "group",
    "Separator": "separator", "Slider": "slider", "Spinner": "spinbutton",
    "SplitButton": "button", "StatusBar": "statusbar", "Tab": "tablist", "TabItem": "tab",
    "Table": "table", "Text": "paragraph", "Thumb": "other", "TitleBar": "titlebar",
    "ToolBar": "toolbar", "ToolTip": "tooltip", "Tree": "tree", "TreeItem": "treeitem",
    "Window": "window",
}  # fmt: skip


class _Event(msgspec.Struct, frozen=True):
    time_stamp: float
    action: str
    x: float = 0
    y: float = 0
    dx: float = 0
    dy: float = 0
    button: str = ""
    pressed: bool = False
    name: str = ""
    pynput_key: str = ""


class _TopWindow(msgspec.Struct, frozen=True):
    time_stamp: float
    top_window_name: str


class _Rectangle(msgspec.Struct, frozen=True):
    left: float = 0
    top: float = 0
    right: float = 0
    bottom: float = 0


class _Element(msgspec.Struct, frozen=True, rename="pascal"):
    name: str | None = None
    control_type: str | None = None
    bounding_rectangle: _Rectangle | None = None
    children: list["_Element"] = []


class _Tree(msgspec.Struct, frozen=True):
    time_stamp: float
    axtree: _Element | None = None


def recognises(path: Path) -> bool:
    """Whether this is an episode folder."""
    return (path / "events.jsonl").is_file() and (path / "top_window.jsonl").is_file()


def read(path: Path) -> Recording:
    """Read an episode; RecordingError when a file of it is foreign."""
    windows = read_lines(path / "top_window.jsonl", _TopWindow)
    events = read_lines(path / "events.jsonl", _Event)
    trees_file = path / "a11y.jsonl"
    trees = read_lines(trees_file, _Tree) if trees_file.is_file() else []
    times = [each.time_stamp for each in windows] + [each.time_stamp for each in events]
    start = min([*times, *(each.time_stamp for each in trees)], default=0.0)
    seen: list[Observation] = [
        Focus(
            t_ns=_since(start, each.time_stamp),
            surface=Surface("process", each.top_window_name),
        )
        for each in windows
    ]
    front = _Front(windows)
    seen += [_observe(each, start, front) for each in events]
    seen += [_structure(each, start, front) for each in trees]
    left_out: Counter[str] = Counter()
    html = path / "html.jsonl"
    if html.is_file():
        left_out["category_denied"] += sum(1 for line in html.read_bytes().splitlines() if line)
    return Recording("agentnet", in_order(seen), left_out)


class _Front:
    """Which process was in front at a time, as the recorder noted it."""

    def __init__(self, windows: list[_TopWindow]) -> None:
        self._windows = sorted(windows, key=lambda each: each.time_stamp)

    def at(self, time_stamp: float) -> Surface | None:
        """Return the last process noted by then; None before the first."""
        last = None
        for each in self._windows:
            if each.time_stamp > time_stamp:
                break
            last = Surface("process", each.top_window_name)
        return last


def _since(start: float, time_stamp: float) -> int:
    try:
        return round((time_stamp - start) * 1e9)
    except OverflowError as error:
        raise RecordingError("A time of the recording is none.") from error


def _observe(event: _Event, start: float, front: _Front) -> Observation:
    at: dict[str, Any] = {
        "t_ns": _since(start, event.time_stamp),
        "surface": front.at(event.time_stamp),
    }
    place: dict[str, Any] = {"x": round(event.x), "y": round(event.y)}
    match event.action:
        case "move":
            return Move(**at, **place)
        case "scroll":
            return Scroll(**at, **place, dx=round(event.dx), dy=round(event.dy))
        case "click" if event.button in {"left", "right", "middle"}:
            return Button(**at, **place, button=event.button, is_down=event.pressed)
        case "press" | "release":
            return _key(event, at)
        case "pause" | "resume":
            return Withheld(**at, reason="paused")
        case _:
            return Withheld(**at, reason="category_denied")


def _key(event: _Event, at: dict[str, Any]) -> Key:
    name = named(event.name)
    # With ctrl held pynput knows only a key code; the tool's name is then the capital letter.
    typed = event.name if event.pynput_key.strip("'\"") == event.name else event.name.lower()
    char = typed if name is None and len(typed) == 1 else None
    return Key(
        **at, is_down=event.action == "press", code=event.pynput_key or typed, name=name, char=char
    )


def _structure(tree: _Tree, start: float, front: _Front) -> Structure | Withheld:
    at: dict[str, Any] = {
        "t_ns": _since(start, tree.time_stamp),
        "surface": front.at(tree.time_stamp),
    }
    if tree.axtree is None:
        return Withheld(**at, reason="category_denied", source="structural")
    nodes: list[Node] = []
    for node in _flatten(tree.axtree):
        nodes.append(node)
        if len(nodes) > MAX_NODES:
            # Half a tree would be a false one.
            return Withheld(**at, reason="budget", source="structural")
    return Structure(**at, kind="tree", nodes=nodes, root=tree.axtree.name)


def _flatten(root: _Element) -> Iterator[Node]:
    """Yield the tree as a flat list, parents before children; of a name only its length class."""
    waiting: list[tuple[_Element, int | None]] = [(root, None)]
    count = 0
    while waiting:
        element, parent = waiting.pop()
        role = (element.control_type or "").removesuffix("Control")
        box = element.bounding_rectangle
        yield Node(
            id=count,
            parent=parent,
            role=_ROLES.get(role, "other"),
            text_class=text_class(element.name or ""),
            bounds=_bounds(box) if box else None,
        )
        waiting.extend((child, count) for child in reversed(element.children))
        count += 1


def _bounds(box: _Rectangle) -> tuple[int, int, int, int]:
    """Return left, top, width, height, as everywhere in events."""
    return (
        round(box.left),
        round(box.top),
        round(box.right - box.left),
        round(box.bottom - box.top),
    )
