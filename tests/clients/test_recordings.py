"""The real recordings through adapter, focus lag, filter and numbering, by the service's schema."""

import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from governance.redaction import events as wire
from remit_agent import adapters, mapping
from remit_agent.adapters import rrweb
from remit_agent.adapters.dom import Page
from remit_agent.errors import RecordingError
from remit_agent.filter import Filter, LeftOut
from remit_agent.observed import Move, Typed, Withheld
from remit_agent.policy import Document, Policy
from remit_agent.sequence import Numbered, Session, Timeline
from remit_agent.settle import settle
from tests.clients.conftest import LABELS, OFFERED, RECORDINGS, application

AGENTNET = "agentnet/display-settings"
OPENADAPT = "openadapt-capture"
PLAIN, MASKED = "rrweb/rr_plain.json", "rrweb/rr_masked.json"
START_NS = 1_795_000_000_000_000_000


def _policy(*categories: str, **more: Any) -> Policy:
    now = datetime.now(UTC)
    applications = [
        application(key, categories, **more) for key in ("freight-desk", "warehouse-terminal")
    ]
    document = msgspec.convert(
        {
            "schema": "agent-policy/1",
            "device_id": "d",
            "issued_at": now,
            "not_before": now,
            "expires_at": now,
            "policy_epoch": 1,
            "consent_epoch": 1,
            "paused_until": None,
            "applications": applications,
            "seal_keys": [],
            "budgets": {},
            "poll": {},
            "verify_keys": [],
        },
        Document,
    )
    return Policy(document, "0" * 64, None)


def _convert(
    name: str, *categories: str, speed: float = 1.0, map_file: Path | None = None, **more: Any
) -> tuple[list[Numbered], Counter[str]]:
    path = RECORDINGS / name
    recording = adapters.read(path)
    judge = Filter(mapping.load(path, file=map_file))
    policy = _policy(*(categories or OFFERED), **more)
    outcomes = list(judge.apply(settle(recording.observations), [policy]))
    dropped = Counter(each.reason for each in outcomes if isinstance(each, LeftOut))
    session = Session(Timeline(START_NS, speed))
    events = session.number(outcomes, policy_digest=policy.digest, is_last=True)
    return events, dropped + recording.left_out


def _text(events: list[Numbered]) -> str:
    """What was typed, as the service could rebuild it, and everything else that was sent."""
    downs = [str(e.event.get("key_char", "")) for e in events if e.event["type"] == "key.down"]
    ups = [str(e.event.get("key_char", "")) for e in events if e.event["type"] == "key.up"]
    return "".join(downs) + "\n" + "".join(ups) + "\n" + json.dumps([e.event for e in events])


@pytest.fixture
def masked_map(tmp_path: Path) -> Path:
    """A map for the masked twin, which was served from another port."""
    found = json.loads((RECORDINGS / "mapping.json").read_bytes())
    href = json.loads((RECORDINGS / MASKED).read_bytes())[0]["data"]["href"]
    entry = {"kind": "origin", "value": href.rpartition("/")[0], "application": "freight-desk"}
    found["surfaces"].append(entry)
    (tmp_path / "mapping.json").write_text(json.dumps(found))
    return tmp_path / "mapping.json"


@pytest.mark.parametrize("name", [OPENADAPT, AGENTNET, PLAIN])
def test_every_event_is_one_the_service_knows_under_the_category_it_was_sent_as(name: str) -> None:
    events, _ = _convert(name)
    lines = b"\n".join(msgspec.json.encode(each.event) for each in events)
    labels = {"freight-desk": LABELS, "warehouse-terminal": LABELS}
    parsed = wire.parse_lines(lines, labels=labels)
    assert parsed.refused == {}
    assert len(parsed.events) == len(events) > 30
    for event, sent in zip(parsed.events, events, strict=True):
        assert wire.categories_of(event) == ({sent.category} if sent.category else frozenset())


@pytest.mark.parametrize("name", [OPENADAPT, AGENTNET, PLAIN])
def test_numbers_have_no_holes_and_times_do_not_leave_the_recording(name: str) -> None:
    events, _ = _convert(name, speed=10)
    assert [each.event["seq"] for each in events] == list(range(len(events)))
    assert all(START_NS <= each.t_ns <= START_NS + 13 * 10**9 for each in events)


