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


@dataclass(slots=True)
class Strokes:
    """The keys that wait, oldest first."""

    waiting: deque[Stroke] = field(default_factory=deque)
    pressed: dict[str, Stroke] = field(default_factory=dict)
    # By process: whether the field that has its focus is hidden (None: it has not said), and when
    # that came or went.
    hidden: dict[int, bool | None] = field(default_factory=dict)
    changes: deque[int] = field(default_factory=deque)

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

    def entered(self, t_ns: int, *, pid: int, is_hidden: bool) -> None:
        """Note that a field of a process took the focus."""
        if is_hidden or self.hidden.get(pid):
            self.changes.append(t_ns)
        self.hidden[pid] = is_hidden
        for stroke in self.waiting:
            stroke.is_shy |= is_hidden and stroke.pid == pid and stroke.t_ns >= t_ns - NEAR_NS

    def inserted(self, text: str, *, pid: int, element: Element | None) -> None:
        """Note what a field took: the oldest key that types it is certain, those before it not."""
        wanted = [each for each in self._open(pid) if _types(each) == text]
        self._settle(wanted[:1], pid, element)

    def deleted(self, *, pid: int, element: Element | None) -> None:
        """Note that a field gave up a character."""
        self._settle([each for each in self._open(pid) if each.name in _DELETED][:1], pid, element)

    def _open(self, pid: int) -> Iterator[Stroke]:
        for each in self.waiting:
            if each.is_down and each.needs_field and each.pid == pid and not each.is_certain:
                yield each

    def _settle(self, found: list[Stroke], pid: int, element: Element | None) -> None:
        for stroke in found:
            for earlier in self._open(pid):
                if earlier is stroke:
                    break
                earlier.is_out = True
            stroke.is_certain, stroke.is_out = element is not None, element is None
            stroke.element = element

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
