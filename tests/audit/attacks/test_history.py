"""Rows 3 to 7, 10, 19 and 30: histories that the log's real keys sign a second time.

A scan of such a log finds nothing, so these fall to whoever remembers: a saved head, a monitor, a
witness.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from audit import checkpoint, tree
from audit.verifier.checkpoint import Trust, accept
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import parse_vkeys
from audit.verifier.monitor import Limits, Monitor
from audit.verifier.policy import parse_policy
from audit.verifier.source import open_source
from audit.witness import Witness
from tests import reference_tree
from tests.audit.attacks.real import PLACES, Check, Places, Real, Work, served
from tests.reference_log import Log, b64

pytestmark = pytest.mark.django_db

Rewrite = Callable[[Real, Places], list[bytes]]
SAVED = "the entries that were signed before have been changed|two different logs were signed"
SHRANK = "the log shrank from"


def _other(real: Real, at: int) -> bytes:
    """Return a leaf that was never written, shaped like the one in this place."""
    leaf = real.entries[at]
    where = leaf.index(b'"x":"') + 5
    return leaf[:where] + leaf[where : where + 21][::-1] + leaf[where + 21 :]


def _fresh(real: Real, count: int) -> list[bytes]:
    """Return more leaves: the last ones again, under other ids."""
    return [
        leaf.replace(b'"id":"', b'"id":"%08x' % number, 1).replace(leaf[_id(leaf)], b"", 1)
        for number, leaf in enumerate(real.entries[-count:], 0x0FFF0000)
    ]


def _id(leaf: bytes) -> slice:
    at = leaf.index(b'"id":"') + len(b'"id":"')
    return slice(at, at + 8)


def edited(real: Real, rng: Places) -> list[bytes]:
    at = rng.randrange(1, real.size)
    return [*real.entries[:at], _other(real, at), *real.entries[at + 1 :]]


def edited_and_grown(real: Real, rng: Places) -> list[bytes]:
    return edited(real, rng) + _fresh(real, rng.randrange(1, 40))


def deleted(real: Real, rng: Places) -> list[bytes]:
    at = rng.randrange(1, real.size)
    return [*real.entries[:at], *real.entries[at + 1 :]]


def deleted_and_grown(real: Real, rng: Places) -> list[bytes]:
    return deleted(real, rng) + _fresh(real, rng.randrange(1, 40))


def truncated(real: Real, rng: Places) -> list[bytes]:
    return real.entries[: rng.randrange(1, real.size)]


def truncated_and_regrown(real: Real, rng: Places) -> list[bytes]:
    cut = rng.randrange(real.size - 40, real.size)
    return real.entries[:cut] + _fresh(real, real.size - cut + rng.randrange(40))


def swapped(real: Real, rng: Places) -> list[bytes]:
    one, two = sorted(rng.sample(range(1, real.size), 2))
    entries = list(real.entries)
    entries[one], entries[two] = entries[two], entries[one]
    return entries


TABLE: dict[str, tuple[Rewrite, str]] = {
    "03 entry edited, tree rebuilt and signed: saved head": (edited, SAVED),
    "03 entry edited, tree rebuilt and grown: saved head": (edited_and_grown, SAVED),
    "04 entry deleted, rebuilt and signed: saved head": (deleted, SHRANK),
    "04 entry deleted, rebuilt and grown: saved head": (deleted_and_grown, SAVED),
    "05 tail truncated, smaller head signed: saved head is larger": (truncated, SHRANK),
    "06 truncated and regrown with others: saved head": (truncated_and_regrown, SAVED),
    "07 two entries swapped: saved head": (swapped, SAVED),
}


def _saved(real: Real, work: Work) -> Path:
    path = work.folder.with_name("saved")
    path.write_bytes(real.heads[real.size])
    return path


@pytest.mark.parametrize(("rewrite", "reasons"), TABLE.values(), ids=TABLE)
def test_whoever_saved_a_head_notices(
    real: Real,
    work: Work,
    check: Check,
    rng: Places,
    rewrite: Rewrite,
    reasons: str,
) -> None:
    saved = _saved(real, work)
    assert check("consistency", work.folder, "--saved", saved)[0] == 0
    for _ in range(PLACES):
        work.lay(real.signed(rewrite(real, rng)).files())
        status, printed = check("consistency", work.folder, "--saved", saved)
        work.undo()
        assert status == 1
        assert any(reason in printed for reason in reasons.split("|")), printed
    assert check("consistency", work.folder, "--saved", saved)[0] == 0


def test_a_scan_alone_believes_a_history_that_the_real_keys_sign(
    real: Real, work: Work, check: Check, rng: Places
) -> None:
    """Why heads are saved and witnesses asked: without memory the new history is as good."""
    for rewrite, _ in TABLE.values():
        work.lay(real.signed(rewrite(real, rng)).files())
        assert check("scan", work.folder)[0] == 0
        status, printed = check("scan", work.folder, trust=_policy(real))
        assert (status, "fewer witnesses" in printed) == (1, True)
        work.undo()


def _policy(real: Real) -> tuple[str, Path]:
    return "--policy", real.folder / "log" / "policy"


@pytest.fixture
def witness(real: Real, tmp_path: Path) -> Witness:
    """A witness of its own memory, that has cosigned the real log."""
    key = checkpoint.witness_key(tmp_path / "memory", name="memory.example")
    keys = parse_vkeys((real.folder / "log" / "vkeys").read_text())
    logs = [each for each in keys if each.name == real.origin]
    witness = Witness(where=tmp_path / "memory", key=key, logs=logs)
    assert witness.add_checkpoint(_submission(real, real.signed(real.entries), old=0)).status == 200
    return witness


def _submission(real: Real, log: Log, *, old: int | None = None) -> bytes:
    """Ask as an honest client would: from the size that the witness knows."""
    hashes = [reference_tree.leaf(one) for one in log.entries]

    def node(level: int, index: int) -> bytes:
        return tree.perfect_root(hashes[index << level : (index + 1) << level])

    known = real.size if old is None else old
    path = tree.consistency_proof(node, min(known, len(hashes)), len(hashes))
    lines = [f"old {known}", *map(b64, path)]
    return "\n".join(lines).encode() + b"\n\n" + log.checkpoint()


@pytest.mark.parametrize("rewrite", [one for one, _ in TABLE.values()], ids=TABLE)
def test_a_witness_refuses(
    real: Real, witness: Witness, rng: Places, rewrite: Rewrite, tmp_path: Path
) -> None:
    for _ in range(PLACES):
        log = real.signed(rewrite(real, rng))
        answer = witness.add_checkpoint(_submission(real, log))
        larger = len(log.entries) < real.size
        assert answer.status == (400 if larger else 422)
        assert witness.last(real.origin).size == real.size
        if larger:
            answer = witness.add_checkpoint(_submission(real, log, old=len(log.entries)))
            assert (answer.status, answer.body) == (409, f"{real.size}\n")
    grown = real.signed([*real.entries, *_fresh(real, 3)])
    assert witness.add_checkpoint(_submission(real, grown)).status == 200, "honest growth passes"


def _evidence(where: Path, keys: tuple[Path, ...]) -> set[tuple[int, bytes]]:
    """Return every statement in a folder that the log's keys signed."""
    trust = Trust(keys=tuple(parse_vkeys(keys[0].read_text())))
    found = [accept(path.read_bytes(), trust) for path in where.rglob("*") if _is_note(path)]
    return {(head.size, head.root) for head in found}


