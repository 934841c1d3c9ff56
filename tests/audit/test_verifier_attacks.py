"""The attacks of a dishonest operator, run as commands: exit 1 and one line that names the harm.

Each has an honest twin that passes. The log's real keys sign every rewritten log: no attack fails
for want of a signature, except where the signature is the point.
"""

import hashlib
import hmac
import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from audit.verifier.__main__ import main
from tests import reference_tree as tree
from tests.reference_log import START, Log, Signer, b64, digest, disclosure, entry

SIZE = 600
ENTRIES = [entry(number) for number in range(SIZE)]
HONEST = Log(ENTRIES)
FILES = HONEST.files()
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command with the honest log's keys; give its status and what it printed."""
    vkeys = tmp_path / "vkeys"
    vkeys.write_text("# keys from the works agreement\n" + HONEST.vkeys)

    def command(*words: object) -> tuple[int, str]:
        status = main([*map(str, words), "--vkey", str(vkeys)])
        printed = capsys.readouterr()
        assert (printed.out == "") == (status != 0), "either a result or a reason"
        return status, printed.out + printed.err

    return command


def _write(folder: Path, files: Mapping[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def _reasons(printed: str) -> str:
    assert printed.count("\n") == 1
    assert printed.startswith("Not verified: ")
    return printed


def test_an_honest_log_scans(run: Run, tmp_path: Path) -> None:
    status, printed = run("scan", _write(tmp_path / "log", FILES))
    assert status == 0
    assert printed.startswith("All 600 entries lead to the signed root")


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 600])
def test_logs_of_every_shape_scan(run: Run, tmp_path: Path, size: int) -> None:
    status, printed = run("scan", Log(ENTRIES[:size]).write(tmp_path / "log"))
    assert status == 0, printed


def test_a_log_of_three_tile_levels_scans_and_compares(run: Run, tmp_path: Path) -> None:
    entries = [entry(number) for number in range(65_536 + 300)]
    log = Log(entries, time=START + 100_000)
    folder = log.write(tmp_path / "log")
    assert run("scan", folder)[0] == 0
    for size in (1, 255, 65_536, 65_537, len(entries)):
        old = tmp_path / "old"
        old.write_bytes(log.checkpoint(size))
        assert run("consistency", "--saved", old, folder)[0] == 0


def _edited(path: str, change: Callable[[bytes], bytes]) -> Mapping[str, bytes]:
    assert path in FILES
    return {**FILES, path: change(FILES[path])}


def _bundle(leaves: list[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(leaf)) + leaf for leaf in leaves)


LIED = ENTRIES[7].replace(b'"dec":"allow"', b'"dec":"deny"')
STRANGER = Signer(HONEST.origin, 1, b"\x66" * 32)
TILE = b"".join(map(tree.leaf, ENTRIES[:256]))
LIED_TILE = TILE[: 7 * 32] + tree.leaf(LIED) + TILE[8 * 32 :]
LIED_BUNDLE = _bundle([*ENTRIES[:7], LIED, *ENTRIES[8:256]])
LAST = ENTRIES[512:]
BODY = HONEST.body()
ROOT = BODY.split("\n")[2]


def _checkpoint(body: str) -> Mapping[str, bytes]:
    """The honest signatures over another body."""
    return {**FILES, "checkpoint": HONEST.checkpoint().replace(BODY.encode(), body.encode(), 1)}


def _signed(body: str) -> Mapping[str, bytes]:
    """Another body, signed by the real keys."""
    return {**FILES, "checkpoint": HONEST.checkpoint(body=body)}


def _rest(path: str) -> Mapping[str, bytes]:
    return {name: data for name, data in FILES.items() if name != path}


