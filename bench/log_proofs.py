"""Making and checking proofs: from tiles on disk against pymerkle's tree in SQLite; a whole scan.

The tree of ten million holds hashes of numbers, laid down as tiles without the log's own writer;
what is measured is the log's own reading of them. pymerkle holds a tenth of it.
"""

import random
import statistics
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from pymerkle import SqliteTree

from audit import checkpoint, leaf, proofs, sequencer, tree
from audit.actions import Action, Verdict
from audit.actors import Actor
from audit.checkpoint import Head, Signer
from audit.frontier import Frontier
from audit.ids import uuid7
from audit.inspection import inspect
from audit.journal import append_now
from audit.models import Entry
from audit.tiles import HASH_BYTES, WIDTH, TileStore, tile_path
from audit.verifier import signatures
from audit.verifier.checkpoint import Trust, accept
from audit.verifier.commands import run_scan
from audit.verifier.merkle import leaf_hashes, root_of
from audit.verifier.mirror import read_bundle, read_checkpoint
from audit.verifier.source import open_source
from audit.verifier.tlogproof import check_proof
from bench import rounds

DATABASES = ("sqlite",)
TILES_SIZE = 10_000_000
PEER_SIZE = 1_000_000
SCAN_SIZE = 200_000
_CHUNK = 100_000
ROUNDS = 5
PROOFS = 400
PEER_PROOFS = 2
CHECKS = 100


def run() -> list[rounds.Row]:
    with tempfile.TemporaryDirectory(prefix="remit-proofs-") as place:
        return [*_making(Path(place)), *_checking(), *_scanning(Path(place) / "scan"), *_deep()]


# Making proofs.


def _making(place: Path) -> list[rounds.Row]:
    root = _lay_tiles(place / "tiles")
    peer = _lay_peer(place / "peer.sqlite")
    source = random.Random(3)
    ours, theirs = _Times(), _Times()
    store = TileStore(place / "tiles")
    for _ in range(ROUNDS):
        for _ in range(PROOFS):
            index = source.randrange(TILES_SIZE)
            with _timed(ours):
                # As a request does: a new reader, which remembers nothing of other proofs.
                path = tree.inclusion_proof(store.node(TILES_SIZE), index, TILES_SIZE)
            assert tree.is_included(
                leaf=_hash(index), index=index, size=TILES_SIZE, tree_root=root, proof=path
            )
        for _ in range(PEER_PROOFS):
            index = source.randrange(1, PEER_SIZE + 1)
            with _timed(theirs):
                peer.prove_inclusion(index, PEER_SIZE)
    peer.con.close()
    ratio = theirs.median / ours.median
    return [
        _times("inclusion proof, tiles, 10^7", ours) | {"times faster": round(ratio)},
        _times("inclusion proof, pymerkle SQLite, 10^6", theirs) | {"times faster": 1},
    ]


def _hash(number: int) -> bytes:
    return sha256(b"\x00" + struct.pack(">Q", number)).digest()


def _lay_tiles(where: Path) -> bytes:
    """Write the tiles of TILES_SIZE hashes; return the root."""
    level, rest = 0, b""
    rows: Iterator[bytes] = (
        b"".join([_hash(number) for number in range(start, min(start + WIDTH, TILES_SIZE))])
        for start in range(0, TILES_SIZE, WIDTH)
    )
    edge: list[bytes] = []
    while True:
        above: list[bytes] = []
        for number, row in enumerate(rows):
            width = len(row) // HASH_BYTES
            path = where / tile_path(level, number, width)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(row)
            if width == WIDTH:
                above.append(_perfect(row))
            else:
                edge.append(row)
        if not above:
            break
        joined = b"".join(above)
        step = WIDTH * HASH_BYTES
        rows = iter([joined[at : at + step] for at in range(0, len(joined), step)])
        level += 1
    for row in edge:
        nodes = [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]
        rest = root_of([*nodes, *([rest] if rest else [])])
    return rest


def _perfect(row: bytes) -> bytes:
    while len(row) > HASH_BYTES:
        row = b"".join(
            [sha256(b"\x01" + row[at : at + 64]).digest() for at in range(0, len(row), 64)]
        )
    return row


def _lay_peer(where: Path) -> SqliteTree:
    peer = SqliteTree(str(where))
    for start in range(0, PEER_SIZE, _CHUNK):
        peer.append_entries([struct.pack(">Q", start + number) for number in range(_CHUNK)])
    return peer


# Checking one.


def _checking() -> list[rounds.Row]:
    entries = [_entry() for _ in range(300)]
    with sequencer.opened() as log:
        log.turn()
    trust = Trust(keys=checkpoint.log_keys().public)
    files = [proofs.proof(uuid=entry.uuid) for entry in entries[:CHECKS]]
    seen = {"with cryptography": _Times(), "plain Python": _Times()}
    for _ in range(ROUNDS):
        for name, times in seen.items():
            signatures.use_own_code_alone(pure=name == "plain Python")
            for file in files:
                with _timed(times):
                    check_proof(file, trust)
    signatures.use_own_code_alone(pure=False)
    slow = seen["plain Python"].median
    return [
        _times(f"check one proof, both signatures, {name}", times)
        | {"times faster": round(slow / times.median, 1)}
        for name, times in seen.items()
    ]


