"""Any text and any strokes: no crash, no span out of place, no lost event, nothing found twice."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.redaction import events, pipeline, texts
from governance.redaction.errors import ResidueError
from governance.redaction.streams import redact_stream
from tests.governance.redaction import scoring

SOAK = bool(os.environ.get("REMIT_SOAK"))
# Ten thousand cases of four properties are minutes of work, more on a busy machine.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)] if SOAK else []
LIMITS = settings(
    max_examples=10_000 if SOAK else 40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PIECES = [
    *sorted({word for row in scoring.rows("text.jsonl")[:300] for word in row["text"].split()}),
    "\u200b", "%40", "%C3%A9", "\\n", "\n", "\t", "@", "+49", "•", "<PERSON_1>",
    "\uff14\uff11", "\ufb01", "\u0130", "\u202e", "a\u0301", "\u0430nna", "\u00ad", "\U0001f600",
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


@given(STROKES)
@LIMITS
def test_stored_keys_spell_nothing_a_second_look_finds(strokes: list[dict[str, Any]]) -> None:
    items = list(_as_events(strokes))
    parsed = events.parse_lines("\n".join(map(json.dumps, items)).encode()).events
    context = pipeline.RedactionContext()
    try:
        stored = pipeline.redact(parsed, context=context).events
    except ResidueError:
        return
    assert [(e.seq, e.type) for e in stored] == [(e.seq, e.type) for e in parsed]
    assert pipeline.redact(stored, context=context).counts == {}


def _as_events(strokes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield strokes as an agent sends them; what has no form of its own is a text of its field."""
    field, role = "a", "document"
    for n, stroke in enumerate(strokes):
        base = {"seq": n, "t_ns": 4 * 10**7 * n, "app": "desk", "field": field, "field_role": role}
        if stroke["k"] in ("kd", "ku"):
            key = stroke["key"]
            said = {"key_char": key} if len(key) == 1 else {"canonical_key_name": key.lower()}
            yield {**base, "type": "key.down" if stroke["k"] == "kd" else "key.up", **said}
        elif text := stroke.get("text") or stroke.get("value"):
            field = stroke.get("field", field)
            yield {**base, "field": field, "type": "text.input", "text": text}


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
