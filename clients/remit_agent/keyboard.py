"""From keys to categories: the same press is a character, a rhythm, or a command.

Promises: a character leaves only as keystroke-text; what ctrl, alt or cmd make of it leaves only
as a shortcut; the rhythm knows nothing but the class of the key. A key's release says the
character its press made, whatever was let go first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from remit_agent.observed import Element, Key

Body = dict[str, object]

# The one alt that types characters (AltGr) is not a command; some systems call it the right alt.
COMMANDS: Final = ("ctrl", "ctrl_l", "ctrl_r", "alt", "alt_l", "cmd", "cmd_l", "cmd_r")
_SHIFTS: Final = ("shift", "shift_l", "shift_r")
MODIFIERS: Final = frozenset((*COMMANDS, *_SHIFTS, "alt_r", "alt_gr"))
EDITING: Final = frozenset({"backspace", "delete", "enter", "insert", "tab"})
NAVIGATION: Final = frozenset(
    {"down", "end", "home", "left", "page_down", "page_up", "right", "up"}
)
FUNCTIONS: Final = frozenset(f"f{number}" for number in range(1, 25))
OTHERS: Final = frozenset(
    {
        "caps_lock", "esc", "media_next", "media_play_pause", "media_previous",
        "media_volume_down", "media_volume_mute", "media_volume_up", "menu", "num_lock", "pause",
        "print_screen", "scroll_lock",
    }
)  # fmt: skip
NAMED: Final = MODIFIERS | EDITING | NAVIGATION | FUNCTIONS | OTHERS | {"space"}
_TYPED: Final = {
    "space": " ", "enter": "\n", "tab": "\t", "backspace": "\b", "delete": "\x7f",
}  # fmt: skip


def named(name: str | None) -> str | None:
    """Return a recorder's key name in our vocabulary (pynput's), or None when it has none."""
    if name is None:
        return None
    plain = name.removeprefix("Key.").lower()
    return plain if plain in NAMED else None


def key_class(name: str | None, char: str | None) -> str:
    """Return the class of a key, which is all its rhythm may say."""
    if name is not None:
        return _class_of_name(name)
    if char is None or len(char) != 1:
        return "other"
    if char.isspace():
        return "space"
    if char.isalpha():
        return "letter"
    return "digit" if char.isdigit() else "punctuation" if char.isprintable() else "other"


def _class_of_name(name: str) -> str:
    for members, label in (
        (MODIFIERS, "modifier"),
        (EDITING, "editing"),
        (NAVIGATION, "navigation"),
        (FUNCTIONS, "function"),
    ):
        if name in members:
            return label
    return "space" if name == "space" else "other"


@dataclass(slots=True)
class Keyboard:
    """Which keys are held, over all windows: a modifier may be pressed in one, used in another."""

    held: list[str] = field(default_factory=list)
    # What each held key typed; None for one that was part of a command.
    typed: dict[str, str | None] = field(default_factory=dict)

    def read(self, key: Key) -> Iterator[tuple[str, Body]]:
        """Yield (category, leaves) for each category that this key could be captured under."""
        if key.held is not None:
            self.held = list(key.held)
        yield "keystroke-timing", {"key_class": key_class(key.name, key.char)}
        if key.name in MODIFIERS:
            self._hold(key.name, is_down=key.is_down)
            return
        commands = [name for name in self.held if name in COMMANDS]
        if key.is_down and commands:
            self.typed[key.code] = None
            if combination := self._combination(key):
                yield "shortcut", {"type": "key.shortcut", "keys": combination}
            return
        if not key.is_down and self.typed.get(key.code, "") is None:
            del self.typed[key.code]
            return
        if key.name is not None and key.name != "space":
            yield "shortcut", {"key_name": key.name}
        if text := self._text(key):
            yield "keystroke-text", text

    def _hold(self, name: str | None, *, is_down: bool) -> None:
        if name is None:
            return
        if is_down and name not in self.held:
            self.held.append(name)
        elif not is_down and name in self.held:
            self.held.remove(name)

    def _combination(self, key: Key) -> list[str]:
        """Return the names of a shortcut: modifiers as held, then the key; empty if unnameable."""
        last = key.name or (key.char or "").lower()
        if key.name is None and (len(last) != 1 or not last.isprintable()):
            return []
        held = [name for name in self.held if name in COMMANDS or name in _SHIFTS]
        return [*held[:5], last]

    def _text(self, key: Key) -> Body:
        if key.name in NAVIGATION and key.name is not None:
            # The caret moved: the text cannot be rebuilt without knowing so.
            return {"canonical_key_name": key.name} | _field(key.element)
        char = _TYPED.get(key.name) if key.name is not None else key.char
        if key.is_down:
            self.typed[key.code] = char or ""
        else:
            char = self.typed.pop(key.code, None) or char
        return {"key_char": char} | _field(key.element) if char else {}


def _field(element: Element | None) -> Body:
    if element is None:
        return {}
    label: Body = {"field_label": element.label} if element.label else {}
    return {"field": element.field, "field_role": element.role} | label