def test_r49_the_private_chat_leaves_no_key_and_the_allowed_window_keeps_its_own() -> None:
    events, dropped = _convert(OPENADAPT)
    text = _text(events)
    assert "Jane Doe" in text
    assert "jane.doe@example.com" in text
    for secret in ("dinner", "pin", "4711", "Private", "my p"):
        assert secret not in text
    # The chat was in front from 14.1 s to 17.8 s, give or take the focus lag.
    quiet = (START_NS + 13_900_000_000, START_NS + 17_700_000_000)
    kept = [each for each in events if each.category and quiet[0] < each.t_ns < quiet[1]]
    assert kept == []
    assert dropped["app_not_allowed"] > 80
    assert dropped["category_denied"] == 195
    gaps = [each.event for each in events if each.event["type"] == "capture.gap"]
    assert [gap["reason"] for gap in gaps] == ["app_not_allowed"]


def test_a_gap_takes_one_number_and_the_times_of_its_neighbours_so_that_it_tells_no_amount() -> (
    None
):
    events, _ = _convert(OPENADAPT)
    at = next(i for i, each in enumerate(events) if each.event["type"] == "capture.gap")
    gap = events[at].event
    assert gap["from_seq"] == gap["to_seq"] == gap["seq"]
    assert gap["t_from"] == events[at - 1].event["t_ns"]
    assert gap["t_to"] == events[at + 1].event["t_ns"]


def test_a_click_that_the_recorder_put_in_the_wrong_window_is_dropped() -> None:
    # infra.md §6, fact 1: pressed at the edge of a focus change, labelled with either window.
    events, _ = _convert(OPENADAPT, "click")
    recorded = adapters.read(RECORDINGS / OPENADAPT).observations
    changes = [each.t_ns for each in recorded if type(each).__name__ == "Focus"][1:]
    assert len(changes) == 2
    for change in changes:
        near = [
            each
            for each in events
            if each.category == "click" and abs(each.t_ns - START_NS - change) <= 250_000_000
        ]
        assert near == []


def test_r50_the_password_and_what_the_page_masks_or_blocks_leave_nothing() -> None:
    events, dropped = _convert(PLAIN)
    text = _text(events)
    for kept in ("Nordlicht Logistik GmbH", "kontakt@nordlicht.example", "before Friday."):
        assert kept in text
    for secret in ("hunter2", "****", "811 907 980", "credit limit", "payroll", "38749", "pw"):
        assert secret not in text
    assert dropped["secure_field"] > 14
    # Nothing on the password field: neither its clicks nor its place in the page.
    assert '"field_role": "password"' not in text
    nodes = [n["id"] for e in events for n in _nodes(e)]
    assert 32 in nodes
    assert 39 not in nodes
    assert 60 not in nodes


def _nodes(each: Numbered) -> list[dict[str, Any]]:
    nodes = each.event.get("nodes", [])
    return nodes if isinstance(nodes, list) else []


def test_a_field_is_said_once_a_visit_and_not_once_a_keystroke() -> None:
    events, _ = _convert(PLAIN, "keystroke-text")
    typed = [each.event for each in events if each.event["type"] == "text.input"]
    assert [(each["field"], each["field_role"], each["field_label"]) for each in typed] == [
        ("name", "textbox", "Vendor name"),
        ("email", "textbox", "Contact e-mail"),
        ("notes", "textbox", "Notes"),
    ]


def test_masked_inputs_say_neither_text_nor_length(masked_map: Path) -> None:
    changed: dict[str, Any] = {
        "matchers": [{"kind": "origin", "pattern": "http://127.0.0.1:*", "id": "any"}]
    }
    events, dropped = _convert(MASKED, map_file=masked_map, **changed)
    assert "text.input" not in _text(events)
    assert "*" not in _text(events)
    assert dropped["secure_field"] > 100
    denied, _ = _convert(MASKED)
    assert denied == []


def test_the_protected_page_is_not_even_clicked_into() -> None:
    events, _ = _convert(PLAIN)
    clicks = [each.event for each in events if each.category == "click"]
    # Seven controls, pressed and let go; the eighth was the payroll link.
    assert len(clicks) == 14
    assert not any(each.get("element_role") == "link" for each in clicks)


