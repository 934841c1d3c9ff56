"""Redacting typed text, against only parsing and writing the same events."""

import json

from bench import rounds
from governance.redaction import events as wire
from governance.redaction import pipeline

TEXT = "Please call Jane Doe (jane.doe@example.com) about order 4711 before Friday. "
REPEATS = 4


def run() -> list[rounds.Row]:
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
    return rounds.table(medians, limit="parse and write", unit="events/s")
