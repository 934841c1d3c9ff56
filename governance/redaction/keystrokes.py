"""Typed text rebuilt from single strokes, searched, and the findings traced back to each stroke.

Detectors that look at one event see one letter; detectors that look at the final text miss what was
typed and taken back. This one rebuilds every field with its tombstones (`editing`), looks at each
high-water mark, and flags the nodes, so that a finding names exactly the events to mask.
"""

import itertools
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter
from typing import Final

from governance.redaction.editing import Field, Node
from governance.redaction.engine import NO_DEADLINE, Deadline, Detector
from governance.redaction.errors import BudgetExceededError
from governance.redaction.findings import Shown, Span
from governance.redaction.flagging import (
    Scan,
    flag,
    flag_boxes,
    flag_tombstones,
    flags,
    values_pattern,
    views,
)

_BOX_SIZE: Final = 8
_STEPS_A_CHECK: Final = 64
# All a person ever wrote into one field in one record; what is above is no typing.
MAX_CHARACTERS: Final = 200_000
# The category of every character that was typed.
TYPED: Final = "keystroke-text"


class Stroke(StrEnum):
    """What a person did to a field."""

    FOCUS = "focus"
    PRESS = "press"
    RELEASE = "release"
    SELECT = "select"
    PASTE = "paste"
    COMPLETE = "complete"
    COMPOSE = "compose"
    COMMIT = "commit"
    SNAPSHOT = "snapshot"
    DOUBT = "doubt"


@dataclass(slots=True, kw_only=True)
class Step:
    """One stroke with what it carries; `index` names the event it came from.

    Never changed; not frozen, because that makes each of thousands three times as dear.

    A key is its character, or a name: Enter, Backspace, Delete, Left, Right, Home, End.
    """

    index: int
    stroke: Stroke
    key: str = ""
    text: str | None = None
    field: tuple[str, str] = ("", "")
    role: str = ""
    label: str = ""
    start: int = 0
    end: int = 0
    is_command: bool = False
    pair: int | None = None


