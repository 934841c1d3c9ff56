"""The whole promise, walked over HTTP alone on a running installation with real processes.

On the pass with SQLite as `make run` starts it on an empty machine, and whoever tells the demo's
story is killed in the middle; on the pass with PostgreSQL on real servers, a Redis among them.
The steps: choose, fetch, replay, judge, see, forget, release, prove, govern.
"""

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import redis
from django.db import connection

from governance.management import roles
from tests.consent import test_shapes as shapes
from tests.infrastructure import http, traces
from tests.infrastructure.canary import Canary
from tests.infrastructure.http import Person
from tests.infrastructure.postgres import Postgres
from tests.infrastructure.processes import ROOT, Installation, NotReadyError, installation
from tests.stories import telling, twice

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

TRAIN, DESK, TERMINAL = "train-computer-use-agents", "freight-desk", "warehouse-terminal"
RECORDINGS = ROOT / "clients" / "recordings"
ON_SERVERS = connection.vendor == "postgresql"
# What the recordings hold and nobody may ever find: the private chat, the password, the tax
# number, and titles of other applications that stood in an accessibility tree.
SECRETS = (
    "my pin is 4711",
    "dinner at 7? my",
    "DE 811 907 980",
    "computer_tracker",
    "AgentNet Tool",
    "jane.doe@example.com",
)
TYPED, TITLED, LINKED, SHOWN = (
    "quokka.zanzibar@canary.example",
    "Quokkatitle Zanzibar 90210",
    "quokkalink-zanzibar-8812",
    "Quokkatext Zanzibar 5531",
)
CANARIES = (TYPED, TITLED, LINKED, SHOWN)


@pytest.fixture(scope="module")
def nordhafen(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Installation]:
    """The seeded demo."""
    settings = {
        "REMIT_DEMO": "1",
        "REMIT_LOG_DELAY_SECONDS": "2",
        "REMIT_SWEEP_SECONDS": "2",
        "REMIT_RECALL_SECONDS": "2",
        # Workers are killed below; nobody need wait a minute for what they held.
        "REMIT_JOB_LEASE_SECONDS": "10",
    }
    folder = tmp_path_factory.mktemp("story")
    if ON_SERVERS:
        settings["REDIS_URL"] = request.getfixturevalue("redis").url
        settings |= _administered(request.getfixturevalue("postgres"), folder)
    with installation(folder, **settings) as installed:
        running = installed.start("serve")
        if not ON_SERVERS:
            telling.kill_the_narrator(installed, running)
        installed.wait_ready(timeout_seconds=telling.PATIENCE_SECONDS)
        assert ON_SERVERS or "demo ended (signal 9)" in running.log.read_text()
        telling.check(installed.origin)
        yield installed
        while _connections:
            _connections.pop().__exit__(None, None, None)
        telling.kill(installed)


def _administered(cluster: Postgres, folder: Path) -> dict[str, str]:
    """Do what an administrator does once; return the URLs that the service then runs with."""
    administrator = {
        "DATABASE_URL": cluster.create("story"),
        "REMIT_KEYSTORE_URL": cluster.create("story_keys"),
    }
    with installation(folder, **administrator) as by_hand:
        by_hand.manage("database_roles")
        assert "as they were laid" in by_hand.manage("database_roles", "--check")
    app = cluster.login("story_app", role=roles.APP, database="story")
    return {
        "DATABASE_URL": app,
        "REMIT_KEYSTORE_URL": f"{app}_keys",
        "REMIT_SEQUENCER_DATABASE_URL": cluster.login(
            "story_sequencer", role=roles.SEQUENCER, database="story"
        ),
    }