SCANS: dict[str, tuple[Mapping[str, bytes], str]] = {
    "1 leaf edited in a bundle": (
        {**FILES, "tile/entries/000": LIED_BUNDLE},
        "entry 7 is not the one",
    ),
    "2 leaf and its level-0 hash edited": (
        {**FILES, "tile/entries/000": LIED_BUNDLE, "tile/0/000": LIED_TILE},
        "signed root|tile 0 of level 1",
    ),
    "2 leaf, hash and parent edited": (
        {
            **FILES,
            "tile/entries/000": LIED_BUNDLE,
            "tile/0/000": LIED_TILE,
            "tile/1/000.p/2": tree.root([*ENTRIES[:7], LIED, *ENTRIES[8:256]])
            + FILES["tile/1/000.p/2"][32:],
        },
        "signed root",
    ),
    "8 key swapped under the same name": (
        {**FILES, "checkpoint": Log(ENTRIES, signers=[STRANGER]).checkpoint()},
        "no trusted key",
    ),
    "11 level-0 tile modified": (
        _edited("tile/0/001", lambda data: bytes([data[0] ^ 1]) + data[1:]),
        "entry 256 is not the one",
    ),
    "12 level-1 tile modified": (
        _edited("tile/1/000.p/2", lambda data: data[:-1] + bytes([data[-1] ^ 1])),
        "tile 0 of level 1",
    ),
    "13 tile missing": (_rest("tile/0/001"), "tile/0/001 is missing"),
    "13 bundle withheld": (_rest("tile/entries/002.p/88"), "tile/entries/002.p/88 is missing"),
    "13 checkpoint withheld": (_rest("checkpoint"), "checkpoint is missing"),
    "14 origin changed": (
        _signed(BODY.replace("log.example", "lag.example")),
        "no trusted key of lag.example",
    ),
    "15 size changed": (_checkpoint(BODY.replace("600", "599")), "not valid"),
    "15 root changed": (_checkpoint(BODY.replace(ROOT, b64(b"r" * 32))), "not valid"),
    "16 extension line": (_signed(BODY + "extension\n"), "three lines"),
    "17 signature stripped": (
        {**FILES, "checkpoint": (BODY + "\n").encode()},
        "not signed",
    ),
    "18 bytes after the last entry": (
        _edited("tile/entries/002.p/88", lambda data: data + b"\x00"),
        "ends inside an entry",
    ),
    "18 an entry more": (
        _edited("tile/entries/002.p/88", lambda data: data + b"\x00\x02{}"),
        "wrong number",
    ),
    "18 an entry less": ({**FILES, "tile/entries/002.p/88": _bundle(LAST[:-1])}, "wrong number"),
    "18 entries reframed": (
        {**FILES, "tile/entries/002.p/88": _bundle([*LAST[:-2], b"".join(LAST[-2:]), b""])},
        "entry 598 is not the one",
    ),
    "18 a bundle of endless entries": (
        {**FILES, "tile/entries/002.p/88": b"\x00\x00" * 5000},
        "after its last entry",
    ),
    "18 a tile of odd length": (
        _edited("tile/0/002.p/88", lambda data: data + b"\x00"),
        "wrong length",
    ),
    "18 a tile too long": (_edited("tile/0/000", lambda data: data * 2), "longer than it may"),
    "20 a size with a leading zero": (_signed(BODY.replace("600", "0600")), "plain decimal"),
    "20 an old root under a new size": (
        _signed(BODY.replace(ROOT, HONEST.body(500).split("\n")[2])),
        "signed root",
    ),
    "23 an entry twice": (Log([*ENTRIES[:300], ENTRIES[7], *ENTRIES[300:]]).files(), "twice"),
    "24 an entry back-dated": (
        Log([*ENTRIES, entry(SIZE, at=START - 100_000)]).files(),
        "entry 600: it is back-dated",
    ),
    "24 an entry post-dated": (
        Log([*ENTRIES, entry(SIZE, at=START + 100_000)]).files(),
        "after the witnesses",
    ),
    "an event outside the registry": (
        Log([*ENTRIES, entry(SIZE, "access:stolen")]).files(),
        "not in the log's registry",
    ),
    "a person in clear": (Log([*ENTRIES, entry(SIZE, subject="mira")]).files(), "profile"),
    "an interior node as a leaf": (
        Log([ENTRIES[0], b"\x01" + b"n" * 64]).files(),
        "entry 1: an entry is not JSON",
    ),
    "a second genesis": (
        Log([*ENTRIES, entry(SIZE, ev="log:genesis", origin="x", vkeys=[])]).files(),
        "genesis",
    ),
    "a genesis of another log": (
        Log([entry(0, origin="lag.example"), *ENTRIES[1:]]).files(),
        "begun under another name",
    ),
    "no genesis": (Log(ENTRIES[1:]).files(), "genesis"),
}


@pytest.mark.parametrize(("files", "reason"), SCANS.values(), ids=SCANS)
def test_a_scan_notices(run: Run, tmp_path: Path, files: Mapping[str, bytes], reason: str) -> None:
    status, printed = run("scan", _write(tmp_path / "log", files))
    assert status == 1
    assert any(part in _reasons(printed) for part in reason.split("|")), printed


