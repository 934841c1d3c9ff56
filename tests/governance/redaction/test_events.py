"""Closed means closed: every leaf has a category, and what is not listed is refused and counted."""

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from governance.redaction import events
from governance.redaction.schema import BARE, TYPES

CATEGORIES = {
    "pointer",
    "click",
    "menu-navigation",
    "shortcut",
    "keystroke-timing",
    "keystroke-text",
    "window-metadata",
    "ui-structure",
    "screenshot",
}
CONTROL = {"capture.pause", "capture.resume", "capture.gap", "capture.policy", "task.mark"}
NODE = {"id": 1, "role": "textbox", "text_class": "short", "parent": 0, "bounds": [0, 0, 9, 9]}
SAMPLES: dict[str, dict[str, Any]] = {
    "mouse.move": {"x": 1, "y": 2.5},
    "mouse.path": {"x": 1, "y": 2, "points": [[16, 1, -1]]},
    "mouse.scroll": {"x": 1, "y": 2, "dx": 0, "dy": -1},
    "mouse.down": {"x": 1, "y": 2, "button": "left", "element_role": "button"},
    "mouse.up": {"x": 1, "y": 2, "button": "left", "element_bounds": [0, 0, 5, 5]},
    "mouse.drag": {"x": 1, "y": 2, "to_x": 3, "to_y": 4, "button": "left"},
    "ui.element": {"element_role": "button", "element_bounds": [0, 0, 5, 5]},
    "menu.open": {"control_role": "menu"},
    "menu.select": {"control_role": "menuitem", "control_label": "Save"},
    "key.shortcut": {"keys": ["ctrl", "s"]},
    "key.down": {"key_char": "a", "field": "f1", "field_role": "textbox", "field_label": "Name"},
    "key.up": {"key_class": "letter"},
    "text.input": {"field": "f1", "field_role": "textbox", "text": "hello"},
    "app.focus": {},
    "window.focus": {"title_pattern": "main"},
    "nav.url": {"url_pattern": "claims"},
    "ui.tree": {"nodes": [NODE]},
    "dom.rrweb": {"kind": "full", "nodes": [NODE]},
    "screen.frame": {"blob_id": "0" * 64, "texts": [{"text": "Save", "bounds": [0, 0, 5, 5]}]},
    "capture.pause": {},
    "capture.resume": {},
    "capture.gap": {
        "from_seq": 1,
        "to_seq": 2,
        "t_from": 1,
        "t_to": 2,
        "sources": ["input"],
        "reason": "paused",
    },
    "capture.policy": {"policy_digest": "0" * 64},
    "task.mark": {"kind": "start", "task_id": "018f3e2a-7c11-7d2e-9b1a-5f0c8d7e6a4b"},
}
LABELS = {"freight-desk": {"Save"}}


def wire(kind: str, /, **leaves: object) -> dict[str, Any]:
    return {
        "seq": 0,
        "t_ns": 1_770_000_000_000_000_000,
        "type": kind,
        "app": "freight-desk",
    } | leaves


def parse(*items: dict[str, Any]) -> events.Parsed:
    return events.parse_lines("\n".join(map(json.dumps, items)).encode(), labels=LABELS)


def test_every_type_has_a_sample_and_every_sample_is_read_and_written_back() -> None:
    assert SAMPLES.keys() == TYPES.keys()
    for kind, leaves in SAMPLES.items():
        parsed = parse(wire(kind, **leaves))
        assert parsed.refused == {}, kind
        [event] = parsed.events
        assert json.loads(events.to_line(event)) == wire(kind, **leaves)


def test_every_leaf_has_exactly_one_of_the_categories_or_is_session_control() -> None:
    for (kind, leaf), category in events.LEAVES.items():
        assert (category is None) == (kind in CONTROL), (kind, leaf)
        assert category is None or category in CATEGORIES
    assert set(events.LEAVES.values()) - {None} == CATEGORIES
    listed = {kind for kind, _ in events.LEAVES} | CONTROL | BARE.keys()
    assert listed == TYPES.keys()