def agent(nordhafen: Installation, home: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "remit_agent", *words, "--home", str(home)],
        cwd=ROOT / "clients",
        env=nordhafen.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def wait(is_so: Callable[[], Any], *, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, "It did not come in time."
        time.sleep(0.3)
    return found


def verify(*words: str, expect: int = 0) -> str:
    verifier = ROOT / "dist" / "remit-verify.pyz"
    if not verifier.exists():
        subprocess.run([sys.executable, "-m", "audit.verifier.build"], cwd=ROOT, check=True)
    done = subprocess.run(
        [sys.executable, "-I", str(verifier), *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == expect, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


# Closed when the installation stops, so that no connection is left to the garbage collector.
_connections: list[Person] = []


def person(nordhafen: Installation, name: str) -> Person:
    _connections.append(Person(nordhafen.origin))
    return _connections[-1].sign_in(name)


def ok(answer: httpx.Response) -> Any:
    assert answer.is_success, f"{answer.status_code} {answer.text[:500]}"
    return answer.json() if answer.content else None


def cells(who: Person, **wanted: str) -> list[dict[str, Any]]:
    return [
        cell
        for cell in ok(who.get("/api/v1/me/consents"))["cells"]
        if all(cell[name] == value for name, value in wanted.items())
    ]


def say(who: Person, cell: dict[str, Any], status: str) -> httpx.Response:
    path = f"/api/v1/me/consents/{cell['purpose']}/{cell['application']}/{cell['category']}"
    return who.put(path, {"status": status, "notice_version": cell["notice_version"]})


def captures(who: Person, **filters: str) -> list[dict[str, Any]]:
    return list(ok(who.get("/api/v1/me/captures", limit=100, **filters))["captures"])


def recording_with_canaries(folder: Path) -> Path:
    """Return the real form recording with canaries typed, in its title, links and text."""
    text = (RECORDINGS / "rrweb" / "rr_plain.json").read_text()
    text = text.replace("Vendor onboarding - Demo Corp", TITLED).replace("New vendor", SHOWN)
    text = text.replace("form.html#vendors", f"form.html#{LINKED}")
    events = json.loads(text)
    typed = 0
    for event in events:
        data = event.get("data", {})
        if event["type"] == 3 and data.get("source") == 5 and data.get("id") == 32:
            typed += 1
            data["text"] = TYPED[:typed] if typed < len(TYPED) else TYPED
    shutil.copy(RECORDINGS / "mapping.json", folder)
    target = folder / "canary.json"
    target.write_text(json.dumps(events))
    return target


def test_the_story(nordhafen: Installation, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    tariq = person(nordhafen, "tariq")
    receipt = _tariq_chooses(nordhafen, tariq, tmp_path)
    home = _tariq_works(nordhafen, tariq, tmp_path)
    _tariq_sees(nordhafen, tariq, tmp_path)
    _officers_govern(nordhafen)
    _jonas_gets_what_was_approved_and_nothing_else(nordhafen, tmp_path)
    _tariq_leaves(nordhafen, tariq, home)
    _anybody_checks(nordhafen, receipt, tmp_path)
    _nothing_leaked(nordhafen, home)
    _no_server_holds_a_word_of_it(request)


def _tariq_chooses(nordhafen: Installation, tariq: Person, folder: Path) -> Path:
    """1: everything is off; a notice, a yes for some cells, a no for another, a receipt."""
    before = ok(tariq.get("/api/v1/me/consents"))
    assert {cell["status"] for cell in before["cells"]} == {"ConsentUnknown"}
    assert "performance-evaluation" in json.dumps(before["never_used_for"])
    assert captures(tariq) == []
    first = cells(tariq, purpose=TRAIN)
    assert {cell["category"] for cell in first}.isdisjoint({"screenshot"})
    for cell in first:
        yes = cell["category"] != "ui-structure"
        answer = say(tariq, cell, "ConsentGiven" if yes else "ConsentRefused")
        assert answer.status_code == 200, answer.text
        assert re.match(r"[0-9a-f-]{36}; leaf=", answer.headers["Audit-Entry"])
    latest = ok(tariq.get("/api/v1/me/receipts"))["receipts"][0]["id"]

    def with_index() -> Any:
        document = ok(tariq.get(f"/api/v1/me/receipts/{latest}"))
        return document if document.get("transparency", {}).get("index") is not None else None

    saved = folder / "receipt.json"
    saved.write_text(json.dumps(wait(with_index)))
    return saved


def _tariq_works(nordhafen: Installation, tariq: Person, folder: Path) -> Path:
    """2 to 5: enrol, fetch the signed policy, replay real recordings, see each batch end."""
    home = folder / "computer"
    code = ok(tariq.post("/api/v1/me/devices", {}))["code"]
    agent(nordhafen, home, "enrol", "--server", nordhafen.origin, "--code", code)
    assert agent(nordhafen, home, "status")
    for recording in (
        RECORDINGS / "openadapt-capture",
        RECORDINGS / "agentnet" / "display-settings",
        recording_with_canaries(folder),
    ):
        agent(nordhafen, home, "replay", str(recording), "--speed", "200")
    wait(lambda: {c["application"] for c in captures(tariq)} == {DESK, TERMINAL})
    found = captures(tariq)
    assert "ui-structure" not in {capture["category"] for capture in found}
    assert all(capture["retain_until"] > capture["hour"] for capture in found)
    return home


def _tariq_sees(nordhafen: Installation, tariq: Person, folder: Path) -> None:
    """6: what was captured, redacted; who opened it, each line with a proof that verifies."""
    for capture in captures(tariq):
        text = tariq.get(f"/api/v1/me/captures/{capture['id']}").text
        assert not [secret for secret in (*SECRETS, *CANARIES) if secret in text]
    typed = captures(tariq, category="keystroke-text")
    assert "redacted" in tariq.get(f"/api/v1/me/captures/{typed[0]['id']}").text
    lines = ok(tariq.get("/api/v1/me/accesses", limit=100))["accesses"]
    assert {"redaction", "own-access"} <= {line["purpose"] for line in lines}
    redaction = next(line for line in lines if line["purpose"] == "redaction")

    def proof() -> Any:
        answer = tariq.get(redaction["proof_url"])
        return answer.content if answer.status_code == 200 else None

    saved = folder / "access.tlog-proof"
    saved.write_bytes(wait(proof))
    vkeys = folder / "vkeys"
    vkeys.write_text(http.get(f"{nordhafen.origin}/log/vkeys").text)
    verify("proof", str(saved), "--vkey", str(vkeys))
    broken = folder / "broken.tlog-proof"
    text = saved.read_text()
    broken.write_text(text.replace("index ", "index 1", 1))
    verify("proof", str(broken), "--vkey", str(vkeys), expect=1)


def _officers_govern(nordhafen: Installation) -> None:
    """10: one drafts, another approves; the search in the log is itself an entry."""
    ines, lea = person(nordhafen, "ines"), person(nordhafen, "lea")
    path = f"/api/v1/capture-policies/{DESK}"
    current = ok(ines.get(f"{path}/versions/1"))
    content = current["content"] | {"categories": ["pointer", "click"], "rules": {}}
    draft = ok(ines.post(f"{path}/versions", content))
    number = draft["number"]
    ok(ines.post(f"{path}/submit", {"number": number}))
    word = {"number": number, "content_digest": draft["content_digest"]}
    own = ines.post(f"{path}/approvals", word)
    assert own.status_code in {403, 409}, own.text
    ok(lea.post(f"{path}/approvals", word))
    searched = ok(ines.get("/api/v1/audit/entries", event="policy:approved"))
    assert searched["entries"]
    again = ok(ines.get("/api/v1/audit/entries", event="log:searched"))
    assert again["entries"][0]["event"] == "log:searched"
    for verb in ("GET", "POST"):
        assert ines.send(verb, "/api/v1/me/captures/forget", {}).status_code in {403, 405, 404}


def _jonas_gets_what_was_approved_and_nothing_else(nordhafen: Installation, folder: Path) -> None:
    """8: purposes bind; a release is AgentNet JSONL under names of its own; a recall bites."""
    jonas = person(nordhafen, "jonas")
    asked = {"applications": [DESK], "categories": ["pointer"], "reason": "Rank the fastest."}
    for purpose, status in (("performance-evaluation", 422), ("something-else", 422)):
        answer = jonas.post("/api/v1/access-requests", asked | {"purpose": purpose})
        assert answer.status_code == status, answer.text
    (release,) = ok(jonas.get("/api/v1/releases"))["releases"]
    where = f"/api/v1/releases/{release['id']}"
    envelope = ok(jonas.get(f"{where}/manifest"))
    assert envelope["payloadType"].startswith("application/vnd.remit.release-manifest")
    manifest = json.loads(base64.b64decode(envelope["payload"]))
    assert manifest["contributors"] >= 20
    name = manifest["files"][0]["name"]
    wrong = jonas.get(f"{where}/files/{name}", purpose="performance-evaluation")
    assert wrong.status_code in {403, 422}, wrong.text
    unasked = jonas.get(f"{where}/files/{name}", purpose="improve-redaction")
    assert unasked.status_code == 403, unasked.text
    episode = jonas.get(f"{where}/files/{name}", purpose=TRAIN)
    assert episode.status_code == 200, episode.text
    step = json.loads(episode.text.splitlines()[0])
    assert {"task_id", "instruction", "traj"} <= step.keys()
    for file in manifest["files"]:
        text = jonas.get(f"{where}/files/{file['name']}", purpose=TRAIN).text
        assert not [secret for secret in (*SECRETS, *CANARIES) if secret in text]
    _a_withdrawal_recalls(nordhafen, jonas, where, [file["name"] for file in manifest["files"]])


def _a_withdrawal_recalls(
    nordhafen: Installation, jonas: Person, where: str, names: list[str]
) -> None:
    mira = person(nordhafen, "mira")
    assert ok(mira.get("/api/v1/me/releases"))["releases"]
    ok(mira.post("/api/v1/me/consents/withdraw-all", {}))

    def gone() -> list[int]:
        answers = [jonas.get(f"{where}/files/{name}", purpose=TRAIN).status_code for name in names]
        return [status for status in answers if status == 410]

    assert wait(gone)
    assert wait(lambda: ok(jonas.get(f"{where}/recalls"))["recalls"])
    assert captures(mira) == []


def _tariq_leaves(nordhafen: Installation, tariq: Person, home: Path) -> None:
    """6: pause, delete one, forget the last minutes, withdraw, erase everything."""
    ok(tariq.post("/api/v1/me/pause", {}))
    replayed = subprocess.run(
        [
            sys.executable,
            "-m",
            "remit_agent",
            "replay",
            str(RECORDINGS / "openadapt-capture"),
            "--speed",
            "400",
            "--home",
            str(home),
        ],
        cwd=ROOT / "clients",
        env=nordhafen.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    before = {capture["id"] for capture in captures(tariq)}
    assert replayed.returncode in {0, 1}, replayed.stderr
    time.sleep(2)
    assert {capture["id"] for capture in captures(tariq)} == before
    assert tariq.delete("/api/v1/me/pause").is_success
    one = captures(tariq)[0]["id"]
    assert tariq.delete(f"/api/v1/me/captures/{one}").is_success
    assert one not in {capture["id"] for capture in captures(tariq)}
    assert tariq.get(f"/api/v1/me/captures/{one}").status_code == 404
    ok(tariq.post("/api/v1/me/captures/forget", {"last_minutes": 30}))
    assert captures(tariq) == []
    asked = ok(tariq.post("/api/v1/me/requests", {"kind": "erasure"}))

    def certificate() -> Any:
        answer = tariq.get(f"/api/v1/me/requests/{asked['id']}/certificate")
        return answer.json() if answer.status_code == 200 else None

    assert wait(certificate)["payloadType"].startswith("application/vnd.remit.erasure-certificate")


def _anybody_checks(nordhafen: Installation, receipt: Path, folder: Path) -> None:
    """9: the log holds; one byte of a tile or of a leaf changed, and it does not."""
    vkeys = folder / "vkeys"
    log = f"{nordhafen.origin}/log"
    checkpoint = http.get(f"{log}/checkpoint").text
    assert checkpoint.count("\n— ") >= 3, "the log's two signatures and a witness's"
    verify("scan", log, "--vkey", str(vkeys))
    verify("receipt", str(receipt), "--vkey", str(vkeys))
    copy = folder / "log"
    shutil.copytree(nordhafen.var / "log", copy)
    verify("scan", str(copy), "--vkey", str(vkeys))
    for part in ("entries", "0"):
        tile = max((copy / "tile" / part).rglob("*"), key=lambda path: path.is_file())
        changed = bytearray(tile.read_bytes())
        changed[len(changed) // 2] ^= 1
        whole = tile.read_bytes()
        tile.write_bytes(changed)
        verify("scan", str(copy), "--vkey", str(vkeys), expect=1)
        tile.write_bytes(whole)
    verify("scan", str(copy), "--vkey", str(vkeys))


def _nothing_leaked(nordhafen: Installation, home: Path) -> None:
    """No plaintext of what was captured anywhere this installation writes."""
    for secret in (*SECRETS, *CANARIES):
        canary = Canary(secret)
        assert canary.scan_tree(nordhafen.var) == [], secret
        assert canary.scan_tree(home) == [], secret
    for log in nordhafen.var.parent.glob("*.log"):
        text = log.read_text(errors="replace")
        assert not [secret for secret in (*SECRETS, *CANARIES) if secret in text], log
    _no_process_holds_a_file_of_it(nordhafen)


def _no_process_holds_a_file_of_it(nordhafen: Installation) -> None:
    """Nor do processes in what they hold open, also when it is deleted; none would dump memory."""
    family = traces.family(one.process.pid for one in nordhafen.started if one.is_alive)
    assert len(family) > 5
    for process in family:
        assert not traces.may_dump(process)
        for where, data in traces.of_process(process):
            assert not [canary for canary in CANARIES if canary.encode() in data], where


def _no_server_holds_a_word_of_it(request: pytest.FixtureRequest) -> None:
    """The broker's memory, PostgreSQL's whole directory: heap, indexes, log of writes."""
    if not ON_SERVERS:
        return
    with redis.Redis.from_url(request.getfixturevalue("redis").url) as broker:
        held = b"".join(broker.dump(key) or b"" for key in broker.scan_iter())
    for secret in (*SECRETS, *CANARIES):
        assert Canary(secret).scan(held) == [], secret
    for secret in (SECRETS[0], TYPED):
        assert Canary(secret).scan_tree(request.getfixturevalue("postgres").data) == [], secret


def test_acknowledged_batches_end_once_whatever_dies(
    nordhafen: Installation, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """kill -9 of the worker in the middle, an emptied and poisoned broker: each batch ends once."""
    petra = person(nordhafen, "petra")
    for cell in cells(petra, purpose=TRAIN, application=TERMINAL):
        ok(say(petra, cell, "ConsentGiven"))
    code = ok(petra.post("/api/v1/me/devices", {}))["code"]
    home = tmp_path / "computer"
    agent(nordhafen, home, "enrol", "--server", nordhafen.origin, "--code", code)
    kills = 0
    for _ in range(2):
        agent(nordhafen, home, "replay", str(RECORDINGS / "openadapt-capture"), "--speed", "400")
        kills += _kill_workers(nordhafen)
        _empty_and_poison_the_broker(nordhafen, request)
    assert kills
    wait(lambda: not any(ask(nordhafen, request, query) for query in UNDER_WAY), seconds=120)
    assert not ask(nordhafen, request, STORED_TWICE)


def _empty_and_poison_the_broker(nordhafen: Installation, request: pytest.FixtureRequest) -> None:
    """Throw away every message and leave garbage, whose other kinds are tests.faults.poison's."""
    garbage = b"garbage"
    if ON_SERVERS:
        with redis.Redis.from_url(request.getfixturevalue("redis").url) as broker:
            broker.flushall()
            broker.lpush("default", garbage)
        return
    letters = nordhafen.var / "broker" / "messages"
    for path in letters.iterdir():
        path.unlink(missing_ok=True)
    path = letters / f"{time.monotonic_ns()}_garbage.default.msg"
    path.with_suffix(".part").write_bytes(garbage)
    path.with_suffix(".part").rename(path)


def _kill_workers(nordhafen: Installation) -> int:
    """Kill -9 every Celery worker process of this installation; return how many there were."""
    killed = 0
    for process in traces.family(one.process.pid for one in nordhafen.started if one.is_alive):
        with contextlib.suppress(OSError):
            if b"worker" in (traces.PROC / str(process) / "cmdline").read_bytes().split(b"\0"):
                os.kill(process, signal.SIGKILL)
                killed += 1
    return killed


UNDER_WAY = (
    "SELECT count(*) FROM capture_sealedbatch",
    """
    SELECT count(*) FROM capture_capturebatch batch LEFT JOIN capture_batchoutcome outcome
    ON outcome.batch_id = batch.id WHERE outcome.batch_id IS NULL
    """,
)
STORED_TWICE = """
    SELECT count(*) FROM (
        SELECT 1 FROM capture_liveframe live JOIN capture_frame frame ON frame.id = live.frame_id
        GROUP BY frame.batch_id, frame.application, frame.category, frame.first_hour
        HAVING count(*) > 1
    ) AS twice
"""


def ask(nordhafen: Installation, request: pytest.FixtureRequest, query: str) -> int:
    """Ask the database itself for a number."""
    if ON_SERVERS:
        with psycopg.connect(request.getfixturevalue("postgres").url("story")) as server:
            rows = server.execute(query.encode()).fetchall()
            return int(rows[0][0])
    with contextlib.closing(sqlite3.connect(nordhafen.var / "remit.sqlite3", timeout=30)) as file:
        return int(file.execute(query).fetchall()[0][0])


def test_a_consent_that_is_sent_twice_at_once_is_one_decision(
    nordhafen: Installation, request: pytest.FixtureRequest
) -> None:
    windows = [person(nordhafen, "carla") for _ in range(twice.AT_ONCE)]
    entries = "SELECT count(*) FROM audit_entry WHERE event = 'consent:decided'"

    def counted() -> tuple[int, int]:
        receipts = ok(windows[0].get("/api/v1/me/receipts"))["receipts"]
        return len(receipts), ask(nordhafen, request, entries)

    free = [cell for cell in cells(windows[0]) if not cell["is_valid"]]
    for cell in free[: twice.ROUNDS]:
        before = counted()
        twice.over_the_api(windows, cell)
        assert counted() == (before[0] + 1, before[1] + 1)
    last = free[twice.ROUNDS]
    before = counted()
    twice.over_the_form(
        windows[0],
        last["purpose"],
        ".".join(last[part] for part in ("purpose", "application", "category")),
    )
    assert counted() == (before[0] + 1, before[1] + 1)


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")
def test_r12_the_receipts_of_the_demo_are_read_by_a_foreign_parser_and_lack_nothing(
    nordhafen: Installation,
) -> None:
    looked_at = 0
    for name in ("mira", "carla"):
        who = person(nordhafen, name)
        for listed in ok(who.get("/api/v1/me/receipts"))["receipts"]:
            held = ok(who.get(f"/api/v1/me/receipts/{listed['id']}"))
            document = json.loads(base64.b64decode(held["payload"]))
            assert shapes.misses(document) == set()
            looked_at += 1
    assert looked_at >= 3  # Mira's yes, carla's, and her withdrawal.


def test_every_process_worked_with_no_more_than_its_role(
    nordhafen: Installation, request: pytest.FixtureRequest
) -> None:
    """All of the above was done by logins that may change nothing of the record."""
    if not ON_SERVERS:
        pytest.skip("SQLite has no roles.")
    cluster = request.getfixturevalue("postgres")
    with psycopg.connect(cluster.url("story")) as administrator:
        users = administrator.execute(
            "SELECT DISTINCT usename FROM pg_stat_activity "
            "WHERE datname ~ '^story' AND pid <> pg_backend_pid()"
        ).fetchall()
    assert {name for (name,) in users} == {"story_app", "story_sequencer"}
    assert "The log agrees" in nordhafen.manage("log_check")
    with pytest.raises(NotReadyError, match="Only a superuser"):
        nordhafen.manage("database_roles")


def test_a_changed_row_is_noticed(nordhafen: Installation, request: pytest.FixtureRequest) -> None:
    """A person with the file of the database in hand is caught by the published log.

    Meanwhile the service is stopped, leaves no process, and starts again without telling the
    story twice.
    """
    if ON_SERVERS:
        pytest.skip("The same insider edits run on PostgreSQL in tests/audit.")
    copied = nordhafen.var.parent / "tampered"
    before = ask(nordhafen, request, "SELECT count(*) FROM capture_capturebatch")
    telling.stop(nordhafen)
    shutil.copytree(nordhafen.var, copied)
    nordhafen.start("serve")
    nordhafen.wait_ready(timeout_seconds=telling.PATIENCE_SECONDS)
    assert ask(nordhafen, request, "SELECT count(*) FROM capture_capturebatch") == before
    check = [sys.executable, "manage.py", "log_check"]
    environment = nordhafen.environment | {"REMIT_VAR": str(copied)}

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            check, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

    assert run().returncode == 0, run().stderr
    with sqlite3.connect(copied / "remit.sqlite3") as database:
        names = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_entry'"
        ).fetchall()
        for (name,) in names:
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute(
            "UPDATE audit_entry SET leaf = CAST(replace(CAST(leaf AS TEXT), 'own-access', "
            "'own-acces5') AS BLOB) WHERE CAST(leaf AS TEXT) LIKE '%own-access%'"
        )
    assert run().returncode != 0
