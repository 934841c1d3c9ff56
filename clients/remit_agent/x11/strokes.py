"""Keys that wait until it is known which field they went into.

Promises: a character, a blank or a correction leaves only once the field itself has said that it
took it, over the accessibility bus, and the field is one that people write in and the application
does not hide; which window was in front is not enough, for whoever takes the keyboard (a screen
lock, a prompt for a password, a slow application) is not always in front. Pasted text, which no key
typed, is never taken. Near a hidden field nothing at all leaves, shortcuts included.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from remit_agent.keyboard import FUNCTIONS, MODIFIERS, NAVIGATION
from remit_agent.observed import Element, Key, Observation, Surface, Withheld

# How long after a key its field may say so; and how near to a change of field nothing is certain.
PATIENCE_NS: Final = 1_000_000_000
NEAR_NS: Final = 250_000_000
_PLAIN: Final = MODIFIERS | FUNCTIONS | NAVIGATION | {"esc", "tab", "enter", "menu"}
_INSERTED: Final = {"space": " ", "enter": "\n", "tab": "\t"}
_DELETED: Final = frozenset({"backspace", "delete"})


@dataclass(slots=True)
class Stroke:
    """A key on its way; `surface` is the window it seems to belong to."""

    t_ns: int
    surface: Surface | None
    pid: int | None
    is_down: bool
    code: str
    name: str | None
    char: str | None
    held: tuple[str, ...]
    element: Element | None = None
    is_certain: bool = False
    is_out: bool = False
    # Made while the program's focus was, or may have been, in a hidden field.
    is_shy: bool = False
    press: "Stroke | None" = None

    @property
    def is_command(self) -> bool:
        """Whether it is part of a shortcut, and so types nothing."""
        return any(not each.startswith("shift") for each in self.held)

    @property
    def needs_field(self) -> bool:
        """Whether it may leave only once a field has said that it took it."""
        if self.is_command:
            return False
        return self.name is None or self.name not in _PLAIN

    @property
    def may_leave(self) -> bool:
        """Whether it may be told; a release shares the fate of its press."""
        if not self.is_down:
            return self.press is not None and self.press.may_leave
        return not self.is_out and (self.is_certain or not self.needs_field)

    def observation(self) -> Observation:
        """Return what may be told of it."""
        if not self.may_leave:
            return Withheld(
                t_ns=self.t_ns, surface=self.surface, reason="secure_field", source="keyboard"
            )
        return Key(
            t_ns=self.t_ns,
            surface=self.surface,
            is_down=self.is_down,
            code=self.code,
            name=self.name,
            char=self.char,
            element=self.element if self.press is None else self.press.element,
            held=self.held,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What a field said: it took a text, or gave up one character (no text).

    `element` is the field, or None for one of which nothing may leave.
    """

    t_ns: int
    pid: int
    text: str | None
    element: Element | None

    def is_of(self, stroke: Stroke) -> bool:
        """Whether this key makes such a change."""
        if self.text is None:
            return stroke.name in _DELETED
        return _types(stroke) == self.text


@dataclass(slots=True)
class Strokes:
    """The keys that wait, oldest first."""

    waiting: deque[Stroke] = field(default_factory=deque)
    pressed: dict[str, Stroke] = field(default_factory=dict)
    # By process: whether the field that has its focus is hidden (None: it has not said), and when
    # that came or went.
    hidden: dict[int, bool | None] = field(default_factory=dict)
    changes: deque[int] = field(default_factory=deque)
    early: deque[Change] = field(default_factory=lambda: deque(maxlen=50))

    def add(self, stroke: Stroke) -> None:
        """Take a key; what its press meant, its release means."""
        # An application off the bus hides nothing that it would say of itself.
        shown = stroke.pid is None or self.hidden.get(stroke.pid, False) is False
        stroke.is_shy = not shown
        if stroke.is_down:
            self.pressed[stroke.code] = stroke
        elif press := self.pressed.pop(stroke.code, None):
            stroke.press, stroke.name, stroke.char = press, press.name, press.char
        self.waiting.append(stroke)
        if stroke.is_down and stroke.needs_field:
            self._find_early(stroke)

    def entered(self, t_ns: int, *, pid: int, is_hidden: bool) -> None:
        """Note that a field of a process took the focus."""
        if is_hidden or self.hidden.get(pid):
            self.changes.append(t_ns)
        self.hidden[pid] = is_hidden
        for stroke in self.waiting:
            stroke.is_shy |= is_hidden and stroke.pid == pid and stroke.t_ns >= t_ns - NEAR_NS

    def changed(self, said: Change) -> None:
        """Note what a field took or gave up: the oldest key that does so is certain now.

        Those before it are not. What the field says may be heard before the key itself is.
        """
        found = next((each for each in self._open(said.pid) if said.is_of(each)), None)
        if found is None:
            self.early.append(said)
        else:
            self._settle(found, said)

    def _open(self, pid: int) -> Iterator[Stroke]:
        for each in self.waiting:
            if each.is_down and each.needs_field and each.pid == pid and not each.is_certain:
                yield each

    def _settle(self, stroke: Stroke, said: Change) -> None:
        for earlier in self._open(said.pid):
            if earlier is stroke:
                break
            earlier.is_out = True
        stroke.is_certain, stroke.is_out = said.element is not None, said.element is None
        stroke.element = said.element

    def _find_early(self, stroke: Stroke) -> None:
        while self.early and self.early[0].t_ns < stroke.t_ns:
            self.early.popleft()
        for said in self.early:
            if said.pid == stroke.pid and said.is_of(stroke):
                self.early.remove(said)
                self._settle(stroke, said)
                return

    def due(self, now_ns: int) -> Iterator[Observation]:
        """Yield what is decided, in order; whatever waits behind an undecided key waits too."""
        while self.waiting:
            stroke = self.waiting[0]
            age = now_ns - stroke.t_ns
            is_open = stroke.is_down and stroke.needs_field and not stroke.is_certain
            if age < NEAR_NS or (is_open and not stroke.is_out and age < PATIENCE_NS):
                return
            self.waiting.popleft()
            self._judge(stroke)
            yield stroke.observation()

    def _judge(self, stroke: Stroke) -> None:
        while self.changes and self.changes[0] < stroke.t_ns - NEAR_NS:
            self.changes.popleft()
        near = any(abs(each - stroke.t_ns) <= NEAR_NS for each in self.changes)
        if near or (stroke.is_shy and not stroke.is_certain):
            stroke.is_out = True


def _types(stroke: Stroke) -> str | None:
    return stroke.char if stroke.name is None else _INSERTED.get(stroke.name)