def _entry() -> Entry:
    return append_now(
        Action.ACCESS_ALLOWED,
        actor=Actor.system("bench"),
        verdict=Verdict.ALLOW,
        purpose="model-training",
        act="read",
        count=3,
    )


# Reading a whole log.


def _scanning(where: Path) -> list[rounds.Row]:
    _lay_log(where)
    source = open_source(str(where))
    trust = Trust(keys=checkpoint.log_keys().public)
    head = accept(read_checkpoint(source), trust)

    def hashing() -> int:
        for number in range(0, SCAN_SIZE, WIDTH):
            root_of(leaf_hashes(read_bundle(source, number // WIDTH, SCAN_SIZE)))
        return SCAN_SIZE

    def scanning() -> int:
        run_scan(source, head, longest_delay=86_400)
        return SCAN_SIZE

    sides = {"hash every leaf and node": hashing, "scan": scanning}
    own: dict[str, list[float]] = {name: [] for name in sides}

    def of(name: str, work: Callable[[], int]) -> Callable[[], int]:
        def timed() -> int:
            started = time.thread_time()
            done = work()
            own[name].append(done / (time.thread_time() - started))
            return done

        return timed

    wall = rounds.rates({name: of(name, work) for name, work in sides.items()}, rounds=ROUNDS)
    return [
        {
            "side": f"{name}, 2 * 10^5",
            "leaves/s": round(wall[name]),
            "leaves/s own": round(statistics.median(own[name])),
        }
        for name in sides
    ]


def _lay_log(where: Path) -> None:
    """Lay down a log of real leaves, a third of them shy, through the log's own writer."""
    keys = checkpoint.log_keys()
    begin = datetime.now(UTC) - timedelta(hours=12)
    clear = leaf.Clear(uuid=uuid7(begin), at=begin, action=Action.LOG_GENESIS, role="system")
    bodies = [leaf.build_genesis(clear, origin=keys.origin, vkeys=keys.vkeys)]
    bodies += [_leaf(begin, number) for number in range(1, SCAN_SIZE)]
    frontier = Frontier(TileStore(where))
    frontier.append(bodies, leaf_hashes(bodies))
    frontier.lay_parts()
    with _forgetful():
        head = Head(SCAN_SIZE, frontier.root())
        note = Signer(keys).sign(head, proof_from=lambda _: ())
    (where / "checkpoint").write_text(note)


def _leaf(begin: datetime, number: int) -> bytes:
    action = (Action.ACCESS_ALLOWED, Action.CONSENT_DECIDED, Action.ACCESS_CLOSED)[number % 3]
    shy = action is Action.CONSENT_DECIDED
    at = begin + timedelta(milliseconds=100 * number)
    at = leaf.rounded_hour(at) if shy else at
    clear = leaf.Clear(
        uuid=uuid7(at),
        at=at,
        action=action,
        verdict=Verdict.ALLOW,
        purpose="model-training",
        role="data_requester",
        act="read",
        count=number,
        policy=leaf.PolicyRef("freight-desk", 12, "ab" * 32),
    )
    return leaf.build(clear, disclosures=(), tag=leaf.no_tag(), shy=shy)


@contextmanager
def _forgetful() -> Iterator[None]:
    """Sign another tree than the installation's own, and leave the signer's memory as it was."""
    memory = checkpoint.directory() / "signed-head"
    kept = memory.read_bytes()
    memory.unlink()
    try:
        yield
    finally:
        memory.write_bytes(kept)


def _deep() -> list[rounds.Row]:
    size = Entry.objects.count()
    rates = rounds.rates({"log_check": inspect}, rounds=3)
    return [{"side": f"log_check, {size} entries", "leaves/s": round(rates["log_check"])}]


@dataclass
class _Times:
    """What calls took by the clock on the wall, and of this process's own time.

    On a machine that others use too, the second tells what the work costs.
    """

    wall: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.own)


@contextmanager
def _timed(times: _Times) -> Iterator[None]:
    wall, own = time.perf_counter(), time.thread_time()
    yield
    times.own.append(time.thread_time() - own)
    times.wall.append(time.perf_counter() - wall)


def _times(side: str, times: _Times) -> rounds.Row:
    row: rounds.Row = {"side": side, "count": len(times.wall)}
    for name, values in (("", sorted(times.wall)), (" own", sorted(times.own))):
        row[f"p50 ms{name}"] = round(1000 * statistics.median(values), 3)
        row[f"p99 ms{name}"] = round(1000 * values[int(len(values) * 0.99)], 3)
    return row