def test_a_choice_is_said_with_a_label_only_when_the_policy_lists_it() -> None:
    events, _ = _convert(PLAIN, "menu-navigation")
    chosen = [(e.event["control_role"], e.event.get("control_label")) for e in events if e.category]
    assert chosen == [("combobox", "France"), ("checkbox", "Terms accepted")]
    unlisted, _ = _convert(PLAIN, "menu-navigation", labels=[])
    assert [e.event.get("control_label") for e in unlisted if e.category] == [None, None]


def test_titles_of_other_applications_in_accessibility_trees_leave_nothing() -> None:
    events, dropped = _convert(AGENTNET)
    text = json.dumps([each.event for each in events], ensure_ascii=False)
    for foreign in ("网站管理后台", "Edge", "OBS", "AgentNet", "未命名", "Taskbar", "annotator"):
        assert foreign not in text
    trees = [each.event for each in events if each.event["type"] == "ui.tree"]
    assert len(trees) == 29
    assert set().union(*(node for tree in trees for node in _nodes(Numbered(None, tree)))) <= {
        "id", "parent", "role", "bounds", "text_class",
    }  # fmt: skip
    assert dropped["app_not_allowed"] > 70


def test_pointer_runs_are_packed_and_lead_where_the_pointer_went() -> None:
    events, _ = _convert(AGENTNET, "pointer")
    moves = [e.event for e in events if e.event["type"] in {"mouse.move", "mouse.path"}]
    assert len(moves) < 100
    assert sum(len(_points(e)) + 1 for e in moves) > 3900
    last = moves[-1]
    x, y = int(str(last["x"])), int(str(last["y"]))
    elapsed = 0
    for step, dx, dy in _points(last):
        x, y, elapsed = x + dx, y + dy, elapsed + step
    recorded = [o for o in adapters.read(RECORDINGS / AGENTNET).observations if isinstance(o, Move)]
    assert (x, y) == (recorded[-1].x, recorded[-1].y)
    assert abs(int(str(last["t_ns"])) + elapsed * 10**6 - START_NS - recorded[-1].t_ns) < 2 * 10**6


def _points(event: dict[str, object]) -> list[list[int]]:
    points = event.get("points", [])
    return points if isinstance(points, list) else []


def test_a_recording_without_windows_is_denied_as_a_whole() -> None:
    events, dropped = _convert("pynput")
    assert events == []
    assert dropped == {"app_not_allowed": 175}


def test_names_of_machines_people_and_tasks_are_not_even_read() -> None:
    for name in (OPENADAPT, AGENTNET, PLAIN, "pynput"):
        seen = repr(adapters.read(RECORDINGS / name).observations)
        for word in ("File an expense claim", "300E5K", "10.0.19045", "night light"):
            assert word not in seen


@pytest.mark.parametrize("category", OFFERED)
@pytest.mark.parametrize("name", [OPENADAPT, AGENTNET, PLAIN])
def test_one_category_allowed_means_events_of_one_category(name: str, category: str) -> None:
    events, dropped = _convert(name, category)
    assert {each.category for each in events} <= {category, None}
    denied = [e.event for e in events if e.event.get("reason") == "category_denied"]
    assert len(denied) <= 1
    assert dropped.total() > 0


def test_what_the_adapter_withholds_is_withheld_whatever_the_policy_says() -> None:
    seen = adapters.read(RECORDINGS / PLAIN).observations
    assert sum(isinstance(o, Withheld) and o.reason == "secure_field" for o in seen) > 14
    assert not any(isinstance(o, Typed) and o.element.field in {"pw", "tax"} for o in seen)


def test_a_field_that_was_a_password_once_stays_secure(tmp_path: Path) -> None:
    stream = json.loads((RECORDINGS / PLAIN).read_bytes())
    at = next(i for i, e in enumerate(stream) if e["data"].get("id") == 39)
    change = {"id": 39, "attributes": {"type": "text"}}
    shown = {"source": 0, "texts": [], "removes": [], "adds": [], "attributes": [change]}
    stream.insert(at, {"type": 3, "data": shown, "timestamp": stream[at]["timestamp"]})
    for event in stream:
        if event["data"].get("id") == 39 and event["data"].get("source") == 5:
            event["data"]["text"] = "hunter2-secret"[: len(event["data"]["text"])]
    (tmp_path / "shown.json").write_text(json.dumps(stream, separators=(",", ":")))
    seen = adapters.read(tmp_path / "shown.json").observations
    assert "hunter2" in (tmp_path / "shown.json").read_text()
    assert "hunter" not in repr(seen)


