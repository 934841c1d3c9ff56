"""What applications say of themselves over the accessibility bus (AT-SPI 2), where there is one.

Promises: what an application says is tied to the process the bus knows it to be; a field that was
a password field once stays one for as long as it lives; an application that does not answer in
time, or says something unknown, says nothing. No value of a field is ever asked for.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from jeepney import DBusAddress, HeaderFields, MatchRule, message_bus, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.low_level import Message, MessageType

from remit_agent.observed import Node, text_class
from remit_agent.x11.display import Display, Rectangle

PASSWORD: Final = 40
COMBO_BOX: Final = 11
LABEL: Final = 29
_FARTHEST: Final = -65536
_PATIENCE_S: Final = 0.3
_MOST_KNOWN: Final = 4000
_DESKTOP: Final = 0
_ACCESSIBLE: Final = "org.a11y.atspi.Accessible"
_COMPONENT: Final = "org.a11y.atspi.Component"
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
_REGISTRY: Final = "org.a11y.atspi.Registry"
_ROOT: Final = "/org/a11y/atspi/accessible/root"
_TOLD: Final = ("object:text-changed", "object:state-changed:focused", "object:selection-changed")
# AT-SPI's numbers for roles, and ARIA's words for them; what is not here is `generic`.
ROLES: Final = {
    2: "alert", 7: "checkbox", 8: "menuitemcheckbox", 10: "columnheader", 11: "combobox",
    16: "dialog", 23: "window", 27: "image", 29: "generic", 31: "listbox", 32: "option",
    33: "menu", 34: "menubar", 35: "menuitem", 37: "tab", 38: "tablist", 39: "group",
    41: "menu", 42: "progressbar", 43: "button", 44: "radio", 45: "menuitemradio",
    47: "rowheader", 48: "scrollbar", 50: "separator", 51: "slider", 52: "spinbutton",
    54: "statusbar", 55: "table", 56: "cell", 57: "columnheader", 58: "rowheader",
    61: "textbox", 62: "button", 63: "toolbar", 64: "tooltip", 65: "tree", 66: "treegrid",
    69: "window", 73: "paragraph", 75: "application", 79: "textbox", 81: "caption",
    82: "document", 83: "heading", 87: "form", 88: "link", 90: "row", 91: "treeitem",
}  # fmt: skip
_WORDED: Final = frozenset({29, 43, 62, 7, 44, 37, 33, 35, 8, 45, 32, 83, 88, 56, 64, 73, 81})


@dataclass(frozen=True, slots=True)
class Place:
    """An object of an application: whose connection, and which object."""

    bus: str
    path: str


@dataclass(frozen=True, slots=True)
class Told:
    """An application said that something changed."""

    at_ns: int
    place: Place
    what: str
    detail: str
    position: int
    length: int
    text: str


@dataclass(frozen=True, slots=True)
class Thing:
    """What an object is. `name` is the application's own word for it; never a value."""

    place: Place
    pid: int
    role: int
    name: str
    is_secure: bool

    @property
    def aria(self) -> str:
        """Its role in ARIA's words."""
        return ROLES.get(self.role, "generic")

    @property
    def is_text(self) -> bool:
        """Whether it is a field that people write in and the application does not hide."""
        return self.aria == "textbox" and not self.is_secure


