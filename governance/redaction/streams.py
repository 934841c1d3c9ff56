"""Keystroke streams of the redaction scorer: read them as strokes, write them back masked.

The format (`focus kd ku sel paste ime ac snap`) is that of the development sets; `manage.py redact`
speaks it, so that redaction can be measured without a database.
"""

from collections.abc import Iterator
from typing import Any, Final

from governance.redaction.engine import Detector
from governance.redaction.keystrokes import Findings, Reconstruction, Step, Stroke
from governance.redaction.schema import MASK

_NAMES: Final = {"ArrowLeft": "Left", "ArrowRight": "Right"}
_TEXT_LEAF: Final = {
    "paste": "text",
    "ac": "text",
    "ime": "text",
    "focus": "value",
    "snap": "value",
}
RawEvent = dict[str, Any]


def redact_stream(stream: dict[str, Any], detector: Detector) -> dict[str, Any]:
    """Return the stream with the same events in the same order, masked where they identify."""
    reconstruction = Reconstruction()
    reconstruction.feed(_steps(stream["events"]))
    findings = reconstruction.search(detector)
    return {"id": stream["id"], "events": _write_back(stream["events"], findings)}


def _steps(events: list[RawEvent]) -> Iterator[Step]:
    press, release = Stroke.PRESS, Stroke.RELEASE
    for event in events:
        index, kind = event["i"], event["k"]
        match kind:
            case "kd" | "ku":
                key, modifiers = event["key"], event.get("mods") or ()
                yield Step(
                    index=index,
                    stroke=press if kind == "kd" else release,
                    key=key if len(key) == 1 else str(_NAMES.get(key, key)),
                    is_command="Ctrl" in modifiers or "Meta" in modifiers,
                )
            case "focus" | "snap":
                yield Step(
                    index=index,
                    stroke=Stroke.FOCUS if kind == "focus" else Stroke.SNAPSHOT,
                    field=("", event["field"]),
                    role=event.get("role", ""),
                    label=event.get("label", ""),
                    text=event.get("value") or "",
                )
            case "sel":
                yield Step(
                    index=index, stroke=Stroke.SELECT, start=event["start"], end=event["end"]
                )
            case "paste":
                yield Step(index=index, stroke=Stroke.PASTE, text=event["text"])
            case "ac":
                yield Step(
                    index=index,
                    stroke=Stroke.COMPLETE,
                    text=event["text"],
                    start=event["start"],
                    end=event["end"],
                )
            case "ime":
                commit = event["phase"] == "commit"
                yield Step(
                    index=index,
                    stroke=Stroke.COMMIT if commit else Stroke.COMPOSE,
                    text=event["text"],
                )


def _write_back(events: list[RawEvent], findings: Findings) -> list[RawEvent]:
    written: list[RawEvent] = []
    burst: list[int] = []
    for position, event in enumerate(events):
        index, kind = event["i"], event["k"]
        if index in findings.events and kind in ("kd", "ku"):
            burst.append(position)
            masked = {"i": index, "t": event["t"], "k": kind, "key": MASK}
            written.append({**masked, "redacted": findings.events[index]})
            continue
        if kind != "ku":
            _even(written, burst)
            burst = []
        written.append(_mask_text(event, findings))
    _even(written, burst)
    return written


def _mask_text(event: RawEvent, findings: Findings) -> RawEvent:
    leaf = _TEXT_LEAF.get(event["k"])
    if leaf is None or not event.get(leaf):
        return dict(event)
    text = event[leaf]
    if event["i"] in findings.whole_texts:
        return {**event, leaf: MASK * len(text)}
    flagged = findings.characters.get(event["i"], {})
    return {**event, leaf: "".join(MASK if n in flagged else c for n, c in enumerate(text))}


def _even(events: list[RawEvent], burst: list[int]) -> None:
    """Space a masked burst evenly: the rhythm between its keys says what was typed."""
    if not burst:
        return
    first, last = burst[0], burst[-1]
    start, duration = events[first]["t"], events[last]["t"] - events[first]["t"]
    for position in range(first, last + 1):
        events[position]["t"] = start + duration * (position - first) // max(1, last - first)