def test_every_sample_has_one_category_and_control_has_none() -> None:
    for kind, leaves in SAMPLES.items():
        [event] = parse(wire(kind, **leaves)).events
        assert len(events.categories_of(event)) == (0 if kind in CONTROL else 1)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (wire("key.type", text="jane.doe@example.com", canonical_key_vk="65"), "unknown_type"),
        (wire("screen.frame", blob_id="x"), "bad_value"),
        (wire("screen.frame", blob_id="0" * 64, image="aGk="), "unknown_field"),
        ({**wire("window.focus"), "title": "Jane Doe - CRM"}, "unknown_field"),
        ({**wire("nav.url", url_pattern="a"), "url": "https://x/?q=jane"}, "unknown_field"),
        (wire("dom.rrweb", kind="full", nodes=[{**NODE, "innerHTML": "Jane"}]), "unknown_field"),
        (wire("ui.tree", nodes=[{**NODE, "name": "Jane Doe"}]), "unknown_field"),
        (wire("ui.tree", nodes=[{**NODE, "role": "Jane Doe"}]), "bad_value"),
        (wire("key.down", key_char="a", key_class="letter"), "mixed_category"),
        (wire("key.down", key_name="tab", field="f1"), "mixed_category"),
        (wire("key.down", key_name="jane"), "bad_value"),
        (wire("key.down"), "bad_value"),
        (wire("key.down", field="f1"), "bad_value"),
        (wire("key.down", key_char="\u0000"), "bad_value"),
        (wire("key.down", key_char="\ud800"), "bad_value"),
        (wire("key.down", key_char="a", redacted="PERSON"), "unknown_field"),
        (wire("mouse.down", x=1, y=2, button="\ud800"), "bad_value"),
        ({**wire("app.focus"), "app": "\ud800"}, "bad_value"),
        ({**wire("app.focus"), "\ud800": 1}, "unknown_field"),
        (wire("key.shortcut", keys=["j"]), "bad_value"),
        (wire("key.shortcut", keys=["shift", "j"]), "bad_value"),
        (wire("key.shortcut", keys=["ctrl", "j", "d"]), "bad_value"),
        (wire("key.shortcut", keys=["ctrl", "jane"]), "bad_value"),
        (wire("menu.select", control_role="menuitem", control_label="Jane"), "label_not_listed"),
        (wire("text.input", field="p", field_role="password", text="x"), "secure_field"),
        (wire("text.input", field="p", field_role="textbox", text="x" * 4097), "bad_value"),
        (wire("nav.url", url_pattern="Jane Doe"), "bad_value"),
        (wire("nav.url", url_pattern="a\n"), "bad_value"),
        (wire("mouse.move", x=1 << 60, y=0), "bad_value"),
        ({**wire("app.focus"), "seq": -1}, "bad_value"),
        ({**wire("app.focus"), "t_ns": 1 << 70}, "bad_value"),
        ({**wire("app.focus"), "type": ["app.focus"]}, "unknown_type"),
    ],
)
def test_r48_what_is_not_listed_is_refused_under_its_reason(
    item: dict[str, Any], reason: str
) -> None:
    good = wire("app.focus")
    parsed = parse(item, good)
    assert parsed.refused == {reason: 1}
    assert [event.type for event in parsed.events] == ["app.focus"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[" * 100_000, "not_json"),
        (b'{"seq":' + b"9" * 10_000 + b"}", "not_json"),
        (b'{"seq":0,"seq":0}', "not_json"),
        (b'{"x":NaN}', "bad_value"),
        (b"\xff\xfe", "not_json"),
        (b"null", "not_json"),
        (b'{"type":"app.focus"' + b" " * (600 << 10) + b"}", "too_large"),
    ],
)
def test_hostile_lines_are_counted_and_raise_nothing(line: bytes, reason: str) -> None:
    parsed = events.parse_lines(line + b"\n" + json.dumps(wire("app.focus")).encode())
    assert parsed.refused == {reason: 1}
    assert len(parsed.events) == 1


def test_too_many_and_too_much_are_refused() -> None:
    line = json.dumps(wire("app.focus")).encode() + b"\n"
    assert events.parse_lines(line * 5001).refused == {"too_many": 1}
    assert events.parse_lines(b" " * (8 << 20) + line).refused == {"too_large": 1}


def test_r50_a_field_that_was_secure_once_stays_secure_when_the_password_is_shown() -> None:
    parsed = parse(
        wire("key.down", key_char="h", field="pw", field_role="textbox"),
        wire("key.down", key_char="x", field="pw", field_role="Password"),
        wire("text.input", field="pw", field_role="textbox", text="hunter2"),
        wire("key.down", key_char="y", field="other", field_role="textbox"),
    )
    assert parsed.refused == {"secure_field": 3}
    assert len(parsed.events) == 1


def test_the_published_schema_accepts_what_the_parser_accepts() -> None:
    schema = events.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == "/api/v1/schemas/events-1.json"
    validator = jsonschema.Draft202012Validator(schema)
    for kind, leaves in SAMPLES.items():
        assert validator.is_valid(wire(kind, **leaves)), kind
        assert not validator.is_valid(wire(kind, **leaves, surprise=1)), kind
    assert not validator.is_valid(wire("key.down", key_char="a", redacted="PERSON"))
    assert not validator.is_valid(wire("key.down", key_name="jane"))
    assert not validator.is_valid(wire("ui.tree", nodes=[{**NODE, "role": "Jane"}]))
