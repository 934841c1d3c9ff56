"""One stored record in words: what each redacted event says, drawn, and what was taken out of it.

Nothing is added: a line shows the event's own values, and the stored form stands beside it.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from governance.portal.drawing import Drawing, draw
from governance.portal.typed import Typed, typed
from governance.web import wording

NANOSECONDS: Final = 1_000_000_000
_WORDS: Final[dict[str, str | Promise]] = {
    "mouse.move": gettext_lazy("Pointer moved"),
    "mouse.path": gettext_lazy("Pointer moved"),
    "mouse.scroll": gettext_lazy("Scrolled"),
    "mouse.down": gettext_lazy("Button pressed"),
    "mouse.up": gettext_lazy("Button let go"),
    "mouse.drag": gettext_lazy("Dragged"),
    "ui.element": gettext_lazy("Element under the pointer"),
    "menu.open": gettext_lazy("Menu opened"),
    "menu.select": gettext_lazy("Menu entry chosen"),
    "key.shortcut": gettext_lazy("Keyboard shortcut"),
    "key.down": gettext_lazy("Key pressed"),
    "key.up": gettext_lazy("Key let go"),
    "text.input": gettext_lazy("Text in a field"),
    "app.focus": gettext_lazy("Application in front"),
    "window.focus": gettext_lazy("Window in front"),
    "nav.url": gettext_lazy("Page opened"),
    "ui.tree": gettext_lazy("Screen layout"),
    "dom.rrweb": gettext_lazy("Page layout"),
    "screen.frame": gettext_lazy("Picture of the screen"),
    "capture.policy": gettext_lazy("Capture began under a policy"),
    "capture.pause": gettext_lazy("Capture paused"),
    "capture.resume": gettext_lazy("Capture resumed"),
    "capture.gap": gettext_lazy("Left out"),
    "task.mark": gettext_lazy("Task marked"),
}
_GAPS: Final[dict[str, str | Promise]] = {
    "paused": gettext_lazy("capture was paused"),
    "secure_field": gettext_lazy("a password field, which is never captured"),
    "auth_handoff": gettext_lazy("a sign-in, which is never captured"),
    "app_not_allowed": gettext_lazy("an application that you do not allow or no policy names"),
    "category_denied": gettext_lazy("a kind of data that you do not allow or no policy names"),
    "schedule": gettext_lazy("outside the hours of capture"),
    "budget": gettext_lazy("more than may be captured at a time"),
    "erased": gettext_lazy("erased"),
    "expired": gettext_lazy("past its time limit"),
    "agent_fault": gettext_lazy("a fault of the agent"),
}
_BUTTONS: Final[dict[str, str | Promise]] = {
    "left": gettext_lazy("left button"),
    "right": gettext_lazy("right button"),
    "middle": gettext_lazy("middle button"),
    "back": gettext_lazy("back button"),
    "forward": gettext_lazy("forward button"),
}
_NAMES: Final = (
    "key_name",
    "canonical_key_name",
    "key_class",
    "control_label",
    "field_label",
    "control_role",
    "url_pattern",
    "title_pattern",
    "kind",
)
_SHOWN_ELSEWHERE: Final = frozenset({"key.down", "key.up", "text.input"})


@dataclass(frozen=True, slots=True)
class Line:
    """One event: seconds since the first one, what happened, its values in words."""

    seconds: float
    what: str | Promise
    values: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A stored picture of the screen as a page can hold it, and what was painted in it, by type."""

    source: str
    width: int
    height: int
    removed: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A record for its reader: typed text, a drawing, lines in words, and the stored form."""

    lines: tuple[Line, ...]
    typed: tuple[Typed, ...]
    drawing: Drawing | None
    layout: tuple[tuple[str, int], ...]
    pictures: tuple[Picture, ...]
    stored: str
    total: int


def read(events: Sequence[Mapping[str, object]], *, most: int) -> Reading:
    """Return the first `most` events in words, and what can be shown of all in one piece."""
    start = min((_time(event) for event in events), default=0)
    parts = typed(events)
    lines = tuple(
        Line(
            seconds=round((_time(event) - start) / NANOSECONDS, 2),
            what=_WORDS.get(str(event.get("type")), str(event.get("type"))),
            values=_values(event),
        )
        for event in events[:most]
        # Letters stand above as text; a table of single keys tells nobody what was recorded.
        if not (parts and event.get("type") in _SHOWN_ELSEWHERE)
    )
    return Reading(
        lines=lines,
        typed=parts,
        drawing=draw(events),
        layout=_layout(events),
        pictures=tuple(_picture(event) for event in events if event.get("image")),
        stored="\n".join(
            json.dumps(_without_picture(event), ensure_ascii=False) for event in events[:most]
        ),
        total=len(events),
    )


def _picture(event: Mapping[str, object]) -> Picture:
    image, removed = str(event["image"]), event.get("removed")
    # Base64 of the three bytes that every JPEG begins with.
    kind = "jpeg" if image.startswith("/9j/") else "png"
    return Picture(
        source=f"data:image/{kind};base64,{image}",
        width=int(str(event.get("width") or 0)),
        height=int(str(event.get("height") or 0)),
        removed=tuple(removed.items()) if isinstance(removed, dict) else (),
    )


def _without_picture(event: Mapping[str, object]) -> Mapping[str, object]:
    """Return an event as its reader can read it: the picture's bytes stand above as a picture."""
    image = event.get("image")
    return {**event, "image": f"({len(str(image))} bytes)"} if image else event


