"""A witness in its own process, spoken to over HTTP: the codes of the specification, and a fork."""

import base64
import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_django import Settings

from audit import checkpoint, health, quorum, selectors, sequencer, tree
from audit import witness as witnesses
from audit.checkpoint import Head, Signer
from audit.errors import ForkError, LogUnavailableError, NoteError, WitnessConflictError
from audit.models import Cosignature, Entry, TreeState
from audit.verifier.checkpoint import Trust, accept
from audit.verifier.keys import Key, parse_vkey
from audit.verifier.policy import parse_policy
from audit.witnessing import Witnesses
from tests import reference_log
from tests.audit.test_addresses import says, server
from tests.infrastructure import http

pytestmark = [pytest.mark.real, pytest.mark.once]

HASHES = [tree.leaf_hash(bytes([number])) for number in range(40)]
NAME = "witness.test.example/one"


def node(level: int, index: int) -> bytes:
    return tree.perfect_root(HASHES[index << level : (index + 1) << level])


@dataclass
class Running:
    """A witness process and where it listens."""

    process: subprocess.Popen[str]
    url: str
    key: Key
    where: Path

    def post(self, old: int, size: int, **changes: Any) -> httpx.Response:
        """Submit the head of `size` with the proof from `old`; keywords replace a part."""
        root = changes.get("root", tree.root(node, size))
        proof = changes.get("proof", tree.consistency_proof(node, min(old, size), size))
        note = changes.get("note") or sign(size, root)
        lines = [f"old {old}", *(base64.b64encode(part).decode() for part in proof)]
        body = changes.get("body") or ("\n".join(lines) + "\n\n" + note).encode()
        return http.post(f"{self.url}add-checkpoint", content=body)


def sign(size: int, root: bytes) -> str:
    """Sign as a log that forgot everything: whoever holds the key can."""
    (checkpoint.directory() / "signed-head").unlink(missing_ok=True)
    return Signer(checkpoint.log_keys()).sign(Head(size, root), proof_from=lambda _: ())