class Accessibility:
    """The bus: a thread that listens, and questions asked from the thread that made this."""

    def __init__(self, address: str, tell: Callable[[Told], None]) -> None:
        self._tell = tell
        self._asking = open_dbus_connection(address)
        self._hearing = open_dbus_connection(address)
        self._known: dict[Place, Thing] = {}
        self._pids: dict[str, int] = {}
        self._secure: set[Place] = set()
        for each in _TOLD:
            self._call(self._hearing, _REGISTRY, "/org/a11y/atspi/registry", _REGISTRY,
                       "RegisterEvent", "s", (each,))  # fmt: skip
        rule = MatchRule(type="signal", interface="org.a11y.atspi.Event.Object")
        self._hearing.send_and_get_reply(message_bus.AddMatch(rule), timeout=_PATIENCE_S)
        self._thread = threading.Thread(target=self._run, name="remit-atspi", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Hang up."""
        self._asking.close()
        self._hearing.close()

    def _run(self) -> None:
        while True:
            try:
                message = self._hearing.receive()
            except (OSError, ValueError):
                return
            if (told := _told(message)) is not None:
                self._tell(told)

    def thing(self, place: Place) -> Thing | None:
        """Return what an object is, or None when its application does not say."""
        if (known := self._known.get(place)) is not None:
            return known
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        # An application that is still starting answers later: no answer is not remembered.
        if (found := self._ask(place)) is not None:
            self._known[place] = found
        return found

    def forget(self, place: Place) -> None:
        """Ask again next time: its role or its name may have changed."""
        self._known.pop(place, None)

    def _ask(self, place: Place) -> Thing | None:
        role = self._answer(place, _ACCESSIBLE, "GetRole")
        name = self._answer(place, _PROPERTIES, "Get", "ss", (_ACCESSIBLE, "Name"))
        pid = self._pid(place.bus)
        if not isinstance(role, int) or pid is None:
            return None
        if role == PASSWORD:
            self._secure.add(place)
        word = name[1] if isinstance(name, tuple) and isinstance(name[1], str) else ""
        return Thing(place, pid, role, word, place in self._secure)

    def _pid(self, bus: str) -> int | None:
        if bus not in self._pids:
            place = Place("org.freedesktop.DBus", "/org/freedesktop/DBus")
            found = self._answer(place, "org.freedesktop.DBus", "GetConnectionUnixProcessID", "s",
                                 (bus,))  # fmt: skip
            if not isinstance(found, int):
                return None
            self._pids[bus] = found
        return self._pids[bus]

    def label(self, thing: Thing) -> str:
        """Return the words beside a field: its own name, else the nearest label left or above."""
        if thing.name:
            return thing.name
        place = self.bounds(thing.place)
        above = self._answer(thing.place, _PROPERTIES, "Get", "ss", (_ACCESSIBLE, "Parent"))
        if place is None or not isinstance(above, tuple):
            return ""
        best, nearest = "", 400
        for sibling in self.children(Place(*above[1])):
            found = self.thing(sibling)
            where = self.bounds(sibling) if found and found.role == LABEL and found.name else None
            if where is None or found is None:
                continue
            gap = _distance(where, place)
            if gap < nearest:
                best, nearest = found.name, gap
        return best

    def children(self, place: Place) -> list[Place]:
        """Return the objects directly below one."""
        found = self._answer(place, _ACCESSIBLE, "GetChildren")
        return [Place(bus, path) for bus, path in found] if isinstance(found, list) else []

    def bounds(self, place: Place) -> Rectangle | None:
        """Return where an object lies on the screen, when it is shown."""
        found = self._answer(place, _COMPONENT, "GetExtents", "u", (_DESKTOP,))
        if not isinstance(found, tuple) or found[0] < _FARTHEST or found[2] <= 0 or found[3] <= 0:
            return None
        return Rectangle(*found)

    def at(self, pid: int, x: int, y: int) -> Thing | None:
        """Return the innermost object of a process under a point."""
        for window in self.windows(pid):
            place = window
            for _ in range(20):
                found = self._answer(place, _COMPONENT, "GetAccessibleAtPoint", "iiu",
                                     (x, y, _DESKTOP))  # fmt: skip
                if not isinstance(found, tuple) or found[1].endswith("/null"):
                    break
                if (inner := Place(*found)) == place:
                    break
                place = inner
            if place != window:
                return self.thing(place)
        return None

    def windows(self, pid: int) -> Iterator[Place]:
        """Yield the windows of a process, as it tells them."""
        for application in self.children(Place(_REGISTRY, _ROOT)):
            if self._pid(application.bus) == pid:
                yield from self.children(application)

    def tree(self, pid: int, *, most: int) -> list[tuple[Node, Thing]]:
        """Return the shown objects of a process without their words, and what each of them is."""
        nodes: list[tuple[Node, Thing]] = []
        waiting: list[tuple[Place, int | None]] = [(each, None) for each in self.windows(pid)]
        while waiting and len(nodes) < most:
            place, parent = waiting.pop(0)
            thing, where = self.thing(place), self.bounds(place)
            if thing is None or where is None:
                continue
            number = len(nodes)
            words = thing.name if thing.role in _WORDED else ""
            node = Node(
                id=number,
                role=thing.aria,
                text_class=text_class(words),
                parent=parent,
                bounds=(where.x, where.y, where.width, where.height),
            )
            nodes.append((node, thing))
            waiting.extend((each, number) for each in self.children(place))
        return nodes

    def _answer(
        self,
        place: Place,
        interface: str,
        member: str,
        signature: str = "",
        body: Any = (),  # noqa: ANN401
    ) -> Any:  # noqa: ANN401 - what D-Bus carries is anybody's.
        return self._call(self._asking, place.bus, place.path, interface, member, signature, body)

    def _call(  # noqa: PLR0913, PLR0917 - the parts of a D-Bus call.
        self, connection: DBusConnection, bus: str, path: str, interface: str, member: str,
        signature: str, body: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401  # fmt: skip
        address = DBusAddress(path, bus_name=bus, interface=interface)
        try:
            reply = connection.send_and_get_reply(
                new_method_call(address, member, signature or None, body), timeout=_PATIENCE_S
            )
        except (OSError, ValueError):
            return None
        if reply.header.message_type is not MessageType.method_return or not reply.body:
            return None
        return reply.body[0]


def connect(display: Display, tell: Callable[[Told], None]) -> Accessibility | None:
    """Return the bus of a display, or None when there is none: then no typed text is taken."""
    address = display.text(display.root, "AT_SPI_BUS")
    if not address:
        return None
    try:
        return Accessibility(address, tell)
    except (OSError, ValueError):
        return None


def _told(message: Message) -> Told | None:
    fields = message.header.fields
    what, path, bus = (
        fields.get(each) for each in (HeaderFields.member, HeaderFields.path, HeaderFields.sender)
    )
    if what not in {"TextChanged", "StateChanged", "SelectionChanged"} or len(message.body) < 4:  # noqa: PLR2004
        return None
    detail, position, length, anything = message.body[:4]
    if what == "StateChanged" and detail != "focused":
        return None
    text = anything[1] if isinstance(anything, tuple) and isinstance(anything[1], str) else ""
    return Told(time.monotonic_ns(), Place(bus, path), what, detail, position, length, text)


def _distance(label: Rectangle, field: Rectangle) -> int:
    """Return how far a label is left of a field in its row, or above it; far when neither."""
    in_row = label.y < field.y + field.height and field.y < label.y + label.height
    if in_row and label.x + label.width <= field.x:
        return field.x - label.x - label.width
    in_column = label.x < field.x + field.width and field.x < label.x + label.width
    if in_column and label.y + label.height <= field.y:
        return field.y - label.y - label.height
    return 1 << 16
