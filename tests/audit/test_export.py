"""Exports: the rows of the search, safe for spreadsheets, provable, readable by a SIEM."""

import csv
import io
import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from audit import export, ocsf, search
from audit.actions import SHY, Action, Verdict
from audit.actors import Actor
from audit.errors import ExportTooLargeError, ExportTooSlowError
from audit.export import Form
from audit.filters import SearchFilters
from audit.models import Entry
from audit.verifier import build

pytestmark = pytest.mark.django_db

Write = Callable[..., Entry]
MIRA, JONAS = "7d6f1d9e-1111-4222-8333-444455556666", "0a0b0c0d-9999-4888-8777-666655554444"
EVERYTHING = SearchFilters()

# What OCSF 1.6.0 demands of each class beside what it demands of every event, and the activities
# it knows; copied from the schema, not from our mapping.
BASE = {
    "activity_id",
    "category_uid",
    "class_uid",
    "metadata",
    "severity_id",
    "time",
    "type_uid",
}
CLASSES: dict[int, tuple[set[str], set[int]]] = {
    3001: ({"user"}, {*range(13), 99}),
    3002: ({"user", "service"}, {*range(8), 99}),
    3004: ({"entity"}, {*range(14), 99}),
    6003: ({"actor", "api", "src_endpoint"}, {0, 1, 2, 3, 4, 99}),
    6005: ({"actor", "src_endpoint", "table"}, {*range(11), 99}),
}


@pytest.fixture
def log(write: Write, open_log: Callable[[], None]) -> list[Entry]:
    """A published log about a person, and one entry that waits."""
    write(private={"application": "freight-desk"}, count=3, act="read")
    write(Action.CONSENT_DECIDED, actor=Actor(MIRA, "employee"), private={"status": "secret"})
    write(Action.ACCESS_DENIED, verdict=Verdict.DENY, purpose="-quality")
    open_log()
    write(purpose="waiting")
    return list(Entry.objects.order_by("id"))


def exported(form: Form, filters: SearchFilters = EVERYTHING) -> str:
    return b"".join(export.written(filters=filters, form=form)).decode("utf-8")


@pytest.mark.parametrize(
    "filters", [EVERYTHING, SearchFilters(events=frozenset({"access:allowed"}))]
)
def test_every_form_holds_the_rows_of_the_search_in_its_order(
    log: list[Entry], filters: SearchFilters
) -> None:
    wanted = [str(row.uuid) for row in search.search(filters=filters, limit=100).entries]
    assert len(wanted) == export.require_bounded(filters) == (len(log) if not filters.events else 2)
    table = list(csv.DictReader(io.StringIO(exported(Form.CSV, filters), newline="")))
    assert [line["id"] for line in table] == wanted
    for form, name in ((Form.JSONL, "id"), (Form.OCSF, "uid")):
        lines = [json.loads(line) for line in exported(form, filters).splitlines()]
        assert [line.get("metadata", line)[name] for line in lines] == wanted


def test_no_form_tells_of_a_person_or_of_what_is_shy(log: list[Entry]) -> None:
    for form in Form:
        said = exported(form)
        assert not any(hidden in said for hidden in (MIRA, JONAS, "freight-desk", "secret"))


