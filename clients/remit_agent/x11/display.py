"""One connection to the X server: which window is in front, whose it is, what lies where.

Promises: whose a window is comes from the server (X-Resource: the process at the other end of the
client's socket), never from what the window says of itself; a window that ended, or that the server
cannot name, is nobody's. Leaves to others: what may be seen of it (`filter`).
"""

import os
import struct
from dataclasses import dataclass
from typing import Final

import xcffib
import xcffib.res
import xcffib.xproto
from xcffib.xproto import Atom, MapState, WindowError

from remit_agent.errors import AgentError
from remit_agent.x11 import programs

_LONG: Final = 1 << 16
_DEEPEST: Final = 8


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A place on the screen, in pixels of the root window."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        """Whether a point lies in it."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def cut(self, other: "Rectangle") -> "Rectangle":
        """Return what both cover; of no size when they do not meet."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Rectangle(x, y, max(0, right - x), max(0, bottom - y))

    @property
    def is_empty(self) -> bool:
        """Whether it covers no pixel."""
        return self.width <= 0 or self.height <= 0


@dataclass(frozen=True, slots=True)
class Window:
    """A client's window: its process as the server and the kernel name it, and its title."""

    id: int
    pid: int
    process: str
    title: str
    identity: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Top:
    """A child of the root: a frame of the window manager, a menu, a notification."""

    id: int
    place: Rectangle
    is_shown: bool
    is_override: bool


class Display:
    """Asks the X server. One object belongs to one thread."""

    def __init__(self, name: str | None = None) -> None:
        try:
            self.connection = xcffib.connect(display=name or os.environ.get("DISPLAY"))
            self.resources = self.connection(xcffib.res.key)
            # Versions below 1.2 cannot name a client's process.
            self.resources.QueryVersion(1, 2).reply()
        except (xcffib.XcffibException, xcffib.ConnectionException) as error:
            raise AgentError("There is no X display to record.") from error
        self.core = self.connection.core
        screen = self.connection.get_setup().roots[0]
        self.root: int = screen.root
        self.size = Rectangle(0, 0, screen.width_in_pixels, screen.height_in_pixels)
        self.programs = programs.Programs()
        self._atoms: dict[str, int] = {}

    def close(self) -> None:
        """Hang up."""
        self.connection.disconnect()

    def atom(self, name: str) -> int:
        """Return the number of a name."""
        if name not in self._atoms:
            self._atoms[name] = self.core.InternAtom(0, len(name), name).reply().atom
        return self._atoms[name]

    def text(self, window: int, name: str) -> str | None:
        """Return a text property, or None."""
        found = self._property(window, name)
        return bytes(found).decode("utf-8", "replace").rstrip("\0") if found else None

    def numbers(self, window: int, name: str) -> list[int]:
        """Return a property of 32-bit numbers; none when it is not there."""
        found = self._property(window, name) or b""
        return [number for (number,) in struct.iter_unpack("=I", found[: len(found) // 4 * 4])]

    def _property(self, window: int, name: str) -> bytes | None:
        try:
            reply = self.core.GetProperty(0, window, self.atom(name), Atom.Any, 0, _LONG).reply()
        except WindowError:
            return None
        return bytes(reply.value.buf()) if reply.type else None

    def active(self) -> int | None:
        """Return the window that the window manager says is in front."""
        return next(iter(self.numbers(self.root, "_NET_ACTIVE_WINDOW")), None) or None

    def window(self, identity: int) -> Window | None:
        """Return whose a window is; None when that cannot be known."""
        pid = self.pid(identity)
        process = programs.name(pid)
        if pid is None or process is None:
            return None
        title = self.text(identity, "_NET_WM_NAME") or self.text(identity, "WM_NAME") or ""
        return Window(identity, pid, process, title, self.programs.identity(pid))

    def pid(self, window: int) -> int | None:
        """Return the process that made a window, as the server knows it from its socket."""
        mask = xcffib.res.ClientIdMask.LocalClientPID
        spec = xcffib.res.ClientIdSpec.synthetic(window, mask)
        try:
            answer = self.resources.QueryClientIds(1, [spec]).reply()
        except xcffib.XcffibException:
            return None
        for each in answer.ids:
            if each.spec.mask & mask and len(each.value) == 1:
                return int(each.value[0])
        return None

    def tops(self) -> list[Top]:
        """Return the children of the root, lowest first."""
        children = list(self.core.QueryTree(self.root).reply().children)
        asked = [
            (each, self.core.GetGeometry(each), self.core.GetWindowAttributes(each))
            for each in children
        ]
        return [top for each, place, state in asked if (top := _top(each, place, state))]

    def top_at(self, x: int, y: int) -> int | None:
        """Return the child of the root under a point."""
        found = self.core.TranslateCoordinates(self.root, self.root, x, y).reply().child
        return int(found) or None

    def client(self, top: int) -> int:
        """Return the client's window inside a frame, or the window itself when it has none."""
        waiting = [(top, 0)]
        while waiting:
            window, depth = waiting.pop(0)
            if self._property(window, "WM_STATE") is not None:
                return window
            if depth < _DEEPEST:
                try:
                    children = self.core.QueryTree(window).reply().children
                except WindowError:
                    continue
                waiting.extend((each, depth + 1) for each in children)
        return top

    def place(self, window: int) -> Rectangle | None:
        """Return where a window lies on the screen; None when it is gone or not shown."""
        try:
            size = self.core.GetGeometry(window).reply()
            state = self.core.GetWindowAttributes(window).reply().map_state
            at = self.core.TranslateCoordinates(window, self.root, 0, 0).reply()
        except xcffib.XcffibException:
            return None
        if state != MapState.Viewable:
            return None
        return Rectangle(at.dst_x, at.dst_y, size.width, size.height)


def _top(
    window: int,
    place: xcffib.xproto.GetGeometryCookie,
    state: xcffib.xproto.GetWindowAttributesCookie,
) -> Top | None:
    try:
        at, how = place.reply(), state.reply()
    except xcffib.XcffibException:
        return None
    border = 2 * at.border_width
    where = Rectangle(at.x, at.y, at.width + border, at.height + border)
    return Top(window, where, how.map_state == MapState.Viewable, bool(how.override_redirect))
