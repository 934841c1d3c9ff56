"""Redaction on any input: it never crashes, keeps counts, and leaves nothing for a second look."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from governance.redaction import events, texts
from governance.redaction.directory import Directory, Employee
from governance.redaction.engine import Detector
from governance.redaction.pipeline import RedactionContext, redact

DETECTOR = Detector(Directory([Employee("Jane", "Doe", "jdoe")]))
CONTEXT = RedactionContext(directory=(Employee("Jane", "Doe", "jdoe"),))
PIECES = st.sampled_from(
    ["Jane Doe", "jane.doe@example.com", "+49 170 1234567", "4111 1111 1111 1111", "password: ",
     "Winter2024!x", "Dear ", "pin 4711", " ", "\n", "DE 811 907 980", "12 High Street", "•", "<",
     "192.168.0.1", "hello", "order 12", "%40", "\u200b", "é", "@", "."]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=8).map("".join))
LABELS = st.sampled_from(["", "Name", "Comment", "IBAN"])
ROLES = st.sampled_from(["", "document", "textbox", "cell", "window", "button"])


@given(TEXTS, LABELS, ROLES)
def test_spans_are_sorted_disjoint_and_inside_the_text(text: str, label: str, role: str) -> None:
    position = 0
    for span in DETECTOR.spans(text, label=label, role=role):
        assert position <= span.start < span.end <= len(text)
        position = span.end


@given(TEXTS, LABELS, ROLES)
def test_no_text_survives_its_own_second_look(text: str, label: str, role: str) -> None:
    dotted, _ = texts.blank(DETECTOR, text, label=label, role=role)
    assert len(dotted) == len(text)
    spans = DETECTOR.spans(dotted, label=label, role=role)
    assert texts.residue(dotted, spans) == []


@given(st.binary(max_size=300))
def test_parsing_bytes_never_raises(data: bytes) -> None:
    events.parse_lines(data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["seq", "t_ns", "app", "x", "y", "nodes", "points", "text", "field", "field_role", "key_char"]
)
KINDS = st.sampled_from(sorted(events.TYPES)) | st.text(max_size=8)


@given(st.dictionaries(NAMES, VALUES, max_size=8), KINDS)
def test_parsing_objects_never_raises_and_counts_each(item: dict[str, object], kind: str) -> None:
    parsed = events.parse_lines(json.dumps(item | {"type": kind}).encode())
    assert len(parsed.events) + sum(parsed.refused.values()) == 1
    for event in parsed.events:
        assert events.parse_lines(events.to_line(event)).events == [event]


def untimed(event: events.Event) -> dict[str, object]:
    """Leave out the time: a burst evened twice is a little more even."""
    return {leaf: value for leaf, value in events.to_dict(event).items() if leaf != "t_ns"}


KEYS = st.one_of(
    TEXTS.flatmap(lambda text: st.just([{"key_char": c} for c in text if c.isprintable()])),
    st.lists(
        st.sampled_from(["backspace", "left", "right", "home", "end", "delete", "enter"]).map(
            lambda name: {"canonical_key_name": name}
        ),
        max_size=5,
    ),
)
FIELDS = st.sampled_from([("a", "textbox"), ("b", "document")])


@settings(max_examples=60)
@given(st.lists(st.tuples(KEYS, FIELDS), max_size=5), st.lists(TEXTS, max_size=3))
def test_a_record_keeps_its_shape_and_its_own_redaction_changes_nothing(
    runs: list[tuple[list[dict[str, str]], tuple[str, str]]], snapshots: list[str]
) -> None:
    items: list[dict[str, object]] = []
    for keys, (field, role) in runs:
        for key in keys:
            leaves = {"field": field, "field_role": role, **key}
            items += [{"type": kind, **leaves} for kind in ("key.down", "key.up")]
    for text in snapshots:
        clean = text.replace("\x00", "")
        items.append({"type": "text.input", "field": "a", "field_role": "textbox", "text": clean})
    lines = b"\n".join(
        json.dumps({"seq": n, "t_ns": n * 10**8, "app": "desk", **item}).encode()
        for n, item in enumerate(items)
    )
    parsed = events.parse_lines(lines)
    assert parsed.refused == {}
    redacted = redact(parsed.events, context=CONTEXT)
    assert [(e.seq, e.type) for e in redacted.events] == [(e.seq, e.type) for e in parsed.events]
    again = redact(redacted.events, context=CONTEXT)
    assert again.counts == {}
    assert list(map(untimed, again.events)) == list(map(untimed, redacted.events))
