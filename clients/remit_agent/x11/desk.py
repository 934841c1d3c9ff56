"""Puts together what the tap, the watch and the accessibility bus tell, as observations in order.

Promises: an observation names the window it really belongs to (the pointer's: the one under it;
the keyboard's: the one in front, while nothing else has the keyboard or covers the screen), or
none, which no policy can allow; a browser is never a window of this recorder, because it cannot
tell a private window from another. Leaves to others: the moments around a change (`settle`), what
a policy allows (`filter`).
"""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from xcffib.xproto import MappingNotifyEvent

from remit_agent.observed import (
    Button,
    Choice,
    Element,
    Focus,
    Move,
    Observation,
    Scroll,
    Surface,
)
from remit_agent.x11 import accessible, tap
from remit_agent.x11.accessible import Accessibility, Thing, Told
from remit_agent.x11.display import Display, Rectangle, Top
from remit_agent.x11.keysyms import Keymap
from remit_agent.x11.picture import Part
from remit_agent.x11.strokes import Change, Stroke, Strokes
from remit_agent.x11.tap import Input
from remit_agent.x11.watch import Front, Scene, ServerTime

BROWSERS: Final = frozenset(
    {
        "brave", "chrome", "chromium", "chromium-browser", "epiphany", "falkon", "firefox",
        "firefox-bin", "firefox-esr", "google-chrome", "konqueror", "librewolf", "midori", "msedge",
        "opera", "palemoon", "qutebrowser", "tor-browser", "vivaldi-bin", "waterfox",
    }
)  # fmt: skip
# Between two places of the pointer that are taken; a mouse may report a thousand a second.
MOVE_NS: Final = 40_000_000
GHOST_NS: Final = 500_000_000
_SMALLEST: Final = 4
_BUTTONS: Final = {1: "left", 2: "middle", 3: "right", 8: "back", 9: "forward"}
_WHEEL: Final = {4: (0, 1), 5: (0, -1), 6: (-1, 0), 7: (1, 0)}
_HELD: Final = ((1, "shift"), (4, "ctrl"), (8, "alt"), (64, "cmd"))

Heard = Input | Front | Scene | Told


@dataclass(slots=True)
class _Ghost:
    """A window that was there a moment ago."""

    until_ns: int
    place: Rectangle
    pid: int | None


