"""What recorders see, before any rule: the common tongue of the adapters.

Nothing here is an event of the service yet. An observation may hold what no policy allows (a raw
title, a URL, a typed character); only `filter` turns it into events, and only of allowed parts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Facts = Mapping[str, Sequence[str]]
SurfaceKind = Literal["window-title", "process", "origin", "window"]
Source = Literal["pointer", "keyboard", "window", "structural", "browser", "input", "screen"]
TextClass = Literal["none", "short", "medium", "long"]


@dataclass(frozen=True, slots=True)
class Surface:
    """Where something happened, as the recorder names it; never leaves this device.

    A recording knows one fact of a place. A live `window` has more: `value` is the program that its
    process runs, `title` what stands above it, `identity` what that program was found to be;
    `window` tells windows apart.
    """

    kind: SurfaceKind
    value: str
    url: str | None = None
    title: str | None = None
    window: int | None = None
    # Under one name for each way of knowing it, such as `sha256:...` of the program's file.
    identity: tuple[str, ...] = ()

    @property
    def facts(self) -> "Facts":
        """What is known of it, by kind of matcher; what is not known is not there."""
        if self.kind != "window":
            return {self.kind: (self.value,)}
        titles = () if self.title is None else (self.title,)
        return {"process": (self.value,), "window-title": titles, "identity": self.identity}


@dataclass(frozen=True, slots=True)
class Element:
    """The field that was typed into: its id in the application, its ARIA role, its label."""

    field: str
    role: str
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One element of a screen without its words."""

    id: int
    role: str
    text_class: TextClass
    parent: int | None = None
    bounds: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One thing seen. `t_ns` counts from the start of the recording; no surface means unknown."""

    t_ns: int
    surface: Surface | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus(Observation):
    """From now on `surface` is in front."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Observation):
    """The pointer is here."""

    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scroll(Observation):
    """The wheel turned."""

    x: int
    y: int
    dx: int
    dy: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Button(Observation):
    """A mouse button went down or up, on an element of this role where it is known."""

    x: int
    y: int
    button: str
    is_down: bool
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(Observation):
    """A key went down or up: a named key, or a character. `code` tells keys apart.

    `held` are the modifiers that were down, where the recorder knows; None: count them yourself.
    """

    is_down: bool
    code: str
    name: str | None = None
    char: str | None = None
    element: Element | None = None
    held: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed(Observation):
    """What a field holds after a run of typing."""

    element: Element
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Observation):
    """Something was chosen in a control of the application."""

    role: str
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure(Observation):
    """The layout of a screen. `root` names whose tree it is; it is judged, never sent."""

    kind: Literal["tree", "full", "add", "remove"]
    nodes: Sequence[Node]
    root: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen(Observation):
    """A picture of the window, masked by the rules of `policy_version`; PNG."""

    picture: bytes
    policy_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld(Observation):
    """Something the adapter itself keeps back, whatever the policy says."""

    reason: str
    source: Source = "input"


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole recording, in order of time; `left_out` counts what was never an observation."""

    recorder: str
    observations: Sequence[Observation]
    left_out: Counter[str] = field(default_factory=Counter)


def in_order(observations: Sequence[Observation]) -> list[Observation]:
    """Return the observations by time; equal times keep the recorder's order."""
    return sorted(observations, key=lambda each: each.t_ns)


def text_class(text: str) -> TextClass:
    """Return the length class that stands for a text (`events.md`, ui-structure)."""
    length = len(text.strip())
    if length == 0:
        return "none"
    return "short" if length <= 16 else "medium" if length <= 80 else "long"  # noqa: PLR2004
