"""openadapt-capture 1.3: `recording.db` and the authentication hand-offs beside it.

What is taken: pointer, buttons, keys, and the title of the window in front. What is left out, and
counted: pictures, audio, the task description, process names, disabled actions, and everything
inside an authentication hand-off. Windows are known by title only (infra.md §6).
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from remit_agent.errors import RecordingError
from remit_agent.keyboard import named
from remit_agent.observed import (
    Button,
    Focus,
    Key,
    Move,
    Observation,
    Recording,
    Scroll,
    Surface,
    Withheld,
    in_order,
)

_ACTIONS = """
    SELECT a.name, a.timestamp, a.mouse_x, a.mouse_y, a.mouse_dx, a.mouse_dy, a.mouse_button_name,
           a.mouse_pressed, a.key_name, a.key_char, a.key_vk, a.canonical_key_name,
           a.canonical_key_char, a.disabled, w.title
    FROM action_event a LEFT JOIN window_event w ON w.id = a.window_event_id
    ORDER BY a.source_ordinal, a.id
"""
_WINDOWS = "SELECT timestamp, title FROM window_event ORDER BY source_ordinal, id"
_PICTURES = "SELECT (SELECT count(*) FROM screenshot), (SELECT count(*) FROM audio_info)"
_BUTTONS = frozenset({"left", "right", "middle"})


class _HandOff(msgspec.Struct, frozen=True):
    started_at: float | None = None
    ended_at: float | None = None


class _HandOffs(msgspec.Struct, frozen=True):
    intervals: list[_HandOff] = []


def recognises(path: Path) -> bool:
    """Whether this is a recording.db or a folder with one."""
    return _database(path).is_file() and _database(path).suffix == ".db"


def read(path: Path) -> Recording:
    """Read a recording; RecordingError when the database is not one of openadapt-capture's."""
    database = _database(path)
    left_out: Counter[str] = Counter()
    try:
        with closing(
            sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        ) as db:
            db.row_factory = sqlite3.Row
            windows = db.execute(_WINDOWS).fetchall()
            actions = db.execute(_ACTIONS).fetchall()
            pictures, sounds = db.execute(_PICTURES).fetchone()
    except sqlite3.Error as error:
        raise RecordingError("recording.db is not a recording of openadapt-capture.") from error
    left_out["category_denied"] = pictures + sounds
    start = min([row["timestamp"] for row in (*windows, *actions)], default=0.0)
    handed_off = _hand_offs(database.with_name("authentication-handoffs.json"))
    seen: list[Observation] = [
        Focus(t_ns=_since(start, row["timestamp"]), surface=_surface(row["title"]))
        for row in windows
    ]
    for row in actions:
        seen.extend(_action(row, start, handed_off))
    return Recording("openadapt-capture", in_order(seen), left_out)


def _database(path: Path) -> Path:
    return path / "recording.db" if path.is_dir() else path


def _hand_offs(path: Path) -> Sequence[_HandOff]:
    if not path.is_file():
        return ()
    try:
        return msgspec.json.decode(path.read_bytes(), type=_HandOffs).intervals
    except (OSError, msgspec.MsgspecError) as error:
        # Without knowing when someone signed in, nothing of the recording is safe to take.
        raise RecordingError("authentication-handoffs.json cannot be read.") from error


def _since(start: float, timestamp: float) -> int:
    return round((timestamp - start) * 1e9)


def _surface(title: str | None) -> Surface | None:
    return Surface("window-title", title) if title else None


def _action(
    row: sqlite3.Row, start: float, handed_off: Sequence[_HandOff]
) -> Iterator[Observation]:
    at: dict[str, Any] = {
        "t_ns": _since(start, row["timestamp"]),
        "surface": _surface(row["title"]),
    }
    if any(
        (each.started_at or 0.0) <= row["timestamp"] <= (each.ended_at or float("inf"))
        for each in handed_off
    ):
        yield Withheld(**at, reason="auth_handoff")
    elif row["disabled"]:
        yield Withheld(**at, reason="category_denied")
    else:
        yield _known(row, at)


def _known(row: sqlite3.Row, at: dict[str, Any]) -> Observation:
    if row["name"] in {"press", "release"}:
        return _key(row, at)
    place: dict[str, Any] = {"x": round(row["mouse_x"] or 0), "y": round(row["mouse_y"] or 0)}
    match row["name"]:
        case "move":
            return Move(**at, **place)
        case "scroll":
            turn: dict[str, Any] = {
                "dx": round(row["mouse_dx"] or 0),
                "dy": round(row["mouse_dy"] or 0),
            }
            return Scroll(**at, **place, **turn)
        case "click" if row["mouse_button_name"] in _BUTTONS:
            button = str(row["mouse_button_name"])
            return Button(**at, **place, button=button, is_down=bool(row["mouse_pressed"]))
    return Withheld(**at, reason="category_denied")


def _key(row: sqlite3.Row, at: dict[str, Any]) -> Key:
    name = named(row["key_name"] or row["canonical_key_name"])
    char = None if name else row["key_char"]
    if char is not None and not char.isprintable():
        # Some systems report ctrl+c as \x03; the canonical form is the letter.
        char = row["canonical_key_char"]
    code = str(row["key_vk"] or name or char)
    return Key(**at, is_down=row["name"] == "press", code=code, name=name, char=char)