@dataclass(slots=True)
class Desk:
    """The desktop as it stands. Times of observations count from `start_ns` (monotonic)."""

    display: Display
    times: ServerTime
    bus: Accessibility | None
    own_pid: int
    start_ns: int = field(default_factory=time.monotonic_ns)
    strokes: Strokes = field(default_factory=Strokes)
    front: Surface | None = None
    front_pid: int | None = None
    tops: list[Top] = field(default_factory=list)
    quiet_since_ns: int = 0
    _keymap: Keymap | None = None
    _owners: dict[int, int | None] = field(default_factory=dict)
    # Which client's window is in which frame; asked again whenever a window moved.
    _clients: dict[int, int] = field(default_factory=dict)
    _ghosts: list[_Ghost] = field(default_factory=list)
    _moved_ns: int = 0
    _ready: deque[Observation] = field(default_factory=deque)
    _elements: dict[accessible.Place, Element] = field(default_factory=dict)
    input_ns: int = 0

    def hear(self, heard: Heard) -> None:
        """Take one thing that was told."""
        match heard:
            case Input():
                self._input(heard)
            case Front():
                self._to_front(heard)
            case Scene():
                self.look(heard.at_ns)
            case Told():
                self._told(heard)

    def due(self, now_ns: int) -> Iterator[Observation]:
        """Yield what is certain by now, in order of time: nothing overtakes a key that waits."""
        self._ready.extend(self.strokes.due(self._since(now_ns)))
        until = self.strokes.waiting[0].t_ns if self.strokes.waiting else self._since(now_ns)
        ready = sorted(self._ready, key=lambda each: each.t_ns)
        self._ready.clear()
        for each in ready:
            if each.t_ns <= until:
                yield each
            else:
                self._ready.append(each)

    def forget(self) -> None:
        """Drop everything that was not told yet (a pause)."""
        self._ready.clear()
        self.strokes.waiting.clear()

    # -- windows -----------------------------------------------------------------------------------

    def _since(self, at_ns: int) -> int:
        return max(0, at_ns - self.start_ns)

    def _surface(self, window: int | None) -> tuple[Surface | None, int | None]:
        """Return what a client's window is to a policy; nothing for a browser."""
        found = self.display.window(window) if window else None
        if found is None:
            return None, None
        if found.process.lower() in BROWSERS:
            return None, found.pid
        surface = Surface(
            "window",
            found.process,
            title=found.title,
            window=found.id,
            identity=found.identity,
        )
        return surface, found.pid

    def _to_front(self, heard: Front) -> None:
        surface, pid = self._surface(heard.window)
        self.front_pid = pid
        self.quiet_since_ns = heard.at_ns
        if pid is not None and self.bus is not None and pid not in self.strokes.hidden:
            # Until an application says where its focus is, it may be in a password field.
            on_bus = any(True for _ in self.bus.windows(pid))
            self.strokes.hidden[pid] = None if on_bus else False
        if surface != self.front:
            self.front = surface
            self._ready.append(Focus(t_ns=self._since(heard.at_ns), surface=surface))

    def announce(self, now_ns: int) -> None:
        """Say once more what is in front."""
        self._ready.append(Focus(t_ns=self._since(now_ns), surface=self.front))

    def look(self, now_ns: int) -> None:
        """See anew what lies where; what is gone stays a ghost for a moment."""
        self._clients.clear()
        tops = self.display.tops()
        now = {each.id: each for each in tops if each.is_shown}
        for top in self.tops:
            if top.is_shown and now.get(top.id) != top:
                owner = self._owner(top.id)
                self._ghosts.append(_Ghost(now_ns + GHOST_NS, top.place, owner))
                if top.id not in now:
                    self._owners.pop(top.id, None)
        for top in now.values():
            self._owner(top.id)
        self.tops = tops
        self.quiet_since_ns = now_ns
        self._ghosts = [each for each in self._ghosts if each.until_ns > now_ns]

    def above(self, window: Rectangle) -> list[Rectangle] | None:
        """Return what other programs show above the window in front; None when it is not there."""
        if self.front is None or self.front.window is None:
            return None
        found: list[Rectangle] = []
        is_above = False
        for top in self.display.tops():
            client = self.display.client(top.id)
            if client == self.front.window:
                is_above = top.is_shown
                continue
            if is_above and top.is_shown and not window.cut(top.place).is_empty:
                found.append(top.place)
        return found if is_above else None

    def parts(self, *, most: int) -> list[Part]:
        """Return the tree of the program in front, with the ids of its fields."""
        if self.bus is None or self.front_pid is None:
            return []
        found = []
        for node, thing in self.bus.tree(self.front_pid, most=most):
            named = self._element(thing).field if thing.aria == "textbox" else ""
            found.append(Part(node, thing.is_secure, named))
        return found

    def _owner(self, top: int) -> int | None:
        if top not in self._owners:
            self._owners[top] = self.display.pid(self.display.client(top))
        return self._owners[top]

    def _under(self, x: int, y: int, now_ns: int) -> tuple[Surface | None, int | None]:
        """Return the window under a point, which need not be the one in front."""
        for ghost in self._ghosts:
            is_there = ghost.until_ns > now_ns and ghost.place.holds(x, y)
            if is_there and ghost.pid not in {self.front_pid, self.own_pid}:
                return None, None
        top = self.display.top_at(x, y)
        if top is None:
            return None, None
        if top not in self._clients:
            self._clients[top] = self.display.client(top)
        client = self._clients[top]
        if self.front is not None and client == self.front.window:
            return self.front, self.front_pid
        pid = self.display.pid(client)
        if client == top and pid is not None and pid == self.front_pid and self._is_popup(top):
            # A menu of the application in front.
            return self.front, pid
        return self._surface(client)

    def _is_popup(self, top: int) -> bool:
        return any(each.id == top and each.is_override for each in self.tops)

    def has_stranger(self, now_ns: int) -> bool:
        """Whether something unmanaged of another program is shown: a lock, a prompt, a notice."""
        trusted = {self.front_pid, self.own_pid}
        for top in self.tops:
            shown = top.place.cut(self.display.size)
            is_large = shown.width >= _SMALLEST and shown.height >= _SMALLEST
            if top.is_shown and top.is_override and is_large and self._owner(top.id) not in trusted:
                return True
        return any(each.until_ns > now_ns and each.pid not in trusted for each in self._ghosts)

    def _has_keyboard(self) -> bool:
        """Whether the keyboard's focus is with the program in front."""
        focus = self.display.core.GetInputFocus().reply().focus
        return focus > 1 and self.display.pid(focus) == self.front_pid

    # -- devices -----------------------------------------------------------------------------------

    def _input(self, heard: Input) -> None:
        at_ns = self.times.at(heard.server_ms)
        self.input_ns = at_ns
        if heard.kind in {tap.KEY_PRESS, tap.KEY_RELEASE}:
            self._key(heard, at_ns)
        elif heard.kind == tap.MOTION:
            if at_ns - self._moved_ns >= MOVE_NS:
                self._moved_ns = at_ns
                surface, _ = self._under(heard.x, heard.y, at_ns)
                self._ready.append(
                    Move(t_ns=self._since(at_ns), surface=surface, x=heard.x, y=heard.y)
                )
        else:
            self._button(heard, at_ns)

    def _key(self, heard: Input, at_ns: int) -> None:
        if self._keymap is None or self._mapping_changed():
            self._keymap = Keymap(self.display)
        meaning = self._keymap.read(heard.detail, heard.state)
        is_sure = not self.has_stranger(at_ns) and self._has_keyboard()
        self.strokes.add(
            Stroke(
                t_ns=self._since(at_ns),
                surface=self.front if is_sure else None,
                pid=self.front_pid if is_sure else None,
                is_down=heard.kind == tap.KEY_PRESS,
                code=str(heard.detail),
                name=meaning.name,
                char=meaning.char,
                held=tuple(name for mask, name in _HELD if heard.state & mask),
            )
        )

    def _mapping_changed(self) -> bool:
        changed = False
        while (event := self.display.connection.poll_for_event()) is not None:
            changed = changed or isinstance(event, MappingNotifyEvent)
        return changed

    def _button(self, heard: Input, at_ns: int) -> None:
        surface, pid = self._under(heard.x, heard.y, at_ns)
        place = {"t_ns": self._since(at_ns), "surface": surface, "x": heard.x, "y": heard.y}
        is_down = heard.kind == tap.BUTTON_PRESS
        if heard.detail in _WHEEL:
            dx, dy = _WHEEL[heard.detail]
            if is_down:
                self._ready.append(Scroll(**place, dx=dx, dy=dy))  # type: ignore[arg-type]  # as built above.
            return
        if heard.detail not in _BUTTONS:
            return
        thing = None
        if is_down and pid is not None and pid == self.front_pid and self.bus is not None:
            thing = self.bus.at(pid, heard.x, heard.y)
        self._ready.append(
            Button(
                **place,  # type: ignore[arg-type]  # as built above.
                button=_BUTTONS[heard.detail],
                is_down=is_down,
                role=thing.aria if thing and not thing.is_secure else None,
            )
        )

    # -- what applications say ---------------------------------------------------------------------

    def _told(self, told: Told) -> None:
        if self.bus is None:
            return
        thing = self.bus.thing(told.place)
        if thing is None or thing.pid == self.own_pid:
            return
        if told.what == "StateChanged":
            if told.position:
                # A field that became a password field is asked anew when it gets the focus.
                self.bus.forget(told.place)
                thing = self.bus.thing(told.place) or thing
                self.strokes.entered(
                    self._since(told.at_ns), pid=thing.pid, is_hidden=thing.is_secure
                )
        elif told.what == "TextChanged":
            self._text(told, thing)
        elif thing.role == accessible.COMBO_BOX and thing.pid == self.front_pid:
            self._chosen(thing, told.at_ns)

    def _text(self, told: Told, thing: Thing) -> None:
        if thing.is_secure != self.strokes.hidden.get(thing.pid) and (
            thing.is_secure or thing.is_text
        ):
            self.strokes.entered(self._since(told.at_ns), pid=thing.pid, is_hidden=thing.is_secure)
        element = self._element(thing) if thing.is_text else None
        if told.detail.startswith("insert"):
            self.strokes.changed(Change(self._since(told.at_ns), thing.pid, told.text, element))
        elif told.detail.startswith("delete") and told.length == 1:
            self.strokes.changed(Change(self._since(told.at_ns), thing.pid, None, element))

    def _element(self, thing: Thing) -> Element:
        if thing.place not in self._elements and self.bus is not None:
            label = self.bus.label(thing)
            name = "".join(each if each.isalnum() and each.isascii() else "-" for each in label)
            clean = name.lower().strip("-")[:64] or "field"
            self._elements[thing.place] = Element(clean, thing.aria, label[:120] or None)
        return self._elements[thing.place]

    def _chosen(self, thing: Thing, now_ns: int) -> None:
        if self.bus is None or now_ns - self.input_ns > 2 * GHOST_NS:
            return
        self.bus.forget(thing.place)
        fresh = self.bus.thing(thing.place)
        label = fresh.name if fresh else None
        self._ready.append(
            Choice(t_ns=self._since(now_ns), surface=self.front, role=thing.aria, label=label)
        )
