"""The command reads and writes the scorer's formats, with no database."""

import gzip
import json
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

STREAM = {
    "id": "s",
    "scenario": "x",
    "events": [
        {"i": 0, "t": 0, "k": "focus", "field": "f", "role": "document", "label": "", "value": ""}
    ]
    + [
        {"i": 1 + n, "t": 10 * n * n, "k": "kd", "key": c}
        for n, c in enumerate("to jane.doe@example.com ok")
    ],
}


def test_texts_get_spans_and_streams_get_masks(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl.gz", tmp_path / "out.jsonl"
    packed = tmp_path / "out.jsonl.gz"
    people = tmp_path / "people.json"
    people.write_text(json.dumps([{"given": "Mira", "surname": "Sander", "login": "msander"}]))
    with gzip.open(source, "wt") as file:
        file.write(json.dumps({"id": "t", "text": "msander wrote", "label": "", "role": ""}))
    known = ["--directory", str(people)]
    call_command("redact", "--kind", "text", *known, str(source), str(target))
    assert json.loads(target.read_text()) == {"id": "t", "spans": [[0, 7, "USERNAME"]]}

    with gzip.open(source, "wt") as file:
        file.write(json.dumps(STREAM))
    call_command("redact", "--kind", "keystrokes", *known, str(source), str(packed))
    events = json.loads(gzip.decompress(packed.read_bytes()))["events"]
    keys = "".join(event.get("key", "") for event in events)
    assert keys == "to " + "•" * 20 + " ok"
    times = [event["t"] for event in events]
    assert times == sorted(times)
    steps = {b - a for a, b in pairwise(times[4:24])}
    assert max(steps) - min(steps) <= 1


def test_what_the_command_cannot_do_is_said_and_not_thrown(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", str(tmp_path / "out.jsonl")
    source.write_text('{"id": 1, "text": "E1"}\n{"id"')
    text = ["redact", "--kind", "text"]
    with pytest.raises(CommandError, match="regular expression"):
        call_command(*text, "--employee-id", "(", str(source), target)
    with pytest.raises(CommandError, match="No model for names"):
        call_command(*text, "--profile", "full", str(source), target)
    with pytest.raises(CommandError, match="line 2: not JSON"):
        call_command(*text, str(source), target)
    with pytest.raises(CommandError, match="No such file"):
        call_command(*text, str(tmp_path / "none"), target)
