"""From X key codes to what a key is called or types.

Promise: a key whose meaning is not certain has neither name nor character, and so goes nowhere.
"""

from dataclasses import dataclass
from typing import Final

from remit_agent.x11.display import Display

_SHIFT, _LOCK, _NUM, _LEVEL3 = 1, 2, 16, 128
_LATIN: Final = (range(0x20, 0x7F), range(0xA0, 0x100))
_UNICODE: Final = range(0x01000100, 0x01110000)
_NAMES: Final = {
    0xFF08: "backspace", 0xFF09: "tab", 0xFF0D: "enter", 0xFF8D: "enter", 0xFF13: "pause",
    0xFF14: "scroll_lock", 0xFF1B: "esc", 0xFF50: "home", 0xFF51: "left", 0xFF52: "up",
    0xFF53: "right", 0xFF54: "down", 0xFF55: "page_up", 0xFF56: "page_down", 0xFF57: "end",
    0xFF61: "print_screen", 0xFF63: "insert", 0xFF67: "menu", 0xFF7F: "num_lock",
    0xFFE1: "shift", 0xFFE2: "shift_r", 0xFFE3: "ctrl", 0xFFE4: "ctrl_r", 0xFFE5: "caps_lock",
    0xFFE9: "alt", 0xFFEA: "alt_r", 0xFFEB: "cmd", 0xFFEC: "cmd_r", 0xFFFF: "delete",
    0xFE03: "alt_gr", 0xFE20: "tab", 0x20: "space", 0xFFE7: "alt", 0xFFE8: "alt_r",
    0xFF95: "home", 0xFF96: "left", 0xFF97: "up", 0xFF98: "right", 0xFF99: "down",
    0xFF9A: "page_up", 0xFF9B: "page_down", 0xFF9C: "end", 0xFF9E: "insert", 0xFF9F: "delete",
    **{0xFFBE + number: f"f{number + 1}" for number in range(24)},
}  # fmt: skip
_KEYPAD: Final = range(0xFFAA, 0xFFBA)
_EURO: Final = 0x20AC


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a key press means: one of both, or neither."""

    name: str | None = None
    char: str | None = None


class Keymap:
    """The keyboard's table, read once and again when it changes."""

    def __init__(self, display: Display) -> None:
        setup = display.connection.get_setup()
        self._first: int = setup.min_keycode
        count = setup.max_keycode - setup.min_keycode + 1
        reply = display.core.GetKeyboardMapping(self._first, count).reply()
        self._width: int = reply.keysyms_per_keycode
        self._keysyms: list[int] = list(reply.keysyms)

    def read(self, code: int, state: int) -> Meaning:
        """Return what a key means under the modifiers that were held."""
        keysym = self._keysym(code, state)
        if name := _NAMES.get(keysym):
            return Meaning(name=name)
        char = _char(keysym)
        if char is not None and state & _LOCK and char.isalpha():
            char = char.swapcase()
        return Meaning(char=char)

    def _keysym(self, code: int, state: int) -> int:
        level = 1 if state & _SHIFT else 0
        group = (state >> 13) & 3
        column = level + (2 * group if group else 4 if state & _LEVEL3 else 0)
        if self._at(code, 1) in _KEYPAD and state & _NUM:
            column ^= 1
        found = self._at(code, column)
        # A key without a second level means the same on both.
        return found or (self._at(code, column & ~1) if level else 0)

    def _at(self, code: int, column: int) -> int:
        position = (code - self._first) * self._width + column
        if column >= self._width or not 0 <= position < len(self._keysyms):
            return 0
        return self._keysyms[position]


def _char(keysym: int) -> str | None:
    if any(keysym in each for each in _LATIN):
        return chr(keysym)
    if keysym in _UNICODE:
        return chr(keysym - 0x01000000)
    if keysym in _KEYPAD:
        return chr(keysym - 0xFF80)
    return "€" if keysym == _EURO else None