REWRITTEN = [*ENTRIES[:7], LIED, *ENTRIES[8:]]
SWAPPED = [*ENTRIES[:7], ENTRIES[8], ENTRIES[7], *ENTRIES[9:]]
REWRITES: dict[str, tuple[list[bytes], str]] = {
    "3 an entry edited, all signed again": (REWRITTEN, "two different logs"),
    "3 edited and grown": ([*REWRITTEN, entry(SIZE)], "have been changed"),
    "4 an entry deleted": ([*ENTRIES[:7], *ENTRIES[8:]], "shrank from 600 to 599"),
    "4 deleted and grown": ([*ENTRIES[:7], *ENTRIES[8:], entry(600), entry(601)], "changed"),
    "5 the tail cut off": (ENTRIES[:590], "shrank from 600 to 590"),
    "6 cut off and grown otherwise": (
        [*ENTRIES[:590], *(entry(number) for number in range(700, 720))],
        "changed",
    ),
    "7 two entries swapped": (SWAPPED, "two different logs"),
    "10 an old checkpoint served": (ENTRIES[:300], "shrank from 600 to 300"),
}


@pytest.mark.parametrize(("entries", "reason"), REWRITES.values(), ids=REWRITES)
def test_whoever_kept_a_head_notices_a_rewrite_that_scans_as_honest(
    run: Run, tmp_path: Path, entries: list[bytes], reason: str
) -> None:
    saved = tmp_path / "saved"
    saved.write_bytes(HONEST.checkpoint())
    proof = tmp_path / "saved.tlog-proof"
    proof.write_bytes(HONEST.proof(5))
    honest = Log([*ENTRIES, *(entry(number) for number in range(600, 610))])
    assert run("consistency", "--saved", saved, honest.write(tmp_path / "honest"))[0] == 0
    rewritten = Log(entries).write(tmp_path / "rewritten")
    assert run("scan", rewritten)[0] == 0
    for kept in (saved, proof):
        status, printed = run("consistency", "--saved", kept, rewritten)
        assert status == 1
        assert reason in _reasons(printed)


def _watch(run: Run, log: Path, state: Path) -> tuple[int, str]:
    ages = ("--oldest-signature", 1e10, "--longest-silence", 1e10)
    return run("monitor", log, "--state", state, "--once", *ages)


@pytest.mark.parametrize(("entries", "reason"), REWRITES.values(), ids=REWRITES)
def test_a_monitor_notices_a_rewrite_and_keeps_both_heads(
    run: Run, tmp_path: Path, entries: list[bytes], reason: str
) -> None:
    state = tmp_path / "state"
    for size in (300, 300, 600):
        assert _watch(run, Log(ENTRIES[:size]).write(tmp_path / f"{size}"), state)[0] == 0
    status, printed = _watch(run, Log(entries).write(tmp_path / "rewritten"), state)
    assert status == 1
    assert _reasons(printed)
    kept = [path.read_bytes().decode() for path in state.glob("*/*-*")]
    for log in (HONEST, Log(entries)):
        assert any(head.startswith(log.body()) for head in kept)
    grown = Log([*ENTRIES, *(entry(number) for number in range(SIZE, SIZE + 30))])
    status, printed = _watch(run, grown.write(tmp_path / "grown"), state)
    if entries == ENTRIES[: len(entries)]:
        assert status == 0, "a shorter head that this log begins with is no lie"
    else:
        assert (status, "two different histories" in _reasons(printed)) == (1, True)
        assert _watch(run, tmp_path / "grown", state)[0] == 1, "evidence does not fade"