@dataclass(slots=True)
class Findings:
    """What must not stay: whole events by type, and characters of an event's text by type."""

    events: dict[int, str] = field(default_factory=dict)
    characters: dict[int, dict[int, str]] = field(default_factory=dict)
    whole_texts: dict[int, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    values: set[str] = field(default_factory=set)
    shown: set[Shown] = field(default_factory=set)
    # The applications in which something was said of somebody's health, belief and the like.
    sensitive: set[str] = field(default_factory=set)


class Reconstruction:
    """All fields of one record, as the strokes made them."""

    def __init__(self) -> None:
        self.fields: dict[tuple[str, str], Field] = {}
        self._focused: Field | None = None
        self._snapshots: list[tuple[int, list[Node]]] = []
        self._pending: dict[str, list[int]] = {}
        self._pairs: dict[int, int] = {}
        self._composing: list[int] = []
        self._compositions: list[tuple[list[int], list[Node]]] = []
        self._completions: list[tuple[list[Node], list[Node]]] = []
        self._presses: set[int] = set()

    def feed(self, steps: Iterable[Step], deadline: Deadline = NO_DEADLINE) -> None:
        """Play the strokes in order. BudgetExceededError when they write more than people do."""
        for number, step in enumerate(steps):
            if number % _STEPS_A_CHECK == 0:
                self._check(deadline)
            self._play(step)
        self._check(deadline)
        for each in self.fields.values():
            each.store_view()

    def _check(self, deadline: Deadline) -> None:
        deadline.check()
        if any(len(each.nodes) > MAX_CHARACTERS for each in self.fields.values()):
            raise BudgetExceededError

    def _play(self, step: Step) -> None:
        match step.stroke:
            case Stroke.FOCUS:
                self._focus(step)
            case Stroke.PRESS:
                self._press(step)
            case Stroke.RELEASE:
                self._release(step)
            case Stroke.SNAPSHOT:
                nodes = self._field(step).resync(step.text or "", step.index)
                self._snapshots.append((step.index, list(nodes)))
            case _:
                if self._focused is not None:
                    self._edit(self._focused, step)

    def _field(self, step: Step) -> Field:
        known = self.fields.get(step.field)
        if known is None:
            known = self.fields[step.field] = Field(step.field, step.role, step.label)
        known.role = known.role or step.role
        known.label = known.label or step.label
        return known

    def _focus(self, step: Step) -> None:
        if self._focused is not None:
            self._focused.store_view()
        focused = self._focused = self._field(step)
        focused.selection = None
        if step.text is not None and (step.text or focused.nodes):
            nodes = focused.resync(step.text, step.index)
            self._snapshots.append((step.index, list(nodes)))
        focused.caret = len(focused.nodes)

    def _release(self, step: Step) -> None:
        """Note which key-down this ends: the one it names, else the oldest of the same key."""
        if step.pair is not None:
            self._pairs[step.index] = step.pair
        elif waiting := self._pending.get(step.key):
            self._pairs[step.index] = waiting.pop(0)

    def _press(self, step: Step) -> None:
        self._pending.setdefault(step.key, []).append(step.index)
        self._presses.add(step.index)
        focused = self._focused
        if focused is None:
            return
        if step.is_command:
            _command(focused, step.key)
        elif len(step.key) == 1:
            focused.insert(step.key, step.index)
        elif step.text:  # A key that produced more than one character.
            focused.insert(step.text, step.index)
        else:
            _edit_key(focused, step.key, step.index)

    def _edit(self, focused: Field, step: Step) -> None:
        text = step.text or ""
        match step.stroke:
            case Stroke.SELECT:
                focused.select(step.start, step.end)
            case Stroke.PASTE:
                focused.insert(text, step.index)
            case Stroke.COMPLETE:
                focused.store_view()
                focused.select(step.start, step.end)
                typed = [
                    node
                    for node in focused.nodes[
                        focused.index_of(step.start) : focused.index_of(step.end)
                    ]
                    if node.live
                ]
                self._completions.append((typed, focused.insert(text, step.index)))
            case Stroke.COMPOSE:
                self._composing.append(step.index)
            case Stroke.COMMIT:
                self._compositions.append((self._composing, focused.insert(text, step.index)))
                self._composing = []
            case _:
                focused.doubt()

    def search(
        self,
        detector: Detector,
        deadline: Deadline = NO_DEADLINE,
        *,
        known: Collection[str] = (),
    ) -> Findings:
        """Return what the fields say that identifies someone, traced back to the strokes.

        `known` are values found in another field or an earlier round; they go wherever they stand.
        """
        findings = Findings(values=set(known))
        for each in self.fields.values():
            if each.role == "password":
                flag(each.nodes, [Span(0, len(each.nodes), "PASSWORD")])
                continue
            scan = Scan(detector, deadline, label=each.label, role=each.role)
            for view in views(each):
                text = "".join(node.character for node in view)
                spans = scan.spans(text)
                flag(view, spans)
                findings.shown |= _shown(each, text, spans)
            if scan.is_sensitive:
                findings.sensitive.add(each.key[0])
        findings.values |= {shown.value for shown in findings.shown}
        self._search_boxes(detector)
        self._search_values(findings)
        for each in self.fields.values():
            if flags(each.nodes):
                flag_tombstones(each.nodes)
        self._follow_links()
        self._collect(findings)
        return findings

    def _search_boxes(self, detector: Detector) -> None:
        """Read a card number that was typed into four boxes, a code into six."""
        boxes: list[list[Node]] = []
        for each in [*self.fields.values(), None]:
            live = each.live() if each else []
            is_box = (
                each is not None
                and each.role == "textbox"
                and 0 < len(live) <= _BOX_SIZE
                and all(node.character.isalnum() for node in live)
            )
            if is_box:
                boxes.append(live)
                continue
            flag_boxes(boxes, detector)
            boxes = []

    def _search_values(self, findings: Findings) -> None:
        """Flag a value found in one field wherever another field repeats it."""
        pattern = values_pattern(findings.values)
        if pattern is None:
            return
        for each in self.fields.values():
            for view in views(each):
                text = "".join(node.character for node in view)
                spans = [Span(*m.span(), "REPEATED") for m in pattern.finditer(text)]
                flag(view, spans)
                findings.shown |= _shown(each, text, spans)

    def _follow_links(self) -> None:
        for typed, inserted in self._completions:
            kind = next((node.flag for node in inserted if node.flag), None)
            for node in typed if kind else ():
                node.flag = node.flag or kind

    def _collect(self, findings: Findings) -> None:
        for each in filter(lambda each: flags(each.nodes), self.fields.values()):
            for kind, run in itertools.groupby(each.nodes, key=attrgetter("flag")):
                if kind is not None:
                    findings.counts[kind] = findings.counts.get(kind, 0) + 1
                    self._trace(kind, run, findings)
        for index, nodes in self._snapshots:
            findings.characters.setdefault(index, {}).update(flags(nodes))
        for updates, nodes in self._compositions:
            findings.whole_texts.update(dict.fromkeys(updates if flags(nodes) else (), "COMPOSED"))
        for release, press in self._pairs.items():
            if press in findings.events:
                findings.events[release] = findings.events[press]

    def _trace(self, kind: str, nodes: Iterable[Node], findings: Findings) -> None:
        for node in nodes:
            if node.source in self._presses:
                findings.events[node.source] = kind
            else:
                findings.characters.setdefault(node.source, {})[node.offset] = kind


def _shown(each: Field, text: str, spans: Iterable[Span]) -> set[Shown]:
    """Return what a text of a field shows of somebody at these spans."""
    return {Shown(each.key[0], TYPED, span.type, text[span.start : span.end]) for span in spans}


def _command(focused: Field, key: str) -> None:
    """Play a key pressed together with Ctrl or Cmd."""
    match key.lower():
        case "a":
            focused.select_all()
        case "x":
            focused.cut()
        case "z" | "y":
            focused.doubt()
        case "backspace":
            focused.erase_back(word=True)
        case "left" | "right":
            focused.selection = None


def _edit_key(focused: Field, key: str, index: int) -> None:
    match key:
        case "Enter":
            focused.insert("\n", index)
        case "Backspace":
            focused.erase_back()
        case "Delete":
            focused.erase_ahead()
        case "Left" | "Right":
            focused.move(-1 if key == "Left" else 1)
        case "Home" | "End":
            focused.jump(end=key == "End")