def start(places: Path, *, register: bool, port: int = 0, name: str = NAME) -> Running:
    where = places / "witness" / name.rpartition("/")[2]
    environment = os.environ | {
        "REMIT_VAR": str(places / "var"),
        "REMIT_KEYS_DIR": str(places / "keys"),
        "REMIT_LOG_DIR": str(places / "log"),
        "REMIT_WITNESS_POLICY": str(places / "log" / "policy"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-m", "django", "witness", f"--port={port}", f"--dir={where}"]
    process = subprocess.Popen(
        [*command, f"--name={name}", *(["--register"] if register else [])],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    key = parse_vkey(process.stdout.readline().strip())
    url = process.stdout.readline().strip().removeprefix("witness: ")
    return Running(process, url, key, where)


def stop(running: Running) -> None:
    if running.process.poll() is None:
        running.process.terminate()
    running.process.wait(10)
    if running.process.stdout:
        running.process.stdout.close()


@pytest.fixture
def witness(places: Path) -> Iterator[Running]:
    quorum.ensure()
    running = start(places, register=False)
    yield running
    stop(running)


def test_the_codes_are_those_of_the_specification(witness: Running) -> None:
    other = sign(7, tree.root(node, 7)).replace(checkpoint.log_keys().origin, "other.example")
    stripped = sign(7, tree.root(node, 7)).replace("\n\n", "\nx\n\n")
    assert witness.post(0, 7, note=other).status_code == 404
    assert witness.post(0, 7, note=stripped).status_code == 400
    broken = sign(7, tree.root(node, 7)).replace("\n7\n", "\n8\n")
    assert witness.post(0, 7, note=broken).status_code == 403
    assert witness.post(9, 7).status_code == 400
    assert witness.post(0, 7, body=b"old 00\n\n").status_code == 400
    assert witness.post(0, 7, proof=[bytes(32)] * 64).status_code == 400
    assert witness.post(0, 7, body=b"x" * 20_000).status_code == 413
    assert http.get(f"{witness.url}nothing").status_code == 404

    assert witness.post(3, 7).text == "0\n"
    first = witness.post(0, 7)
    assert first.status_code == 200
    conflict = witness.post(0, 9)
    assert (conflict.status_code, conflict.text) == (409, "7\n")
    assert conflict.headers["content-type"] == "text/x.tlog.size"
    assert witness.post(7, 9, proof=[bytes(32)]).status_code == 422
    assert witness.post(7, 7, root=bytes(32)).status_code == 422
    assert witness.post(7, 7).status_code == 200
    assert witness.post(7, 40).status_code == 200
    assert witness.post(40, 20).status_code == 400


def raw(witness: Running, request: bytes) -> bytes:
    """Send bytes that no client library would, and return the status line."""
    host, _, port = witness.url.removeprefix("http://").rstrip("/").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").readline().strip()


POST = b"POST /add-checkpoint HTTP/1.1\r\n"
ODD: list[tuple[int, bytes]] = [
    (411, POST),
    (411, POST + b"Content-Length: -1"),
    (411, POST + b"Content-Length: 1e3"),
    (411, POST + b"Content-Length: \xb2"),
    (411, POST + b"Transfer-Encoding: chunked"),
    (413, POST + b"Content-Length: 16385"),
    # Leading zeros before a length that no memory holds.
    (413, POST + b"Content-Length: " + b"0" * 9 + b"9" * 18),
    (400, POST + b"Content-Length: 20\r\n\r\nold 0\n"),
    (400, POST + b"Content-Length: 0"),
    (404, b"POST /add-checkpoint/ HTTP/1.1\r\nContent-Length: 0"),
    (404, b"GET /add-checkpoint HTTP/1.1"),
    (404, b"GET /../ed25519.key HTTP/1.1"),
    (404, b"GET //../checkpoint HTTP/1.1"),
    (414, b"GET /" + b"x" * 70_000 + b" HTTP/1.1"),
    (501, b"BREW /add-checkpoint HTTP/1.1"),
]


def test_no_request_costs_more_than_an_answer(witness: Running) -> None:
    for status, request in ODD:
        line = raw(witness, request + b"\r\n\r\n")
        assert line.split(b" ")[1] == str(status).encode(), request[:60]
    assert witness.post(0, 7).status_code == 200, "and the next one is served"


def test_the_answer_verifies_and_is_published(witness: Running) -> None:
    note = sign(7, tree.root(node, 7))
    line = witness.post(0, 7, note=note).text
    log_key = checkpoint.log_keys().public[0]
    accepted = accept((note + line).encode(), Trust(keys=(log_key, witness.key)))
    assert [each.key for each in accepted.witnesses] == [witness.key]
    digest = sha256(checkpoint.log_keys().origin.encode()).hexdigest()
    published = http.get(f"{witness.url}{digest}/checkpoint")
    assert accept(published.content, Trust(keys=(log_key, witness.key))).size == 7
    assert http.get(f"{witness.url}{'0' * 64}/checkpoint").status_code == 404


def test_what_it_publishes_holds_no_line_that_it_did_not_verify(tmp_path: Path) -> None:
    """A reader who trusts another log's key would have to refuse the note for a broken line."""
    log, other = reference_log.Log([b"a", b"b"]), reference_log.Signer("other.example", 6)
    keys = [parse_vkey(key.vkey) for key in (*log.signers[:2], other)]
    key = checkpoint.witness_key(tmp_path, name=NAME)
    broken = other.line(log.body()).replace("other.example/", "x")[:-9] + "AAAAAAA=\n"
    stranger = witnesses.Witness(where=tmp_path, key=key, logs=keys)
    asked = b"old 0\n\n" + log.checkpoint() + broken.encode()
    assert stranger.add_checkpoint(asked).status == 200
    digest = sha256(log.origin.encode()).hexdigest()
    published = stranger.published(digest).body.encode()
    assert accept(published, Trust(keys=(*keys, key.public))).size == 2


def test_a_witness_that_cannot_remember_does_not_sign(tmp_path: Path) -> None:
    log = reference_log.Log([b"a"])
    key = checkpoint.witness_key(tmp_path, name=NAME)
    log_keys = [parse_vkey(log.signers[0].vkey)]
    one = witnesses.Witness(where=tmp_path, key=key, logs=log_keys)
    (tmp_path / sha256(log.origin.encode()).hexdigest()).write_text("in the way")
    answer = one.add_checkpoint(b"old 0\n\n" + log.checkpoint())
    assert (answer.status, "\u2014" in answer.body) == (503, False)


def test_two_witnesses_with_one_memory_cosign_one_history(tmp_path: Path) -> None:
    """An operator who starts it twice must not get two answers for one size."""
    logs = [reference_log.Log([b"%d" % number]) for number in range(16)]
    log_keys = [parse_vkey(logs[0].signers[0].vkey)]
    key = checkpoint.witness_key(tmp_path, name=NAME)
    both = [witnesses.Witness(where=tmp_path, key=key, logs=log_keys) for _ in range(2)]
    asked = [(one, log.checkpoint()) for log in logs for one in both]
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(lambda ask: ask[0].add_checkpoint(b"old 0\n\n" + ask[1]), asked))
    signed = {
        note for (_, note), answer in zip(asked, answers, strict=True) if answer.status == 200
    }
    assert len(signed) == 1
    assert {answer.status for answer in answers} == {200, 409}


def test_a_killed_witness_remembers_and_keeps_evidence(witness: Running, places: Path) -> None:
    witness.post(0, 7)
    witness.process.send_signal(signal.SIGKILL)
    witness.process.wait(10)
    again = start(places, register=False)
    try:
        assert again.key == witness.key
        forged = again.post(7, 7, root=bytes(32))
        assert forged.status_code == 422
        (kept,) = again.where.glob("*/refused-7-*")
        assert accept(kept.read_bytes(), Trust(keys=(checkpoint.log_keys().public[0],))).size == 7
        assert again.post(0, 9).text == "7\n"
    finally:
        stop(again)


@pytest.fixture
def registered(places: Path, settings: Settings, db: None) -> Iterator[Running]:
    settings.REMIT_WITNESS_STALE_SECONDS = 3600
    quorum.ensure()
    running = start(places, register=True)
    yield running
    stop(running)
    health.forget()


def turn() -> sequencer.Turn:
    with sequencer.opened() as log:
        return log.turn()


def conflicts() -> Path:
    return checkpoint.directory() / "conflicts"


def trust(places: Path) -> Trust:
    return Trust(policy=parse_policy((places / "log/policy").read_bytes()))


def test_published_heads_carry_the_cosignature(
    registered: Running, places: Path, write: Callable[..., Entry]
) -> None:
    turn()
    entry = write()
    turn()
    accepted = accept((places / "log/checkpoint").read_bytes(), trust(places))
    assert accepted.size == 2
    assert accepted.witnessed_at
    assert Cosignature.objects.filter(witness=NAME).count() == 2
    ((name, seen),) = selectors.log_state().witnesses
    assert (name, bool(seen)) == (NAME, True)
    assert selectors.proof(uuid=entry.uuid).endswith((places / "log/checkpoint").read_bytes())


def test_a_silent_witness_is_asked_again_and_access_closes_in_the_end(
    registered: Running, places: Path, settings: Settings
) -> None:
    stop(registered)
    turn()
    with pytest.raises(Exception, match="fewer witnesses"):
        accept((places / "log/checkpoint").read_bytes(), trust(places))
    health.require_open()
    health.forget()
    settings.REMIT_WITNESS_STALE_SECONDS = 0
    with pytest.raises(LogUnavailableError, match="quorum"):
        health.require_open()
    again = start(places, register=True)
    try:
        turn()
        assert accept((places / "log/checkpoint").read_bytes(), trust(places)).witnesses
    finally:
        stop(again)


def contradicted(witness: Running, size: int) -> None:
    """Let a running log meet a witness that holds a head of `size` the log never signed."""
    with sequencer.opened() as log:
        assert witness.post(0, size, root=HASHES[30]).status_code == 200
        (checkpoint.directory() / "signed-head").unlink()
        log.turn()


def test_a_witness_that_saw_another_history_halts_the_log(
    registered: Running, places: Path
) -> None:
    with pytest.raises(ForkError, match="another history"):
        contradicted(registered, 1)
    heads = {path.name.rpartition("-")[2]: path.read_bytes() for path in conflicts().iterdir()}
    log_key = (checkpoint.log_keys().public[0],)
    ours, theirs = (accept(heads[name], Trust(keys=log_key)) for name in ("ours", "theirs"))
    assert (ours.size, theirs.size, ours.root == theirs.root) == (1, 1, False)
    assert "another history" in TreeState.objects.get().halted
    assert not (places / "log/checkpoint").exists()
    health.forget()
    with pytest.raises(LogUnavailableError, match="halted"):
        health.require_open()


def test_a_witness_ahead_of_the_log_halts_it(registered: Running, places: Path) -> None:
    """At the start nothing is signed at all; later both heads are kept."""
    with pytest.raises(ForkError, match="larger 30"):
        contradicted(registered, 30)
    assert len(list(conflicts().iterdir())) == 2
    (checkpoint.directory() / "signed-head").unlink()
    with pytest.raises(ForkError, match="larger 30"):
        turn()
    assert not (checkpoint.directory() / "signed-head").exists()


SIZE = "text/x.tlog.size"


@pytest.mark.parametrize(
    ("answers", "seen"),
    [
        ([(b"1\n", SIZE), (b"1\n", SIZE)], "another root of this size"),
        ([(b"1\n", SIZE), (b"roots differ\n", "text/plain")], "another root of this size"),
        ([(b"1\n", f"{SIZE}; charset=utf-8"), (b"", "")], "another root of this size"),
        ([(b"2\n", SIZE)], "the larger 2"),
        # Confused, which halts nothing.
        ([(b"0\n", SIZE), (b"0\n", SIZE)], ""),
        ([(b"busy\n", "text/plain")], ""),
        ([(b"01\n", SIZE)], ""),
    ],
)
def test_of_a_409_only_a_larger_size_or_another_root_is_a_fork(
    places: Path, answers: list[tuple[bytes, str]], seen: str
) -> None:
    """Two versions of tlog-witness, by 422 and by 409, say of equal sizes that the roots differ."""
    log = reference_log.Log([b"a"])
    vkey = reference_log.Signer("w.example", 4).vkey
    told = itertools.chain(
        (says("409 Conflict", f"Content-Type: {kind}", body=one) for one, kind in answers),
        itertools.repeat(says("404 Not Found")),
    )

    def speak(line: socket.socket) -> None:
        next(told)(line)

    with server(speak) as port:
        text = f"log {log.signers[0].vkey}\nwitness w {vkey} http://127.0.0.1:{port}/\nquorum w\n"
        ask = partial(Witnesses().ask, log.checkpoint().decode(), proof_from=lambda _: ())
        if not seen:
            assert ask(policy=parse_policy(text.encode())) == []
            assert not conflicts().exists()
            return
        with pytest.raises(WitnessConflictError, match=seen):
            ask(policy=parse_policy(text.encode()))
    assert [each.name.rpartition("-")[2] for each in conflicts().iterdir()] == ["ours"]


def test_an_answer_after_the_end_of_a_run_is_evidence_of_its_own_log(
    places: Path, settings: Settings
) -> None:
    log = reference_log.Log([b"a"])
    vkey = reference_log.Signer("w.example", 4).vkey
    with server(says("409 Conflict", f"Content-Type: {SIZE}", body=b"2\n")) as port:
        text = f"log {log.signers[0].vkey}\nwitness w {vkey} http://127.0.0.1:{port}/\nquorum w\n"
        asked, kept = Witnesses(), conflicts()
        settings.REMIT_KEYS_DIR = places / "of another log"
        with pytest.raises(WitnessConflictError, match=str(kept)):
            asked.ask(
                log.checkpoint().decode(),
                policy=parse_policy(text.encode()),
                proof_from=lambda _: (),
            )
    assert list(kept.iterdir())
    assert not conflicts().exists()


def test_a_name_is_not_taken_over_by_another_key(places: Path) -> None:
    quorum.ensure()
    one = checkpoint.witness_key(places / "a", name=NAME).public
    two = checkpoint.witness_key(places / "b", name=NAME).public
    policy = quorum.register(one, url="http://127.0.0.1:1/")
    assert policy.quorum == "witnesses"
    assert quorum.register(one, url="http://127.0.0.1:2/").urls == {NAME: "http://127.0.0.1:2/"}
    with pytest.raises(NoteError):
        quorum.register(two, url="http://127.0.0.1:3/")
    with pytest.raises(NoteError):
        quorum.register(checkpoint.log_keys().public[0], url="http://127.0.0.1:3/")
    with pytest.raises(NoteError):
        checkpoint.witness_key(places / "a", name="other.example")


def test_a_quorum_written_by_hand_is_not_loosened_by_a_newcomer(places: Path) -> None:
    keys = [checkpoint.witness_key(places / name, name=f"{name}.example").public for name in "abc"]
    for key in keys[:2]:
        quorum.register(key, url="http://127.0.0.1:1/")
    text = quorum.path().read_text().replace("group witnesses any", "# Both.\ngroup witnesses all")
    quorum.path().write_text(text)
    policy = quorum.register(keys[2], url="http://127.0.0.1:3/")
    policy = quorum.register(keys[0], url="http://127.0.0.1:4/")
    assert list(policy.urls.values()) == [f"http://127.0.0.1:{port}/" for port in (4, 1, 3)]
    written = quorum.path().read_text()
    assert "# Both.\ngroup witnesses all a.example b.example\nquorum witnesses\n" in written