def test_a_monitor_knows_the_ids_of_earlier_rounds(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert _watch(run, HONEST.write(tmp_path / "log"), state)[0] == 0
    status, printed = _watch(run, Log([*ENTRIES, ENTRIES[9]]).write(tmp_path / "more"), state)
    assert (status, "stands in the log twice" in printed) == (1, True)


def test_a_monitor_measures_back_dating_by_the_witnesses_clocks(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "state"
    day = 86_400
    assert _watch(run, Log(ENTRIES, time=START + 3 * day).write(tmp_path / "log"), state)[0] == 0
    late = Log([*ENTRIES, entry(SIZE, at=START + day)], time=START + 4 * day)
    assert run("scan", late.write(tmp_path / "late"))[0] == 0, "a scan has no earlier clock"
    status, printed = _watch(run, tmp_path / "late", state)
    assert (status, "back-dated" in printed) == (1, True)


def test_a_monitor_refuses_a_head_whose_witnesses_are_old(run: Run, tmp_path: Path) -> None:
    log = Log(ENTRIES[:3], time=1_700_000_000).write(tmp_path / "log")
    status, printed = run("monitor", log, "--state", tmp_path / "state", "--once")
    assert (status, "hours ago" in _reasons(printed)) == (1, True)


def test_a_quorum_that_is_not_met_is_noticed(run: Run, tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    policy.write_text(HONEST.policy)
    log = HONEST.write(tmp_path / "log")
    assert run("scan", log, "--policy", policy)[0] == 0
    (log / "checkpoint").write_bytes(Log(ENTRIES, signers=HONEST.signers[:2]).checkpoint())
    assert run("scan", log)[0] == 0
    status, printed = run("scan", log, "--policy", policy)
    assert (status, "fewer witnesses" in _reasons(printed)) == (1, True)


def test_a_full_tile_may_stand_in_for_a_partial_one(run: Run, tmp_path: Path) -> None:
    """The log may have grown since, and dropped the partial tiles (tlog-tiles allows it)."""
    grown = dict(Log([*ENTRIES, *(entry(number) for number in range(600, 800))]).files())
    old = {name: data for name, data in FILES.items() if name == "checkpoint" or "/1/" in name}
    assert run("scan", _write(tmp_path / "log", grown | old))[0] == 0


def _own(numbers: list[int], key: bytes) -> tuple[Log, list[str]]:
    """A log with entries about one person, numbered as told; and the person's disclosures."""
    entries, opened = [entry(0)], []
    for at, number in enumerate(numbers, 1):
        nonce = hashlib.sha256(b"%d" % at).digest()[:16]
        opened.append(disclosure("subject_seq", number, b"%016d" % at))
        tag = (nonce, hmac.digest(key, nonce, "sha256")[:16])
        entries += [entry(2 * at, disclosures=[opened[-1]], tag=tag), entry(2 * at + 1)]
    return Log(entries), opened


@pytest.mark.parametrize(
    ("numbers", "status", "says"),
    [
        ([1, 2, 3, 4], 0, "4 of 9 entries are about you; 4 opened, no gap"),
        ([1, 3, 4], 1, "missing: numbers 2"),
        ([2, 3], 1, "missing: numbers 1"),
        ([1, 2, 2], 1, "same number"),
        ([], 0, "0 of 1 entries are about you"),
    ],
)
def test_a_person_finds_the_entries_about_them_and_the_gaps(
    run: Run, tmp_path: Path, numbers: list[int], status: int, says: str
) -> None:
    key = b"k" * 32
    log, opened = _own(numbers, key)
    (tmp_path / "key").write_text(key.hex())
    (tmp_path / "opened").write_text(json.dumps(opened))
    folder = log.write(tmp_path / "log")
    asked = ("mine", "--key", tmp_path / "key", folder)
    found = run(*asked, "--disclosures", tmp_path / "opened")
    assert (found[0], says in found[1]) == (status, True), found
    assert f"{len(numbers)} of" in run(*asked)[1]
    (tmp_path / "key").write_text("ee" * 32)
    assert run(*asked)[1].startswith("0 of")


def test_a_wrong_number_in_ones_sequence_is_refused(run: Run, tmp_path: Path) -> None:
    key = b"k" * 32
    log, opened = _own([0], key)
    (tmp_path / "key").write_bytes(key)
    (tmp_path / "opened").write_text(f'["{opened[0]}"]')
    words = ("--key", tmp_path / "key", "--disclosures", tmp_path / "opened")
    status, printed = run("mine", *words, log.write(tmp_path / "log"))
    assert (status, "not a number" in _reasons(printed)) == (1, True)
    assert digest(opened[0])


def test_what_a_log_names_cannot_move_the_cursor(run: Run, tmp_path: Path) -> None:
    text = disclosure("reason", "\x1b[2Jhello\u202e")
    log = Log([entry(0), entry(1, disclosures=[text])])
    (tmp_path / "proof").write_bytes(log.proof(1, [text]))
    status, printed = run("proof", tmp_path / "proof")
    assert status == 0
    assert "reason: ?[2Jhello?" in printed
