"""The little window that says what the recorder does: always on top, in every language the same.

Promise: it says what is true now, in words and in colour; it takes no focus and no clicks.
"""

from typing import Final

import xcffib
from xcffib.xproto import CW, GC, ConfigWindow, EventMask, ExposeEvent, StackMode, WindowClass

from remit_agent.session import STATES
from remit_agent.x11.display import Display

_WIDTH: Final = 170
_HEIGHT: Final = 20
_COLOURS: Final = {
    "capturing": 0xB3261E, "paused": 0x3B5B92, "not-allowed": 0x4A4A4A, "no-policy": 0x8A5A00,
}  # fmt: skip
_WHITE: Final = 0xFFFFFF


class Indicator:
    """One window in the upper right corner of the screen."""

    def __init__(self, name: str | None) -> None:
        self._display = Display(name)
        self._state = "no-policy"
        display, core = self._display, self._display.core
        self.window: int = display.connection.generate_id()
        left = display.size.width - _WIDTH - 4
        core.CreateWindow(
            0, self.window, display.root, left, 4, _WIDTH, _HEIGHT, 0, WindowClass.InputOutput, 0,
            CW.BackPixel | CW.OverrideRedirect | CW.EventMask,
            [_COLOURS["no-policy"], 1, EventMask.Exposure],
        )  # fmt: skip
        font = display.connection.generate_id()
        core.OpenFont(font, len("fixed"), "fixed")
        self._pen: int = display.connection.generate_id()
        core.CreateGC(
            self._pen, self.window, GC.Foreground | GC.Background | GC.Font,
            [_WHITE, _COLOURS["no-policy"], font],
        )  # fmt: skip
        core.MapWindow(self.window)
        display.connection.flush()

    def show(self, state: str) -> None:
        """Say another state."""
        self._state = state
        colour = _COLOURS[state]
        core = self._display.core
        core.ChangeWindowAttributes(self.window, CW.BackPixel, [colour])
        core.ChangeGC(self._pen, GC.Background, [colour])
        core.ConfigureWindow(self.window, ConfigWindow.StackMode, [StackMode.Above])
        self._draw()

    def tick(self) -> None:
        """Draw anew where another window had covered it."""
        while (event := self._display.connection.poll_for_event()) is not None:
            if isinstance(event, ExposeEvent):
                self._draw()

    def close(self) -> None:
        """Take it away."""
        try:
            self._display.close()
        except xcffib.XcffibException:
            return

    def _draw(self) -> None:
        words = f"Remit: {STATES[self._state]}"
        core = self._display.core
        core.ClearArea(0, self.window, 0, 0, 0, 0)
        core.ImageText8(len(words), self.window, self._pen, 6, 14, words)
        self._display.connection.flush()
