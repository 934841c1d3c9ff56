"""Redacting texts, streams of keystrokes and captured events, beside the peers in the same run.

Texts and streams are the development set of the tests; the first 400 texts for speed, all for what
is found. A row says how a side did; `slower` is how many times as long it took as we did. Screens
have no peer that runs without a model from the net: they are told in milliseconds of one core.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from typing import Any

from bench import detectors, rounds
from governance.redaction import engine, pipeline, prefilter
from governance.redaction import events as wire
from governance.redaction.screens.redactor import RedactedScreen, ScreenRedactor
from governance.redaction.streams import redact_stream
from tests.governance.redaction import scoring

TEXT = "Please call Jane Doe (jane.doe@example.com) about order 4711 before Friday. "
REPEATS = 4
SPEED_ROWS = 400
SCREENS = scoring.HERE / "screens"
SCREEN_ROUNDS = 3


def run() -> list[rounds.Row]:
    ours = scoring.detector()
    rows = scoring.rows("text.jsonl")
    with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
        peers = detectors.peers(Path(folder))
        table = [*_texts(ours, peers, rows), *_keystrokes(ours, peers["openadapt-privacy"])]
    return [*table, *_screens(ours), *_events()]


def _texts(
    ours: engine.Detector, peers: dict[str, detectors.Detect], rows: list[dict[str, Any]]
) -> list[rounds.Row]:
    """Compare what is found in texts, and how fast."""

    def find(row: dict[str, Any]) -> detectors.Ranges:
        spans = ours.spans(row["text"], label=row["label"], role=row["role"])
        return [(span.start, span.end) for span in spans]

    def theirs(detect: detectors.Detect, row: dict[str, Any]) -> detectors.Ranges:
        """Give a peer the label as people would write it before a value."""
        lead = f"{row['label']}: " if row["label"] else ""
        found = ((a - len(lead), b - len(lead)) for a, b in detect(lead + row["text"]))
        return [(max(0, a), b) for a, b in found if b > 0]

    sides = {"remit": find} | {
        name: lambda row, detect=detect: theirs(detect, row) for name, detect in peers.items()
    }
    for _ in range(prefilter.TEXTS_BEFORE // len(rows) + 1):
        [find(row) for row in rows]
    some = rows[:SPEED_ROWS]

    def timed(side: Callable[[dict[str, Any]], detectors.Ranges]) -> Callable[[], int]:
        return lambda: len([side(row) for row in some]) and sum(len(row["text"]) for row in some)

    medians = rounds.rates({name: timed(side) for name, side in sides.items()}, rounds=3)
    table: list[rounds.Row] = []
    for name, side in sides.items():
        score = scoring.score_texts(rows, [side(row) for row in rows])
        table.append(
            {
                "side": f"texts: {name}",
                "per s": f"{medians[name] / 1000:.1f} kchar",
                "slower": round(medians["remit"] / medians[name], 1),
                "recall": round(score.recall, 3),
                "precision": round(score.precision, 3),
                "F2": round(score.f2, 3),
                "rows touched for nothing": round(score.touched, 3),
            }
        )
    return table


def _keystrokes(ours: engine.Detector, openadapt: detectors.Detect) -> list[rounds.Row]:
    """Compare masked streams with openadapt's scrubber over the bursts its recorder joins."""
    streams = scoring.rows("keystrokes.jsonl")
    some = streams[:60]

    def redact() -> int:
        return sum(len(redact_stream(row, ours)["events"]) for row in some)

    def scrub() -> int:
        for row in some:
            for text in detectors.bursts(row["events"]):
                openadapt(text)
        return sum(len(row["events"]) for row in some)

    redact()
    medians = rounds.rates({"remit": redact, "openadapt-privacy": scrub}, rounds=3)
    score = scoring.score_streams(streams, [redact_stream(s, ours)["events"] for s in streams])
    found = {"remit": {"recall": round(score.recall, 3), "precision": round(score.precision, 3)}}
    return [
        {
            "side": f"keystrokes: {name}",
            "per s": f"{rate / 1000:.1f} k events",
            "slower": round(medians["remit"] / rate, 1),
            **found.get(name, {}),
        }
        for name, rate in medians.items()
    ]


def _screens(ours: engine.Detector) -> list[rounds.Row]:
    """Time screens by their pixels alone: the first of a record, and those that follow one."""
    screens = json.loads((SCREENS / "boxes.json").read_text())
    seconds: dict[str, list[float]] = {screen["file"]: [] for screen in screens}
    ends: dict[str, RedactedScreen] = {}
    redactor = ScreenRedactor(ours)
    redactor.redact((SCREENS / screens[0]["file"]).read_bytes())  # Loads the reader.
    for _ in range(SCREEN_ROUNDS):
        for screen in screens:
            name = screen["file"]
            if "prev" not in screen:
                redactor = ScreenRedactor(ours)
            data = (SCREENS / name).read_bytes()
            # Of this process alone, on all its threads: a busy machine changes little.
            start = time.process_time()
            ends[name] = redactor.redact(data)
            seconds[name].append(time.process_time() - start)
    sides = {
        "the first of a record": [one for one in screens if "prev" not in one],
        "one that follows": [one for one in screens if "prev" in one],
    }
    return [_row_of_screens(side, some, seconds, ends) for side, some in sides.items()]


def _row_of_screens(
    side: str,
    screens: list[dict[str, Any]],
    seconds: dict[str, list[float]],
    ends: dict[str, RedactedScreen],
) -> rounds.Row:
    recall, others = scoring.score_screens(
        (screen, [each.box for each in ends[screen["file"]].painted]) for screen in screens
    )
    return {
        "side": f"screens, pixels alone: {side}",
        "ms": round(1000 * mean(median(seconds[screen["file"]]) for screen in screens)),
        "recall": round(recall, 3),
        "others painted": round(others, 3),
    }


def _events() -> list[rounds.Row]:
    """Compare a redacted batch with only parsing and writing the same events."""
    lines = b"\n".join(
        json.dumps(
            {"seq": number, "t_ns": number * 10**8, "type": kind, "app": "desk", "key_char": key}
        ).encode()
        for number, (key, kind) in enumerate(
            (key, kind) for key in TEXT * REPEATS for kind in ("key.down", "key.up")
        )
    )
    context = pipeline.RedactionContext()

    def parse() -> int:
        events = wire.parse_lines(lines).events
        return len([wire.to_line(event) for event in events])

    def redact() -> int:
        events = wire.parse_lines(lines).events
        redacted = pipeline.redact(events, context=context)
        return len([wire.to_line(event) for event in redacted.events])

    medians = rounds.rates({"parse and write": parse, "parse, redact, write": redact})
    return [
        {"side": f"events: {row['side']}", "per s": f"{row['events/s']} events",
         "slower": row["ratio"]}
        for row in rounds.table(medians, limit="parse and write", unit="events/s")
    ]  # fmt: skip
