"""One stored record in words: what each redacted event says, and what was taken out of it.

Nothing is added: a line shows the event's own values. Typed text is joined from its characters,
as a reader would see it, because single letters tell nobody what was recorded.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NANOSECONDS: Final = 1_000_000_000
_WORDS: Final[dict[str, str | Promise]] = {
    "mouse.move": _("Pointer moved"),
    "mouse.path": _("Pointer moved"),
    "mouse.scroll": _("Scrolled"),
    "mouse.down": _("Button pressed"),
    "mouse.up": _("Button let go"),
    "mouse.drag": _("Dragged"),
    "ui.element": _("Element under the pointer"),
    "menu.open": _("Menu opened"),
    "menu.select": _("Menu entry chosen"),
    "key.shortcut": _("Keyboard shortcut"),
    "key.down": _("Key pressed"),
    "key.up": _("Key let go"),
    "text.input": _("Text in a field"),
    "app.focus": _("Application in front"),
    "window.focus": _("Window in front"),
    "nav.url": _("Page opened"),
    "ui.tree": _("Screen layout"),
    "dom.rrweb": _("Page layout"),
    "capture.pause": _("Capture paused"),
    "capture.resume": _("Capture resumed"),
    "capture.gap": _("Gap in the capture"),
    "task.mark": _("Task marked"),
}
_ENVELOPE: Final = frozenset({"seq", "t_ns", "type", "app", "session", "batch"})
_LONG: Final = frozenset({"nodes", "points"})


@dataclass(frozen=True, slots=True)
class Line:
    """One event: seconds since the first one, what happened, its values."""

    seconds: float
    what: str | Promise
    values: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A record for its reader."""

    lines: tuple[Line, ...]
    typed: str
    total: int


def read(events: Sequence[Mapping[str, object]], *, most: int) -> Reading:
    """Return the first `most` events in words, and all typed text in one piece."""
    start = min((_time(event) for event in events), default=0)
    lines = tuple(
        Line(
            seconds=round((_time(event) - start) / NANOSECONDS, 2),
            what=_WORDS.get(str(event.get("type")), str(event.get("type"))),
            values=_values(event),
        )
        for event in events[:most]
    )
    return Reading(lines=lines, typed=typed_text(events), total=len(events))


def typed_text(events: Iterable[Mapping[str, object]]) -> str:
    """Join what was typed; keys that delete are applied as they were when it was typed."""
    text: list[str] = []
    for event in events:
        kind = event.get("type")
        if kind == "text.input":
            text.append(f"{event.get('text', '')}\n")
        elif kind == "key.down" and isinstance(event.get("key_char"), str):
            character = str(event["key_char"])
            if character == "\b":
                _unless_empty(text)
            else:
                text.append("\n" if character == "\r" else character)
    return "".join(text).strip()


def _unless_empty(text: list[str]) -> None:
    if text:
        text.pop()


def _time(event: Mapping[str, object]) -> int:
    at = event.get("t_ns", 0)
    return at if isinstance(at, int) else 0


def _values(event: Mapping[str, object]) -> str:
    parts = []
    for name, value in event.items():
        if name in _ENVELOPE or value is None:
            continue
        if name in _LONG and isinstance(value, list):
            parts.append(f"{name}: {len(value)}")
        elif isinstance(value, list | tuple):
            parts.append(f"{name}: {' + '.join(str(one) for one in value)}")
        else:
            parts.append(f"{name}: {value}")
    return " · ".join(parts)
