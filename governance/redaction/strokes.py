"""Captured events read as strokes: which key made which character in which field.

One reading decides: `key_char`, else `canonical_key_char`, else the name of an editing key. The
other leaves say the same again and are dropped when the record is stored (`rewriting`), so that no
leaf can say something this reading did not see.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from governance.redaction.events import Event
from governance.redaction.keystrokes import Step, Stroke
from governance.redaction.schema import KeyDown, KeyPress, KeyShortcut, MouseDown, TextInput
from governance.redaction.vocabulary import LETTER_MODIFIERS, MODIFIERS

_CONTROLS: Final = {"\b": "Backspace", "\x7f": "Delete", "\n": "Enter", "\r": "Enter"}
_NAMED: Final = {
    "backspace": "Backspace",
    "delete": "Delete",
    "enter": "Enter",
    "left": "Left",
    "right": "Right",
    "home": "Home",
    "end": "End",
    "space": " ",
    "tab": "\t",
}


def reading(event: KeyPress) -> str | None:
    """Return the key as the reconstruction knows it: characters, or the name of an editing key."""
    characters = event.key_char or event.canonical_key_char
    if characters:
        return _CONTROLS.get(characters, characters)
    return _NAMED.get(event.canonical_key_name or event.key_name or "")


def pairs_of(events: Iterable[Event]) -> dict[int, int]:
    """Return which key-down each key-up ends, by position.

    The character of a key-up differs where Shift was let go first, so the oldest key still down
    answers when none has the same character. A key-up without any key down is typing by itself.
    """
    pairs: dict[int, int] = {}
    down: dict[str, list[tuple[str, int]]] = {}
    for position, event in enumerate(events):
        if not isinstance(event, KeyPress):
            continue
        key = reading(event)
        if key is None:
            continue
        waiting = down.setdefault(event.app, [])
        if isinstance(event, KeyDown):
            waiting.append((key.casefold(), position))
        elif waiting:
            same = (n for n, (name, _) in enumerate(waiting) if name == key.casefold())
            pairs[position] = waiting.pop(next(same, 0))[1]
    return pairs


def steps_of(events: Iterable[Event]) -> Iterator[Step]:
    """Yield the strokes of a record; the index of a stroke is the event's position in it."""
    events = list(events)
    pairs = pairs_of(events)
    focused: tuple[str, str] | None = None
    for position, event in enumerate(events):
        if isinstance(event, TextInput):
            yield Step(
                index=position,
                stroke=Stroke.SNAPSHOT,
                field=(event.app, event.field),
                role=event.field_role,
                label=event.field_label or "",
                text=event.text,
            )
        elif isinstance(event, MouseDown) and focused is not None and focused[0] == event.app:
            yield Step(index=position, stroke=Stroke.DOUBT)
        elif isinstance(event, KeyShortcut) and focused is not None and focused[0] == event.app:
            yield from _command(position, event)
        elif isinstance(event, KeyPress) and (key := reading(event)) is not None:
            if event.key_name is None and focused != (event.app, event.field or ""):
                focused = (event.app, event.field or "")
                yield _focus(position, event)
            if focused is None or focused[0] != event.app:
                continue
            paired = pairs.get(position)
            yield Step(
                index=position,
                stroke=Stroke.PRESS if paired is None else Stroke.RELEASE,
                key=key,
                text=key if len(key) > 1 and key not in _CONTROLS.values() else None,
                pair=paired,
            )


def _focus(position: int, event: KeyPress) -> Step:
    return Step(
        index=position,
        stroke=Stroke.FOCUS,
        field=(event.app, event.field or ""),
        role=event.field_role or "",
        label=event.field_label or "",
    )


def _command(position: int, event: KeyShortcut) -> Iterator[Step]:
    """Yield a shortcut that edits: select all, cut, undo, delete a word, paste."""
    letters = [key for key in event.keys if key not in MODIFIERS]
    if len(letters) != 1 or not any(key in LETTER_MODIFIERS for key in event.keys):
        return
    yield Step(
        index=position,
        stroke=Stroke.DOUBT if letters[0] == "v" else Stroke.PRESS,
        key=_NAMED.get(letters[0], letters[0]),
        is_command=True,
    )
