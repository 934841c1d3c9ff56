"""The types of captured events, field by field, with their bounds (security.md §6.3).

Names follow openadapt-capture. One struct a type, unknown fields forbidden; `events` reads them.
"""

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from msgspec import Meta, Struct

MASK: Final = "•"
MAX_TEXT: Final = 4096

Key: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$(?!\n)", max_length=64)]
Element: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:#/-]+$(?!\n)", max_length=64)]
Digest: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", max_length=64)]
# A UUID: what an application calls a task may be somebody's number.
TaskId: TypeAlias = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$(?!\n)", max_length=36)
]
Label: TypeAlias = Annotated[str, Meta(min_length=1, max_length=120)]
Typed: TypeAlias = Annotated[str, Meta(max_length=MAX_TEXT)]
Character: TypeAlias = Annotated[str, Meta(min_length=1, max_length=4)]
VirtualKey: TypeAlias = Annotated[str, Meta(max_length=16)] | Annotated[int, Meta(ge=0, lt=1 << 32)]
Nanoseconds: TypeAlias = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Sequence: TypeAlias = Annotated[int, Meta(ge=0, lt=1 << 53)]
Node: TypeAlias = Annotated[int, Meta(ge=0, lt=1 << 31)]
Pixel: TypeAlias = Annotated[int, Meta(ge=-65536, le=65536)]
# Recorders of scaled screens give fractions of a pixel.
Place: TypeAlias = Pixel | Annotated[float, Meta(ge=-65536, le=65536)]
Bounds: TypeAlias = tuple[Pixel, Pixel, Pixel, Pixel]
Button: TypeAlias = Literal["left", "right", "middle", "back", "forward"]
Role: TypeAlias = str
KeyName: TypeAlias = str
KeyClass: TypeAlias = Literal[
    "letter", "digit", "punctuation", "space", "editing", "navigation", "modifier", "function",
    "other",
]  # fmt: skip
GapReason: TypeAlias = Literal[
    "paused", "secure_field", "auth_handoff", "app_not_allowed", "category_denied", "schedule",
    "budget", "erased", "expired", "agent_fault",
]  # fmt: skip
GapSource: TypeAlias = Literal[
    "audio", "browser", "input", "pointer", "keyboard", "screen", "structural", "window"
]
EntityType: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Z_]{2,24}$(?!\n)", max_length=24)]


class Event(
    Struct,
    tag_field="type",
    forbid_unknown_fields=True,
    omit_defaults=True,
    frozen=True,
    kw_only=True,
):
    """What every event says: its place in the session, its time, its application."""

    seq: Sequence
    t_ns: Nanoseconds
    app: Key
    type: ClassVar[str]


class MouseMove(Event, frozen=True, kw_only=True, tag="mouse.move"):
    type: ClassVar[str] = "mouse.move"
    x: Place
    y: Place


class MousePath(Event, frozen=True, kw_only=True, tag="mouse.path"):
    type: ClassVar[str] = "mouse.path"
    x: Place
    y: Place
    points: Annotated[
        list[tuple[Annotated[int, Meta(ge=0, le=3_600_000)], Pixel, Pixel]], Meta(max_length=4096)
    ]


class MouseScroll(Event, frozen=True, kw_only=True, tag="mouse.scroll"):
    type: ClassVar[str] = "mouse.scroll"
    x: Place
    y: Place
    dx: Place
    dy: Place


class _MouseButton(Event, frozen=True, kw_only=True):
    x: Place
    y: Place
    button: Button
    element_role: Role | None = None
    element_bounds: Bounds | None = None


class MouseDown(_MouseButton, frozen=True, kw_only=True, tag="mouse.down"):
    type: ClassVar[str] = "mouse.down"


class MouseUp(_MouseButton, frozen=True, kw_only=True, tag="mouse.up"):
    type: ClassVar[str] = "mouse.up"


class MouseDrag(Event, frozen=True, kw_only=True, tag="mouse.drag"):
    type: ClassVar[str] = "mouse.drag"
    x: Place
    y: Place
    to_x: Place
    to_y: Place
    button: Button


class UiElement(Event, frozen=True, kw_only=True, tag="ui.element"):
    type: ClassVar[str] = "ui.element"
    element_role: Role
    element_bounds: Bounds | None = None


class _Menu(Event, frozen=True, kw_only=True):
    control_role: Role
    control_label: Label | None = None


class MenuOpen(_Menu, frozen=True, kw_only=True, tag="menu.open"):
    type: ClassVar[str] = "menu.open"


class MenuSelect(_Menu, frozen=True, kw_only=True, tag="menu.select"):
    type: ClassVar[str] = "menu.select"


class KeyShortcut(Event, frozen=True, kw_only=True, tag="key.shortcut"):
    type: ClassVar[str] = "key.shortcut"
    keys: Annotated[list[Annotated[str, Meta(max_length=20)]], Meta(min_length=1, max_length=6)]


class KeyPress(Event, frozen=True, kw_only=True):
    """A key going down or up: a named key, a class of key, or a character; never two of them."""

    key_name: KeyName | None = None
    key_class: KeyClass | None = None
    key_char: Character | None = None
    key_vk: VirtualKey | None = None
    canonical_key_name: KeyName | None = None
    canonical_key_char: Character | None = None
    canonical_key_vk: VirtualKey | None = None
    field: Element | None = None
    field_role: Role | None = None
    field_label: Label | None = None
    # Written by redaction only; an agent that sends it is refused.
    redacted: EntityType | None = None


