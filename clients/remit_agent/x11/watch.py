"""Tells when another window came to the front, when its title changed, when windows moved.

It listens on a thread of its own and polls nothing, so that the lag of other recorders
(`settle.py`) is a few milliseconds here. Leaves to others: whose the windows are.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import xcffib
from xcffib.xproto import (
    CW,
    Atom,
    ConfigureNotifyEvent,
    DestroyNotifyEvent,
    EventMask,
    MapNotifyEvent,
    PropertyNotifyEvent,
    PropMode,
    UnmapNotifyEvent,
    WindowClass,
)

from remit_agent.x11.display import Display

_SCENE: Final = (MapNotifyEvent, UnmapNotifyEvent, ConfigureNotifyEvent, DestroyNotifyEvent)
_NAMES: Final = ("_NET_WM_NAME", "WM_NAME")


@dataclass(frozen=True, slots=True)
class Front:
    """Another window is in front, or the one in front has another title."""

    at_ns: int
    window: int | None


@dataclass(frozen=True, slots=True)
class Scene:
    """Some window appeared, went, or moved."""

    at_ns: int


class ServerTime:
    """Maps the server's milliseconds, which wrap after 49 days, to the monotonic clock."""

    def __init__(self, *, server_ms: int, at_ns: int) -> None:
        self._last_ms = server_ms
        self._at_ns = at_ns

    def at(self, server_ms: int) -> int:
        """Return the monotonic time of a moment of the server."""
        step = (server_ms - self._last_ms) & 0xFFFFFFFF
        if step >= 1 << 31:
            step -= 1 << 32
        self._last_ms = server_ms
        self._at_ns += step * 1_000_000
        return self._at_ns


class Watch:
    """Listens to the root window and to the window in front."""

    def __init__(self, name: str | None, tell: Callable[[Front | Scene], None]) -> None:
        self._tell = tell
        self._display = Display(name)
        display = self._display
        self._own: int = display.connection.generate_id()
        display.core.CreateWindow(
            0, self._own, display.root, -1, -1, 1, 1, 0, WindowClass.InputOnly, 0,
            CW.EventMask, [EventMask.PropertyChange],
        )  # fmt: skip
        self._base = self._server_ms()
        mask = EventMask.PropertyChange | EventMask.SubstructureNotify
        display.core.ChangeWindowAttributes(display.root, CW.EventMask, [mask])
        display.connection.flush()
        self._times = ServerTime(server_ms=self._base[0], at_ns=self._base[1])
        self._watched: int | None = None
        self._thread = threading.Thread(target=self._run, name="remit-watch", daemon=True)

    def time(self) -> ServerTime:
        """Return a way to read the server's times, for one thread."""
        return ServerTime(server_ms=self._base[0], at_ns=self._base[1])

    def start(self) -> None:
        """Begin to listen; the first thing told is the window in front."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening and hang up."""
        self._poke()
        self._thread.join(2)
        if not self._thread.is_alive():
            self._display.close()

    def _poke(self) -> None:
        core, atom = self._display.core, self._display.atom("REMIT_STOP")
        core.ChangeProperty(PropMode.Replace, self._own, atom, Atom.INTEGER, 32, 1, [0])
        self._display.connection.flush()

    def _server_ms(self) -> tuple[int, int]:
        """Return the server's time and ours, as near to each other as a round trip allows."""
        display = self._display
        atom = display.atom("REMIT_TIME")
        before = time.monotonic_ns()
        display.core.ChangeProperty(PropMode.Replace, self._own, atom, Atom.INTEGER, 32, 1, [0])
        display.connection.flush()
        while not isinstance(event := display.connection.wait_for_event(), PropertyNotifyEvent):
            continue
        return event.time, before

    def _run(self) -> None:
        self._tell(self._front(time.monotonic_ns()))
        active = self._display.atom("_NET_ACTIVE_WINDOW")
        names = [self._display.atom(each) for each in _NAMES]
        stop = self._display.atom("REMIT_STOP")
        while True:
            try:
                event = self._display.connection.wait_for_event()
            except (xcffib.XcffibException, xcffib.ConnectionException):
                return
            if isinstance(event, PropertyNotifyEvent):
                if event.atom == stop and event.window == self._own:
                    return
                if event.atom == active or (event.atom in names and event.window == self._watched):
                    self._tell(self._front(self._times.at(event.time)))
            elif isinstance(event, _SCENE):
                self._tell(Scene(time.monotonic_ns()))

    def _front(self, at_ns: int) -> Front:
        window = self._display.active()
        if window is not None and window != self._watched:
            mask = [EventMask.PropertyChange]
            try:
                self._display.core.ChangeWindowAttributes(
                    window, CW.EventMask, mask, is_checked=True
                ).check()
                self._watched = window
            except xcffib.XcffibException:
                self._watched = None
        return Front(at_ns, window)
