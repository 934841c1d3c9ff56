"""Redacted events as the steps training teams load: AgentNet/OpenCUA trajectories.

Pure. One episode holds what one contributor did in one application; each step is one PyAutoGUI
call in pixels of the recorded screen. Where something is missing (a pause, a secure field, an
erasure) the next step says `gap_before`, never why: the reason is the contributor's own business.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

MASK: Final = "•"
_CLICK_PIXELS: Final = 4
_DOUBLE_CLICK_MS: Final = 500
_NANOSECONDS: Final = 1_000_000
_KEYS: Final = {"esc": "escape", "page_up": "pageup", "page_down": "pagedown", "cmd": "win"}

Event = Mapping[str, Any]


@dataclass(slots=True)
class _Step:
    """A step while it may still grow."""

    code: str
    action: str
    at: int
    gap_before: bool
    observation: str | None
    image: str | None


@dataclass(slots=True)
class _Episode:
    """What was seen so far, and what waits to become a step."""

    steps: list[_Step] = field(default_factory=list)
    gap: bool = False
    observation: str | None = None
    typed: list[str] = field(default_factory=list)
    typed_at: int = 0
    pointer: tuple[float, float, int] | None = None
    down: Event | None = None
    snapshot: Event | None = None
    image: str | None = None
    images: dict[str, str] = field(default_factory=dict)
    reads_keys: bool = False


def episode(*, task_id: str, instruction: str, events: Iterable[Event]) -> dict[str, Any] | None:
    """Return one trajectory, or None when the events hold no step. Events come in order."""
    ordered = list(events)
    state = _Episode(reads_keys=any("key_char" in event for event in ordered))
    for event in ordered:
        _take(state, event)
    _finish_typing(state)
    _finish_snapshot(state)
    _finish_pointer(state)
    if not state.steps:
        return None
    start = state.steps[0].at
    shown = {step.image for step in state.steps}
    return {
        "images": {name: data for name, data in state.images.items() if name in shown},
        "task_id": task_id,
        "instruction": instruction,
        "traj": [_written(number, step, start) for number, step in enumerate(state.steps)],
    }


def ordered_by_session(records: Sequence[tuple[str, Sequence[Event]]]) -> Iterator[Event]:
    """Yield the events of several frames in the order they happened.

    `records` are (batch id, events); batch ids are UUIDv7 and so in order, and within a batch the
    sequence number says more than the coarse times of typed text.
    """
    found = [
        (batch, int(event["seq"]), number, event)
        for number, (batch, events) in enumerate(records)
        for event in events
    ]
    for _, _, _, event in sorted(found, key=lambda one: one[:3]):
        yield event


def _written(number: int, step: _Step, start: int) -> dict[str, Any]:
    value: dict[str, Any] = {"code": step.code, "action": step.action}
    if step.observation:
        value["observation"] = step.observation
    return {
        "index": number,
        "image": step.image,
        "value": value,
        "t_rel_ms": max(0, step.at - start) // _NANOSECONDS,
        "gap_before": step.gap_before,
    }


def _take(state: _Episode, event: Event) -> None:
    kind = event["type"]
    if kind.startswith("mouse."):
        _finish_typing(state)
        _finish_snapshot(state)
        _mouse(state, kind, event)
    elif kind in ("key.down", "key.shortcut", "text.input"):
        _keys(state, kind, event)
    elif kind in ("capture.gap", "capture.resume"):
        state.gap = True
    elif kind == "screen.frame":
        _see(state, event)
    elif kind in ("nav.url", "window.focus", "app.focus"):
        pattern = event.get("url_pattern") or event.get("title_pattern")
        state.observation = f"The page or window is {pattern or event['app']}."
    elif kind == "menu.select":
        _finish_typing(state)
        label = event.get("control_label", "")
        role = event["control_role"]
        code = f"computer.select(role={role!r}, label={label!r})"
        _add(state, code, f"Choose {label or 'an entry'} ({role}).", event)
    elif kind == "task.mark" and event["kind"] == "end":
        _finish_typing(state)
        _add(state, "computer.terminate(status='success')", "End the task.", event)


def _see(state: _Episode, event: Event) -> None:
    """Remember the picture of the screen; the steps from here on were taken before it."""
    _finish_typing(state)
    _finish_snapshot(state)
    _finish_pointer(state)
    data = str(event["image"])
    # Base64 of the three bytes that every JPEG begins with.
    ending = "jpg" if data.startswith("/9j/") else "png"
    state.image = f"{event['blob_id']}.{ending}"
    state.images[state.image] = data


def _mouse(state: _Episode, kind: str, event: Event) -> None:
    match kind:
        case "mouse.move" | "mouse.path":
            x, y = _path_end(event)
            state.pointer = (x, y, int(event["t_ns"]))
        case "mouse.down":
            state.down = event
        case "mouse.up":
            _release(state, event)
        case "mouse.scroll":
            state.pointer = None
            _add(
                state,
                f"pyautogui.scroll({round(event['dy'])}, x={_n(event['x'])}, y={_n(event['y'])})",
                "Scroll.",
                event,
            )
        case "mouse.drag":
            state.pointer = None
            _drag(state, event, (event["x"], event["y"]), (event["to_x"], event["to_y"]))


def _path_end(event: Event) -> tuple[float, float]:
    points = event.get("points", ())
    return event["x"] + sum(p[1] for p in points), event["y"] + sum(p[2] for p in points)


def _release(state: _Episode, event: Event) -> None:
    """Turn a press and its release into a click, a double click or a drag."""
    down = state.down or event
    state.down = None
    state.pointer = None
    start, end = (down["x"], down["y"]), (event["x"], event["y"])
    if max(abs(start[0] - end[0]), abs(start[1] - end[1])) > _CLICK_PIXELS:
        _drag(state, down, start, end)
        return
    button = "" if event["button"] == "left" else f", button={event['button']!r}"
    code = f"pyautogui.click(x={_n(start[0])}, y={_n(start[1])}{button})"
    role = down.get("element_role") or event.get("element_role") or "screen"
    last = state.steps[-1] if state.steps else None
    if last and last.code == code and int(down["t_ns"]) - last.at < _DOUBLE_CLICK_MS * _NANOSECONDS:
        last.code = code.replace("click", "doubleClick", 1)
        last.action = f"Double-click the {role}."
        return
    _add(state, code, f"Click the {role}.", down)


def _drag(
    state: _Episode, event: Event, start: tuple[float, float], end: tuple[float, float]
) -> None:
    code = (
        f"pyautogui.moveTo(x={_n(start[0])}, y={_n(start[1])}); "
        f"pyautogui.dragTo(x={_n(end[0])}, y={_n(end[1])}, button={event['button']!r})"
    )
    _add(state, code, "Drag.", event)


def _keys(state: _Episode, kind: str, event: Event) -> None:
    if kind == "text.input":
        _snapshot(state, event)
        return
    if kind == "key.shortcut":
        _finish_typing(state)
        keys = ", ".join(repr(_KEYS.get(key, key)) for key in event["keys"])
        _add(state, f"pyautogui.hotkey({keys})", "Press " + "+".join(event["keys"]) + ".", event)
        return
    character, name = event.get("key_char"), event.get("canonical_key_name")
    if character and (character == MASK or character.isprintable()):
        _finish_snapshot(state)
        if not state.typed:
            state.typed_at = int(event["t_ns"])
        state.typed.append(_placeholder(event, state) if character == MASK else character)
    elif pressed := name or event.get("key_name") or _control(character):
        _finish_typing(state)
        key = _KEYS.get(pressed, pressed)
        _add(state, f"pyautogui.press({key!r})", f"Press {pressed}.", event)


def _control(character: str | None) -> str | None:
    return {"\b": "backspace", "\x7f": "delete", "\n": "enter", "\r": "enter", "\t": "tab"}.get(
        character or ""
    )


def _placeholder(event: Event, state: _Episode) -> str:
    """Write a masked run once, by its type: <EMAIL>."""
    text = f"<{event.get('redacted', 'REDACTED')}>"
    return "" if state.typed and _last_text(state.typed) == text else text


def _last_text(typed: Sequence[str]) -> str:
    return next((text for text in reversed(typed) if text), "")


def _snapshot(state: _Episode, event: Event) -> None:
    """Keep the newest text of a field; it becomes a step when the work goes on elsewhere."""
    if state.reads_keys:
        return
    _finish_pointer(state)
    if state.snapshot and state.snapshot["field"] != event["field"]:
        _finish_snapshot(state)
    state.snapshot = event


def _finish_snapshot(state: _Episode) -> None:
    event, state.snapshot = state.snapshot, None
    if event and event["text"]:
        text = _dotted(event["text"], str(event.get("redacted", "REDACTED")))
        _add(state, f"pyautogui.write(message={text!r})", "Fill in the field.", event)


def _dotted(text: str, kind: str) -> str:
    parts: list[str] = []
    for character in text:
        piece = f"<{kind}>" if character == MASK else character
        if not (piece == f"<{kind}>" and parts and parts[-1] == piece):
            parts.append(piece)
    return "".join(parts)


def _finish_typing(state: _Episode) -> None:
    text = "".join(state.typed)
    state.typed = []
    if text:
        _append(state, f"pyautogui.write(message={text!r})", "Type.", state.typed_at)


def _finish_pointer(state: _Episode) -> None:
    pointer, state.pointer = state.pointer, None
    if pointer:
        x, y, at = pointer
        _append(state, f"pyautogui.moveTo(x={_n(x)}, y={_n(y)})", "Move the pointer.", at)


def _add(state: _Episode, code: str, action: str, event: Event) -> None:
    _finish_pointer(state)
    _append(state, code, action, int(event["t_ns"]))


def _append(state: _Episode, code: str, action: str, at: int) -> None:
    state.steps.append(_Step(code, action, at, state.gap, state.observation, state.image))
    state.gap = False
    state.observation = None


def _n(value: float) -> str:
    """Write a coordinate without a fraction it does not have."""
    return str(int(value)) if float(value).is_integer() else f"{value:.1f}"