def _is_note(path: Path) -> bool:
    # A monitor's list of ids is plain bytes: by chance an empty line is among them.
    return path.is_file() and path.name != "ids" and b"\n\n" in path.read_bytes()


def test_19_split_view_a_witness_refuses_the_second_root_and_keeps_both(
    real: Real, witness: Witness, rng: Places, tmp_path: Path
) -> None:
    vkeys = (real.folder / "log" / "vkeys",)
    for _ in range(PLACES):
        other = real.signed(edited(real, rng))
        assert len(other.entries) == real.size
        assert witness.add_checkpoint(_submission(real, other)).status in {409, 422}
        both = _evidence(tmp_path / "memory", vkeys)
        assert (real.size, reference_tree.root(real.entries)) in both
        assert (real.size, reference_tree.root(other.entries)) in both


@pytest.fixture
def gossip(real: Real, witness: Witness, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A policy that demands no quorum and names where the witness answers."""
    with served(witness) as url:
        log, _ = (key.vkey for key in real.keys)
        line = checkpoint.vkey(witness.key.public)
        path = tmp_path / "gossip"
        path.write_text(f"log {log}\nwitness memory {line} {url}\nquorum none\n")
        yield "--policy", path


def _monitor(check: Check, work: Work, state: Path, trust: tuple[object, ...]) -> tuple[int, str]:
    return check("monitor", work.folder, "--once", "--state", state, trust=trust)


def test_19_split_view_a_monitor_compares_with_the_witness(
    real: Real,
    work: Work,
    check: Check,
    rng: Places,
    tmp_path: Path,
    gossip: tuple[str, Path],
) -> None:
    assert _monitor(check, work, tmp_path / "honest", gossip)[0] == 0
    for number in range(PLACES):
        log = real.signed(rng.choice([edited, swapped, edited_and_grown])(real, rng))
        work.lay(log.files())
        state = tmp_path / f"state-{number}"
        status, printed = _monitor(check, work, state, gossip)
        assert (status, "signed two different histories" in printed) == (1, True), printed
        both = _evidence(state, (real.folder / "log" / "vkeys",))
        assert (real.size, reference_tree.root(real.entries)) in both
        assert (len(log.entries), reference_tree.root(log.entries)) in both
        work.undo()


@pytest.mark.parametrize(("rewrite", "_"), TABLE.values(), ids=TABLE)
def test_a_monitor_that_saw_the_log_notices_and_keeps_both_heads(
    real: Real, work: Work, check: Check, rng: Places, tmp_path: Path, rewrite: Rewrite, _: str
) -> None:
    vkeys = ("--vkey", real.folder / "log" / "vkeys")
    seen = tmp_path / "seen"
    assert _monitor(check, work, seen, vkeys)[0] == 0
    for number in range(max(3, PLACES // 5)):
        state = tmp_path / f"state-{number}"
        _copy(seen, state)
        log = real.signed(rewrite(real, rng))
        work.lay(log.files())
        status, printed = _monitor(check, work, state, vkeys)
        work.undo()
        assert status == 1
        assert any(reason in printed for reason in (*SAVED.split("|"), SHRANK)), printed
        both = _evidence(state, (real.folder / "log" / "vkeys",))
        assert (len(log.entries), reference_tree.root(log.entries)) in both
        assert (real.size, reference_tree.root(real.entries)) in both


def _copy(one: Path, two: Path) -> None:
    shutil.copytree(one, two)


def test_10_checkpoint_rolled_back_the_saved_head_is_larger(
    real: Real, work: Work, check: Check, rng: Places
) -> None:
    saved = _saved(real, work)
    for _ in range(PLACES):
        log = real.signed(real.entries[: rng.randrange(1, real.size)])
        work.put("checkpoint", rng.choice([log.checkpoint(), rng.choice(_older(real))]))
        status, printed = check("consistency", work.folder, "--saved", saved)
        work.undo()
        assert (status, SHRANK in printed) == (1, True), printed


def _older(real: Real) -> list[bytes]:
    return [note for size, note in real.heads.items() if size < real.size]


@pytest.mark.parametrize(
    ("trust", "reason"),
    [("policy", "the newest head was witnessed"), ("vkeys", "no heartbeat came")],
)
def test_10_checkpoint_rolled_back_to_an_old_one_shows_by_its_age(
    real: Real, work: Work, rng: Places, trust: str, reason: str
) -> None:
    """A monitor that starts anew has no memory; the witnesses' clocks and the heartbeats remain."""
    data = (real.folder / "log" / trust).read_bytes()
    read = Trust(keys=tuple(parse_vkeys(data.decode())) if trust == "vkeys" else ())
    trusted = Trust(policy=parse_policy(data)) if trust == "policy" else read
    hour = 3600
    for number in range(PLACES):
        work.put("checkpoint", _unwitnessed(rng.choice(_older(real)), keep=trust == "policy"))
        watch = Monitor(
            source=open_source(str(work.folder)),
            trust=trusted,
            state=work.folder.with_name(f"{number}"),
            limits=Limits(25 * hour, 24 * hour, 3 * hour),
        )
        head = watch.round(now=time.time() + rng.uniform(0, 1.9) * hour)
        assert head.checkpoint.size < real.size
        limit = 24 if trust == "policy" else 3
        with pytest.raises(NotVerifiedError, match=reason):
            watch.round(now=time.time() + (limit + rng.uniform(0.1, 100)) * hour)
        work.undo()


def _unwitnessed(note: bytes, *, keep: bool) -> bytes:
    lines = note.decode().splitlines(keepends=True)
    return "".join(line for line in lines if keep or "council" not in line).encode()


def test_30_key_stolen_a_head_that_nobody_sequenced_shows_at_monitor_and_witness(
    real: Real,
    witness: Witness,
    work: Work,
    check: Check,
    rng: Places,
    gossip: tuple[str, Path],
) -> None:
    """The thief extends the true log and shows it to a witness; the true log goes on otherwise."""
    for number in range(PLACES):
        fork = rng.randrange(1, 30)
        theirs = real.signed([*real.entries, *_fresh(real, fork)])
        where = witness.where / sha256(real.origin.encode()).hexdigest() / "checkpoint"
        before = where.read_bytes()
        assert witness.add_checkpoint(_submission(real, theirs)).status == 200
        status, printed = _monitor(check, work, gossip[1].with_name(f"{number}"), gossip)
        assert (status, "a witness saw a longer log" in printed) == (1, True), printed
        ours = real.signed([*real.entries, *edited(real, rng)[-30:][::-1]])
        asked = witness.add_checkpoint(_submission(real, ours))
        assert (asked.status, asked.body) == (409, f"{real.size + fork}\n")
        where.write_bytes(before)