class KeyDown(KeyPress, frozen=True, kw_only=True, tag="key.down"):
    type: ClassVar[str] = "key.down"


class KeyUp(KeyPress, frozen=True, kw_only=True, tag="key.up"):
    type: ClassVar[str] = "key.up"


class TextInput(Event, frozen=True, kw_only=True, tag="text.input"):
    type: ClassVar[str] = "text.input"
    field: Element
    field_role: Role
    text: Typed
    field_label: Label | None = None
    redacted: EntityType | None = None


class AppFocus(Event, frozen=True, kw_only=True, tag="app.focus"):
    type: ClassVar[str] = "app.focus"


class WindowFocus(Event, frozen=True, kw_only=True, tag="window.focus"):
    type: ClassVar[str] = "window.focus"
    title_pattern: Key | None = None


class NavUrl(Event, frozen=True, kw_only=True, tag="nav.url"):
    type: ClassVar[str] = "nav.url"
    url_pattern: Key


class TreeNode(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """One element of a screen without its words: role, place, and how much text it held."""

    id: Node
    role: Role
    text_class: Literal["none", "short", "medium", "long"]
    parent: Node | None = None
    bounds: Bounds | None = None


Nodes: TypeAlias = Annotated[list[TreeNode], Meta(max_length=5000)]


class UiTree(Event, frozen=True, kw_only=True, tag="ui.tree"):
    type: ClassVar[str] = "ui.tree"
    nodes: Nodes


class DomRrweb(Event, frozen=True, kw_only=True, tag="dom.rrweb"):
    type: ClassVar[str] = "dom.rrweb"
    kind: Literal["full", "add", "remove"]
    nodes: Nodes


class ScreenText(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """What the accessibility tree says stands where; it helps redaction and is never stored."""

    text: Annotated[str, Meta(min_length=1, max_length=1024)]
    bounds: Bounds


class ScreenFrame(Event, frozen=True, kw_only=True, tag="screen.frame"):
    """A picture of the screen. As sent it names its bytes; as stored it holds what is left."""

    type: ClassVar[str] = "screen.frame"
    # SHA-256 of the picture's bytes as sent; as stored, of the picture that is stored.
    blob_id: Digest
    texts: Annotated[list[ScreenText], Meta(max_length=2000)] = []
    # Written by redaction only: the picture in base64, its size, what was painted, by type.
    image: str | None = None
    width: Pixel | None = None
    height: Pixel | None = None
    removed: dict[EntityType, int] | None = None


class CapturePause(Event, frozen=True, kw_only=True, tag="capture.pause"):
    type: ClassVar[str] = "capture.pause"


class CaptureResume(Event, frozen=True, kw_only=True, tag="capture.resume"):
    type: ClassVar[str] = "capture.resume"


class CaptureGap(Event, frozen=True, kw_only=True, tag="capture.gap"):
    type: ClassVar[str] = "capture.gap"
    from_seq: Sequence
    to_seq: Sequence
    t_from: Nanoseconds
    t_to: Nanoseconds
    sources: Annotated[list[GapSource], Meta(max_length=8)]
    reason: GapReason


class CapturePolicy(Event, frozen=True, kw_only=True, tag="capture.policy"):
    type: ClassVar[str] = "capture.policy"
    policy_digest: Digest


class TaskMark(Event, frozen=True, kw_only=True, tag="task.mark"):
    type: ClassVar[str] = "task.mark"
    kind: Literal["start", "end", "intervention", "correction"]
    task_id: TaskId | None = None


AnyEvent: TypeAlias = (
    MouseMove | MousePath | MouseScroll | MouseDown | MouseUp | MouseDrag | UiElement
    | MenuOpen | MenuSelect | KeyShortcut | KeyDown | KeyUp | TextInput | AppFocus | WindowFocus
    | NavUrl | UiTree | DomRrweb | ScreenFrame | CapturePause | CaptureResume | CaptureGap
    | CapturePolicy | TaskMark
)  # fmt: skip
TYPES: Final[dict[str, type[Event]]] = {kind.type: kind for kind in AnyEvent.__args__}
ENVELOPE: Final = frozenset({"seq", "t_ns", "type", "app"})
STORED_ONLY: Final = frozenset({"redacted", "image", "width", "height", "removed"})
ONE_CATEGORY: Final = {
    "pointer": ("mouse.move", "mouse.path", "mouse.scroll"),
    "click": ("mouse.down", "mouse.up", "mouse.drag", "ui.element"),
    "menu-navigation": ("menu.open", "menu.select"),
    "shortcut": ("key.shortcut",),
    "keystroke-text": ("text.input",),
    "window-metadata": ("app.focus", "window.focus", "nav.url"),
    "ui-structure": ("ui.tree", "dom.rrweb"),
    "screenshot": ("screen.frame",),
}
KEY_LEAVES: Final = {"key_name": "shortcut", "key_class": "keystroke-timing"}
# Types that are a fact of their category by being there at all.
BARE: Final = {"app.focus": "window-metadata", "window.focus": "window-metadata"}
