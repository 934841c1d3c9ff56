"""A plain pynput log: pointer and keys, no windows.

Without knowing the window nothing of it may be sent, and nothing is: every observation has no
surface, which no policy can allow. It is read so that a replay can say so, with numbers.
"""

from pathlib import Path
from typing import Any

import msgspec

from remit_agent.adapters.lines import read_lines
from remit_agent.keyboard import named
from remit_agent.observed import (
    Button,
    Key,
    Move,
    Observation,
    Recording,
    Scroll,
    Surface,
    Withheld,
    in_order,
)


class _Line(msgspec.Struct, frozen=True):
    type: str
    t: int
    x: float = 0
    y: float = 0
    dx: float = 0
    dy: float = 0
    button: str = ""
    key: str | None = None


def recognises(path: Path) -> bool:
    """Whether this is a log of one JSON object a line, or a folder with one."""
    return _log(path) is not None


def read(path: Path, *, window: Surface | None = None) -> Recording:
    """Read a log. `window` names the one window that was in front, for who knows it was."""
    log = _log(path) or path
    seen = [_observe(line, window) for line in read_lines(log, _Line)]
    return Recording("pynput", in_order(seen))


def _log(path: Path) -> Path | None:
    candidate = path / "pynput.ndjson" if path.is_dir() else path
    return candidate if candidate.is_file() and candidate.suffix == ".ndjson" else None


def _observe(line: _Line, window: Surface | None) -> Observation:
    at: dict[str, Any] = {"t_ns": line.t * 1_000_000, "surface": window}
    place: dict[str, Any] = {"x": round(line.x), "y": round(line.y)}
    match line.type:
        case "mouse_move":
            return Move(**at, **place)
        case "scroll":
            return Scroll(**at, **place, dx=round(line.dx), dy=round(line.dy))
        case "mouse_down" | "mouse_up" if line.button in {"left", "right", "middle"}:
            is_down = line.type == "mouse_down"
            return Button(**at, **place, button=line.button, is_down=is_down)
        case "key_down" | "key_up" if line.key:
            return _key(line.key, at, is_down=line.type == "key_down")
        case _:
            return Withheld(**at, reason="category_denied")


def _key(key: str, at: dict[str, Any], *, is_down: bool) -> Key:
    name = named(key) if len(key) > 1 else None
    char = key if len(key) == 1 else None
    # pynput gives no key code here; the letter without its case tells keys apart well enough.
    return Key(**at, is_down=is_down, code=name or key.lower(), name=name, char=char)
