"""Redacting texts, streams of keystrokes and captured events, beside the peers in the same run.

Texts and streams are the development set of the tests; the first 400 texts for speed, all for what
is found. A row says how a side did; `slower` is how many times as long it took as we did.
"""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import detectors, rounds
from governance.redaction import engine, pipeline, prefilter
from governance.redaction import events as wire
from governance.redaction.streams import redact_stream
from tests.governance.redaction import scoring

TEXT = "Please call Jane Doe (jane.doe@example.com) about order 4711 before Friday. "
REPEATS = 4
SPEED_ROWS = 400


def run() -> list[rounds.Row]:
    ours = scoring.detector()
    rows = scoring.rows("text.jsonl")
    with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
        peers = detectors.peers(Path(folder))
        table = [*_texts(ours, peers, rows), *_keystrokes(ours, peers["openadapt-privacy"])]
    return [*table, *_events()]


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