def test_a_table_is_rfc_4180_and_no_cell_begins_a_formula(log: list[Entry]) -> None:
    said = exported(Form.CSV)
    assert said.endswith("\r\n")
    assert said.count("\r\n") == said.count("\n") == len(log) + 1
    lines = {line["index"]: line for line in csv.DictReader(io.StringIO(said, newline=""))}
    assert lines["1"]["purpose"] == "model-training"
    assert (lines["1"]["count"], lines["1"]["act"]) == ("3", "read")
    assert lines["3"]["purpose"] == "'-quality"
    assert bytes.fromhex(lines["3"]["leaf_hash"]) in {bytes(entry.leaf_hash) for entry in log}
    for cell in ('=HYPERLINK("x")', "+1", "@a", "\ta", "\ra", 'a"b', "a,b"):
        (read,) = next(iter(csv.reader(io.StringIO(export._line([cell]), newline=""))))
        assert read.removeprefix("'") == cell
        assert not read.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_every_line_is_proved_by_the_program_we_ship(
    log: list[Entry],
    write_many: Callable[[int], list[Entry]],
    open_log: Callable[[], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_many(300)
    open_log()
    waiting = write_many(1)
    program = tmp_path / "remit-verify.pyz"
    build.build(program)
    lines = [json.loads(line) for line in exported(Form.JSONL).splitlines()]
    assert [line["id"] for line in lines if line["proof"] is None] == [str(waiting[0].uuid)]
    proved = [line for line in lines if line["proof"]]
    assert len({line["proof"].partition("\n\n")[2] for line in proved}) == 1
    kept = {str(entry.uuid): bytes(entry.leaf) for entry in Entry.objects.all()}
    for line in (*proved[:3], *proved[-6:], *proved[3:-6:60]):
        assert json.dumps(line["leaf"], separators=(",", ":")).encode() == kept[line["id"]]
        assert verified(program, line["proof"], tmp_path, monkeypatch) == 0
    changed = proved[-2]["proof"].replace("index 1\n", "index 2\n")
    assert changed != proved[-2]["proof"]
    assert verified(program, changed, tmp_path, monkeypatch) == 1


def verified(
    program: Path, proof: str, places: Path, monkeypatch: pytest.MonkeyPatch
) -> int | str | None:
    """Run the shipped program on a proof, in this process; return its exit status."""
    (places / "one.tlog").write_text(proof)
    arguments = ["proof", "--vkey", str(places / "log/vkeys"), str(places / "one.tlog")]
    monkeypatch.setattr("sys.argv", [str(program), *arguments])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(program), run_name="__main__")
    return stopped.value.code


def test_every_event_is_valid_ocsf_and_names_nobody(log: list[Entry], write: Write) -> None:
    assert set(ocsf.KINDS) == set(Action)
    for action in Action:
        if action not in SHY:
            write(action, verdict=Verdict.DENY if "denied" in action else Verdict.ALLOW)
    for line in exported(Form.OCSF).splitlines():
        event: dict[str, Any] = json.loads(line)
        demanded, activities = CLASSES[event["class_uid"]]
        assert event.keys() >= BASE | demanded
        assert event["activity_id"] in activities
        assert event["activity_name"] == event["metadata"]["event_code"]
        assert event["category_uid"] == event["class_uid"] // 1000
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert event["metadata"]["version"] == "1.6.0"
        assert event["metadata"]["product"]["name"]
        assert event["severity_id"] in range(7)
        assert isinstance(event["time"], int)
        assert event["actor"].keys() in ({"user"}, {"app_name"})
        assert event.get("user", {"name": "not told"})["name"] == "not told"
    denied = next(line for line in exported(Form.OCSF).splitlines() if "access:denied" in line)
    told = json.loads(denied)
    assert (told["status_id"], told["severity_id"]) == (2, 3)
    assert told["actor"]["user"]["name"] == "data_requester"


def test_what_gets_its_place_meanwhile_stands_there_once(
    log: list[Entry], write_many: Callable[[int], list[Entry]], open_log: Callable[[], None]
) -> None:
    write_many(700)
    rows = search.every_row(filters=EVERYTHING)
    seen = [next(rows).uuid]
    open_log()
    seen += [row.uuid for row in rows]
    assert len(seen) == len(set(seen)) == len(log) + 700


def test_a_file_is_bounded_and_never_shortened(
    log: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST_ROWS", len(log) - 1)
    with pytest.raises(ExportTooLargeError, match=str(len(log))):
        export.require_bounded(EVERYTHING)
    monkeypatch.setattr(export, "MOST_SECONDS", -1)
    with pytest.raises(ExportTooSlowError):
        exported(Form.CSV)


def test_without_a_published_head_lines_have_no_proof(write: Write, settings: Settings) -> None:
    settings.REMIT_LOG_DIR = Path("/nowhere")
    write()
    assert json.loads(exported(Form.JSONL))["proof"] is None