def test_r50_the_field_in_the_place_of_a_password_is_one() -> None:
    def field(node_id: int, kind: str, name: str) -> dict[str, Any]:
        attributes = {"type": kind, "name": name}
        return {"id": node_id, "type": 2, "tagName": "input", "attributes": attributes}

    page = Page()
    page.load(field(1, "password", "pw"))
    page.load(field(2, "text", "pw"))
    page.add(field(3, "text", "amount"), parent=None)
    assert page.is_withheld(2)
    assert not page.is_withheld(3)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recording.db", b"SQLite format 3\x00 not really"),
        ("stream.json", b'[{"type":3,"data":{"source":1},"timestamp":1}]'),
        ("stream.json", b'[{"type":'),
        ("log.ndjson", b'{"type":"mouse_move"}\n'),
        ("log.ndjson", b"\xff\xfe"),
        ("notes.txt", b"hello"),
    ],
)
def test_a_foreign_file_is_one_clear_error(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordingError):
        adapters.read(tmp_path / name)


def test_a_signing_in_that_the_recorder_handed_off_is_left_out(tmp_path: Path) -> None:
    shutil.copytree(RECORDINGS / OPENADAPT, tmp_path / "r")
    start, end = 1795251171.4, 1795251172.0
    interval = {"started_at": start, "ended_at": end}
    handed = {"schema_version": "v1", "intervals": [interval]}
    (tmp_path / "r" / "authentication-handoffs.json").write_text(json.dumps(handed))
    seen = adapters.read(tmp_path / "r").observations
    with closing(sqlite3.connect(tmp_path / "r" / "recording.db")) as database:
        query = "SELECT count(*) FROM action_event WHERE timestamp BETWEEN ? AND ?"
        (inside,) = database.execute(query, (start, end)).fetchone()
    assert sum(isinstance(o, Withheld) and o.reason == "auth_handoff" for o in seen) == inside > 20
    (tmp_path / "r" / "authentication-handoffs.json").write_text("[")
    with pytest.raises(RecordingError):
        adapters.read(tmp_path / "r")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "chain", [[(1, None), (2, 1), (1, 2)], [(5, 9), (9, 5)], [(1, None), (1, 1)], [(7, 7)]]
)
def test_a_page_whose_node_stands_below_itself_is_refused_and_never_followed_round(
    chain: list[tuple[int, int | None]],
) -> None:
    page = Page()
    *before, (last, parent) = chain
    for each, above in before:
        page.add({"id": each, "type": 2, "tagName": "div"}, parent=above)
    with pytest.raises(ValueError, match="below itself"):
        page.add({"id": last, "type": 2, "tagName": "div"}, parent=parent)
    assert not any(page.is_masked(each) for each, _ in chain)


@pytest.mark.parametrize(
    "data",
    [
        {"node": {"id": 1, "type": 0, "childNodes": ["text"]}},
        {"node": {"id": 1, "type": 2, "attributes": ["class"]}},
        {"node": 7},
    ],
)
def test_a_stream_whose_nodes_are_none_is_no_recording(tmp_path: Path, data: object) -> None:
    event = {"type": 2, "data": data, "timestamp": 1}
    file = tmp_path / "stream.json"
    file.write_bytes(msgspec.json.encode([event]))
    with pytest.raises(RecordingError):
        adapters.read(file)
    assert not rrweb.Reader(start_ms=0).try_take(event)


def test_a_recording_with_a_time_beyond_all_numbers_is_none(tmp_path: Path) -> None:
    episode = tmp_path / "episode"
    shutil.copytree(RECORDINGS / "agentnet" / "display-settings", episode)
    events = (episode / "events.jsonl").read_text().splitlines()
    last = json.loads(events[-1]) | {"time_stamp": 1e308}
    (episode / "events.jsonl").write_text("\n".join([*events[:-1], json.dumps(last)]) + "\n")
    with pytest.raises(RecordingError):
        adapters.read(episode)
