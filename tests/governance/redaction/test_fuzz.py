"""Any text and any strokes: no crash, no span out of place, no lost event, nothing found twice."""

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.redaction import events, pipeline, texts
from governance.redaction.errors import ResidueError
from governance.redaction.streams import redact_stream
from tests.governance.redaction import scoring

SOAK = bool(os.environ.get("REMIT_SOAK"))
pytestmark = [pytest.mark.soak] if SOAK else []
LIMITS = settings(
    max_examples=10_000 if SOAK else 40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PIECES = [
    *sorted({word for row in scoring.rows("text.jsonl")[:300] for word in row["text"].split()}),
    "\u200b", "%40", "%C3%A9", "\\n", "\n", "\t", "@", "+49", "•", "<PERSON_1>",
    "\uff14\uff11", "\ufb01", "\u0130",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=14).map(" ".join)
ROLES = st.sampled_from(["document", "textbox", "cell", "window", "button", "address", ""])
LABELS = st.sampled_from(["", "Full name", "Order number", "IBAN", "Straße", "Password"])
KEYS = st.sampled_from(
    [*"anna.b@x.de 4111", "Enter", "Backspace", "Delete", "ArrowLeft", "ArrowRight", "Home", "End"]
)
STROKES = st.lists(
    st.builds(lambda key: {"k": "kd", "key": key}, KEYS)
    | st.builds(lambda key: {"k": "kd", "key": key, "mods": ["Ctrl"]}, st.sampled_from("axzyv"))
    | st.builds(lambda key: {"k": "ku", "key": key}, KEYS)
    | st.builds(lambda text: {"k": "paste", "text": text}, TEXTS)
    | st.builds(
        lambda field, role, label, text: {
            "k": "focus", "field": field, "role": role, "label": label, "value": text,
        },
        st.sampled_from("ab"), ROLES, LABELS, TEXTS,
    )
    | st.builds(
        lambda field, text: {"k": "snap", "field": field, "value": text},
        st.sampled_from("ab"), TEXTS,
    )
    | st.builds(
        lambda start, end: {"k": "sel", "start": start, "end": end},
        st.integers(0, 9), st.integers(0, 9),
    )
    | st.builds(
        lambda text, start, end: {"k": "ac", "text": text, "start": start, "end": end},
        TEXTS, st.integers(0, 9), st.integers(0, 9),
    )
    | st.builds(
        lambda phase, text: {"k": "ime", "phase": phase, "text": text},
        st.sampled_from(["update", "commit"]), TEXTS,
    ),
    max_size=40,
)  # fmt: skip


@given(TEXTS, LABELS, ROLES)
@LIMITS
def test_spans_lie_in_the_text_in_order_and_apart(text: str, label: str, role: str) -> None:
    end = 0
    for span in scoring.detector().spans(text, label=label, role=role):
        assert end <= span.start < span.end <= len(text)
        end = span.end


@given(text=TEXTS, role=ROLES, keyed=st.booleans())
@LIMITS
def test_what_was_replaced_is_not_found_again(text: str, role: str, *, keyed: bool) -> None:
    detector = scoring.detector()
    try:
        done, _ = texts.replace(detector, text, role=role, key=b"k" * 32 if keyed else None)
    except ResidueError:
        return  # The record is quarantined.
    assert texts.residue(done, detector.spans(done, role=role)) == []


@given(STROKES)
@LIMITS
def test_strokes_keep_their_number_order_and_kinds(strokes: list[dict[str, Any]]) -> None:
    before = [{"i": n, "t": 40 * n, **stroke} for n, stroke in enumerate(strokes)]
    after = redact_stream({"id": "s", "events": before}, scoring.detector())["events"]
    assert scoring.same_structure(before, after)


@given(st.lists(st.tuples(st.sampled_from("abc"), TEXTS), min_size=1, max_size=6))
@LIMITS
def test_a_stored_record_holds_nothing_a_second_look_finds(said: list[tuple[str, str]]) -> None:
    items = [
        {"seq": n, "t_ns": n, "type": "text.input", "app": "desk", "field": name,
         "field_role": "document", "text": text}
        for n, (name, text) in enumerate(said)
    ]  # fmt: skip
    parsed = events.parse_lines("\n".join(map(json.dumps, items)).encode()).events
    context = pipeline.RedactionContext()
    try:
        stored = pipeline.redact(parsed, context=context).events
    except ResidueError:
        return
    assert [event.seq for event in stored] == [event.seq for event in parsed]
    assert pipeline.redact(stored, context=context).counts == {}