def _time(event: Mapping[str, object]) -> int:
    at = event.get("t_ns", 0)
    return at if isinstance(at, int) else 0


def _layout(events: Sequence[Mapping[str, object]]) -> tuple[tuple[str, int], ...]:
    """Return how many elements of which role the fullest layout held."""
    nodes = [event["nodes"] for event in events if isinstance(event.get("nodes"), list)]
    fullest = max(nodes, key=lambda one: len(one) if isinstance(one, list) else 0, default=[])
    if not isinstance(fullest, list):
        return ()
    roles = Counter(str(node.get("role")) for node in fullest if isinstance(node, Mapping))
    return tuple(roles.most_common())


def _values(event: Mapping[str, object]) -> str:
    """Return what an event holds beside its time and its kind."""
    kind = str(event.get("type"))
    if kind == "capture.gap":
        return str(wording.words(_GAPS, event.get("reason")))
    if kind == "capture.policy":
        return f"{str(event.get('policy_digest'))[:12]}…"
    found = [*_pointed(event), *_named(event)]
    for name, ngettext_words in (("points", _points), ("nodes", _elements)):
        many = event.get(name)
        if isinstance(many, list):
            found.append(ngettext_words(len(many)))
    return " · ".join(found)


def _points(number: int) -> str:
    return ngettext("%(number)d point", "%(number)d points", number) % {"number": number}


def _elements(number: int) -> str:
    return ngettext("%(number)d element", "%(number)d elements", number) % {"number": number}


def _pointed(event: Mapping[str, object]) -> list[str]:
    found = []
    if "button" in event:
        found.append(str(wording.words(_BUTTONS, event["button"])))
    if "x" in event and "y" in event:
        found.append(_("at %(x)s, %(y)s") % {"x": event["x"], "y": event["y"]})
    if "to_x" in event and "to_y" in event:
        found.append(_("to %(x)s, %(y)s") % {"x": event["to_x"], "y": event["to_y"]})
    across, down = event.get("dx"), event.get("dy")
    if isinstance(down, int | float) and down:
        found.append(_("up") if down > 0 else _("down"))
    if isinstance(across, int | float) and across:
        found.append(_("right") if across > 0 else _("left"))
    if "element_role" in event:
        found.append(_("on a %(role)s") % {"role": event["element_role"]})
    return found


def _named(event: Mapping[str, object]) -> list[str]:
    found = []
    keys = event.get("keys")
    if isinstance(keys, list):
        found.append(" + ".join(str(key) for key in keys))
    found += [str(event[name]) for name in _NAMES if event.get(name)]
    return found
