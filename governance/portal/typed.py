"""What was typed, as it is stored: text with a chip wherever a personal detail was taken out.

The redactor leaves one dot for each letter that it took. Here a row of dots becomes one chip,
because what matters to its reader is that something was there, of which kind, and that it is gone.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

BLANK: Final = "•"
_RUNS: Final = re.compile(f"{BLANK}+")
# The kind of a run whose event names a kind that may belong to another run of the same text.
SOME: Final = "REMOVED"
TEXT, REMOVED, KEY = "text", "removed", "key"


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of what was typed: text, a chip for what was removed, or the name of a key."""

    sort: str
    text: str
    length: int = 0


@dataclass(frozen=True, slots=True)
class Typed:
    """One field, or one stretch of typing where no field is known."""

    label: str
    runs: tuple[Run, ...]


def typed(events: Iterable[Mapping[str, object]]) -> tuple[Typed, ...]:
    """Return all that was typed, field by field, in the order of typing."""
    found: list[Typed] = []
    keys: list[Run] = []
    for event in events:
        kind = event.get("type")
        if kind == "text.input":
            _end_stretch(keys, found)
            found.append(Typed(str(event.get("field_label") or ""), _field_runs(event)))
        elif kind == "key.down":
            _add_key(keys, event)
    _end_stretch(keys, found)
    return tuple(found)


def _field_runs(event: Mapping[str, object]) -> tuple[Run, ...]:
    text = str(event.get("text") or "")
    blanks = list(_RUNS.finditer(text))
    # The event names one kind; with several blanks nobody can say which of them it is.
    kind = str(event.get("redacted") or SOME) if len(blanks) == 1 else SOME
    runs: list[Run] = []
    at = 0
    for blank in blanks:
        if blank.start() > at:
            runs.append(Run(TEXT, text[at : blank.start()]))
        runs.append(Run(REMOVED, kind, blank.group().count(BLANK)))
        at = blank.end()
    if at < len(text):
        runs.append(Run(TEXT, text[at:]))
    return tuple(runs)


def _add_key(runs: list[Run], event: Mapping[str, object]) -> None:
    character = event.get("key_char")
    if not isinstance(character, str):
        name = event.get("key_name") or event.get("canonical_key_name")
        if isinstance(name, str):
            _press(runs, name)
        return
    kind = event.get("redacted")
    if isinstance(kind, str):
        _join(runs, Run(REMOVED, kind, 1))
    elif character == "\b":
        _press(runs, "backspace")
    else:
        _join(runs, Run(TEXT, "\n" if character == "\r" else character))


def _press(runs: list[Run], name: str) -> None:
    """Apply a key without a letter: backspace takes the letter before it, others stand as keys."""
    if name != "backspace" or not runs or runs[-1].sort != TEXT:
        runs.append(Run(KEY, name))
        return
    last = runs.pop()
    if len(last.text) > 1:
        runs.append(Run(TEXT, last.text[:-1]))


def _join(runs: list[Run], run: Run) -> None:
    last = runs[-1] if runs else None
    if last is None or last.sort != run.sort:
        runs.append(run)
    elif run.sort == TEXT:
        runs[-1] = Run(TEXT, last.text + run.text)
    elif last.text == run.text:
        runs[-1] = Run(REMOVED, run.text, last.length + run.length)
    else:
        runs.append(run)


def _end_stretch(keys: list[Run], found: list[Typed]) -> None:
    if keys:
        found.append(Typed("", tuple(keys)))
        keys.clear()


def plain(parts: Sequence[Typed]) -> str:
    """Return the typed text without chips and keys, as one piece."""
    return "\n".join(
        "".join(run.text for run in part.runs if run.sort == TEXT) for part in parts
    ).strip()
