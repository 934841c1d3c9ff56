"""The service's own log, proofs, receipts and tag keys, read by the file that people download."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from audit import checkpoint, disclosures, ports, proofs, quorum, rotation, sequencer
from audit.actors import Actor
from audit.models import Entry
from audit.verifier.__main__ import main
from audit.verifier.keys import parse_vkeys
from audit.witness import Server, Witness
from consent import receipt
from tests.audit.conftest import Write
from tests.consent.conftest import mira, notice  # noqa: F401
from tests.consent.test_decide import POINTER, decide, withdraw, yes

pytestmark = pytest.mark.django_db

SUBJECT = "7d6f1d9e-1111-4222-8333-444455556666"
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def witness(places: Path) -> Iterator[str]:
    """A witness over HTTP, registered in the log's policy; gives its address."""
    key = checkpoint.witness_key(places / "witness", name="council.example")
    server = Server(
        ("127.0.0.1", 0),
        Witness(where=places / "witness", key=key, logs=quorum.ensure().logs),
    )
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    quorum.register(key.public, url=url)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(places: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command with the published keys and policy, or with those kept in a folder."""

    def command(*words: object, kept: Path = places / "log") -> tuple[int, str]:
        trust = ("--vkey", kept / "vkeys", "--policy", kept / "policy")
        status = main([str(word) for word in (*words, *trust)])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return command


def _sequence() -> None:
    with sequencer.opened() as log:
        log.turn()


def _own(entries: list[Entry]) -> list[str]:
    return [text for entry in entries for text in disclosures.opened(entry)]


def test_the_published_keys_are_those_of_log_witness_and_documents(
    places: Path, witness: str
) -> None:
    _sequence()
    names = [key.name for key in parse_vkeys((places / "log/vkeys").read_text())]
    origin = names[0]
    assert names[:3] == [origin, origin, "council.example"]
    assert {name.removeprefix(origin) for name in names[3:]} == {
        "/certificate",
        "/policy",
        "/receipt",
        "/release",
    }
    assert urlsplit(witness).hostname == "127.0.0.1"


def test_the_whole_log_and_each_proof_hold(
    places: Path, witness: str, write: Write, run: Run
) -> None:
    entries = [write(subject=SUBJECT) for _ in range(3)]
    _sequence()
    assert witness
    status, printed = run("scan", places / "log")
    assert status == 0, printed
    assert "All 4 entries" in printed
    assert "witnessed: council.example" in printed
    proof = places / "entry.tlog-proof"
    for entry in entries:
        proof.write_bytes(proofs.proof(uuid=entry.uuid))
        status, printed = run("proof", proof)
        assert (status, str(entry.uuid) in printed, SUBJECT in printed) == (0, True, False)
        proof.write_bytes(proofs.proof(uuid=entry.uuid, owner=SUBJECT))
        status, printed = run("proof", proof)
        assert (status, f"subject: {SUBJECT}" in printed) == (0, True)
    proof.write_bytes(proof.read_bytes().replace(b"\nindex ", b"\nindex 1"))
    assert run("proof", proof)[0] == 1


def test_a_monitor_follows_the_log_as_it_grows(
    places: Path, witness: str, write: Write, run: Run
) -> None:
    assert witness
    for expected in (2, 3):
        write()
        _sequence()
        status, printed = run("monitor", places / "log", "--once", "--state", places / "state")
        assert (status, f"All {expected} entries hold" in printed) == (0, True), printed


def test_a_person_finds_exactly_their_entries_with_the_key_they_took_home(
    places: Path, witness: str, write: Write, run: Run
) -> None:
    assert witness
    mine = [write(subject=SUBJECT) for _ in range(3)]
    for _ in range(4):
        write(subject="11111111-1111-4222-8333-444455556666")
    _sequence()
    key, opened = places / "key", places / "opened"
    key.write_bytes(ports.keys().tag_key(owner=SUBJECT))
    opened.write_text(json.dumps(_own(mine)))
    status, printed = run("mine", "--key", key, "--disclosures", opened, places / "log")
    assert (status, "3 of 8 entries are about you; 3 opened, no gap" in printed) == (0, True)
    opened.write_text(json.dumps(_own([mine[0], mine[2]])))
    status, printed = run("mine", "--key", key, "--disclosures", opened, places / "log")
    assert (status, "missing: numbers 2" in printed) == (1, True)


def test_a_receipt_holds_on_a_machine_without_the_service(
    places: Path,
    witness: str,
    mira: Actor,  # noqa: F811
    notice: str,  # noqa: F811
    run: Run,
) -> None:
    assert witness
    act = decide(mira, yes(POINTER, notice))
    saved = places / "receipt.json"

    def download() -> dict[str, object]:
        return receipt.receipt_document(subject=mira.key, receipt_id=act.receipt_id)

    def save(document: dict[str, object]) -> Path:
        saved.write_text(json.dumps(document))
        return saved

    status, printed = run("receipt", save(download()))
    assert (status, "not in the log yet" in printed) == (1, True)
    _sequence()
    document = download()
    status, printed = run("receipt", save(document))
    assert (status, f"Receipt {act.receipt_id} is signed." in printed) == (0, True), printed
    assert "witnessed: council.example" in printed
    forged = document | {"payload": "e30="}
    assert run("receipt", save(forged))[0] == 1


@pytest.fixture
def old(places: Path, witness: str, write: Write, run: Run, settings: Settings) -> Path:
    """What a reader kept of a log that has new keys since, and that its witness left."""
    assert witness
    entry, kept = write(), places / "kept"
    _sequence()
    kept.mkdir()
    for name in ("vkeys", "policy", "checkpoint"):
        (kept / name).write_bytes((places / "log" / name).read_bytes())
    (kept / "proof").write_bytes(proofs.proof(uuid=entry.uuid))
    _watch(run, places, kept)
    settings.REMIT_LOG_ORIGIN = "remit.example/second"
    rotation.rotate()
    new = places / "new.tlog-proof"
    new.write_bytes(proofs.proof(uuid=entry.uuid))
    write()
    _sequence()
    for policy in (kept / "policy", places / "log/policy"):
        text = policy.read_text()
        policy.write_text(text.replace("quorum witnesses", "quorum none"))
    return kept


def _watch(run: Run, places: Path, kept: Path) -> str:
    words = ("monitor", places / "log", "--once", "--state", kept / "monitor")
    status, said = run(*words, kept=kept)
    assert status == 0, said
    return said


def test_who_trusts_the_old_name_alone_is_led_to_the_new_keys(
    places: Path, old: Path, run: Run
) -> None:
    said = [_watch(run, places, old)]
    for words in (
        ("scan", places / "log"),
        ("consistency", places / "log", "--saved", old / "checkpoint"),
        ("consistency", places / "log", "--saved", old / "proof"),
    ):
        status, printed = run(*words, kept=old)
        assert status == 0, printed
        said.append(printed)
    for printed in said:
        assert "was closed at 3 entries" in printed
        assert "It goes on as remit.example/second" in printed
        assert all(vkey in printed for vkey in checkpoint.log_keys().vkeys)
    assert "Entry 3: " in _watch(run, places, old) + said[0]


def test_proofs_under_either_name_hold(places: Path, old: Path, run: Run) -> None:
    assert run("proof", old / "proof", kept=old)[0] == 0
    assert run("proof", old / "proof")[0] == 0
    status, said = run("proof", places / "new.tlog-proof")
    assert (status, "Head of remit.example/second" in said) == (0, True)


def test_a_name_that_no_trusted_one_leads_to_is_refused(places: Path, old: Path, run: Run) -> None:
    (places / "log/ended").rename(places / "log/gone")
    status, said = run("scan", places / "log", kept=old)
    assert (status, "no trusted key of remit.example/second" in said) == (1, True)


def test_a_receipt_of_before_new_keys_stays_under_the_name_that_it_speaks_of(
    places: Path,
    witness: str,
    mira: Actor,  # noqa: F811
    notice: str,  # noqa: F811
    run: Run,
    settings: Settings,
) -> None:
    assert witness
    acts = [decide(mira, yes(POINTER, notice))]
    _sequence()
    saved = places / "receipt.json"

    def check() -> None:
        """Check every receipt as it is handed out now."""
        for act in acts:
            document = receipt.receipt_document(subject=mira.key, receipt_id=act.receipt_id)
            saved.write_text(json.dumps(document))
            status, printed = run("receipt", saved)
            assert (status, "is signed" in printed) == (0, True), printed

    check()
    kept = places / "kept.json"
    kept.write_bytes(saved.read_bytes())
    settings.REMIT_LOG_ORIGIN = "remit.example/second"
    rotation.rotate()
    check()
    policy = places / "log/policy"
    policy.write_text(policy.read_text().replace("quorum witnesses", "quorum none"))
    acts.append(decide(mira, withdraw(POINTER)))
    _sequence()
    check()
    assert run("receipt", kept)[0] == 0, "one that was saved before holds as it did"
