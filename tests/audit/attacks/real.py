"""A real log to attack: written by the journal, placed by the sequencer, cosigned by a witness.

The operator holds the log's two keys and every file; the witness's key is out of reach.
"""

import base64
import os
import random
import shutil
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from django.test import override_settings
from django.utils import timezone

from audit import checkpoint, disclosures, health, journal, leaf, ports, proofs, quorum, sequencer
from audit.actions import Action, Verdict
from audit.actors import Actor
from audit.ids import uuid7
from audit.models import Entry, Leaf
from audit.tiles import unbundle
from audit.tree import leaf_hash
from audit.verifier.__main__ import main
from audit.witness import Server, Witness
from tests.reference_log import Log, Signer

SOAK = bool(os.environ.get("REMIT_SOAK"))
PLACES = 30 if SOAK else 25
SIZE = 66_000 if SOAK else 700
WRITTEN = 400 if SOAK else 120
MIRA = "7d6f1d9e-1111-4222-8333-444455556666"
TARIQ = "8e7a2eaf-2222-4333-8444-555566667777"
JONAS = Actor("0a0b0c0d-9999-4888-8777-666655554444", "data_requester")
WITNESS = "council.example"

Result = tuple[int, str]


class Places(random.Random):
    """Random places; its name in a failing test's report repeats them."""

    def __init__(self) -> None:
        self._seed = int(os.environ.get("REMIT_SEED", "0")) or random.SystemRandom().getrandbits(32)
        super().__init__(self._seed)

    def __repr__(self) -> str:
        return f"REMIT_SEED={self._seed}"


@contextmanager
def settings_of(folder: Path) -> Iterator[None]:
    """Let keys, log and policy stand in a folder."""
    with override_settings(
        REMIT_LOG_DIR=folder / "log",
        REMIT_KEYS_DIR=folder / "keys",
        REMIT_WITNESS_POLICY=str(folder / "log" / "policy"),
    ):
        yield


@contextmanager
def served(witness: Witness) -> Iterator[str]:
    """Serve a witness over HTTP; give its address."""
    server = Server(("127.0.0.1", 0), witness)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def turn() -> sequencer.Turn:
    """Sequence what waits and publish."""
    with sequencer.opened() as log:
        done = log.turn()
    health.forget()
    return done


def written(count: int) -> list[Entry]:
    """Write entries about two people and about nobody, as the service does."""
    about = (MIRA, TARIQ, None)
    return [
        journal.append_now(
            Action.CONSENT_DECIDED if number % 7 == 3 else Action.ACCESS_ALLOWED,
            actor=JONAS,
            subject=about[number % 3],
            verdict=Verdict.ALLOW,
            purpose="model-training",
            act="read",
            count=number,
        )
        for number in range(count)
    ]


def in_bulk(count: int) -> None:
    """Write entries about nobody, built by the log's own leaf builder."""
    now = timezone.now()
    rows = []
    for number in range(count):
        clear = leaf.Clear(uuid=uuid7(now), at=now, action=Action.LOG_SEARCHED, count=number)
        body = leaf.build(clear, disclosures=(), tag=leaf.no_tag())
        rows.append(Entry(uuid=clear.uuid, leaf=body, leaf_hash=leaf_hash(body)))
    Entry.objects.bulk_create(rows)


@dataclass
class Real:
    """The log's folder, and what honest people kept of it."""

    folder: Path
    heads: dict[int, bytes] = field(default_factory=dict)
    entries: list[bytes] = field(default_factory=list)
    proofs: dict[int, bytes] = field(default_factory=dict)
    own: dict[int, list[str]] = field(default_factory=dict)
    headers: dict[int, str] = field(default_factory=dict)
    tag_key: bytes = b""

    @property
    def origin(self) -> str:
        return self.heads[self.size].decode().partition("\n")[0]

    @property
    def size(self) -> int:
        return len(self.entries)

    @property
    def keys(self) -> list[Signer]:
        """The log's real keys, as the operator holds them."""
        where = self.folder / "keys" / "log"
        seeds = [
            base64.b64decode((where / name).read_bytes())
            for name in ("ed25519.key", "ml-dsa-44.key")
        ]
        return [Signer(self.origin, 1, seeds[0]), Signer(self.origin, 6, seeds[1])]

    def signed(self, entries: Sequence[bytes]) -> Log:
        """Return any history, signed by the real keys."""
        return Log(list(entries), origin=self.origin, signers=self.keys)

    def work(self, folder: Path) -> "Work":
        """Return a copy to be tampered with."""
        shutil.copytree(self.folder / "log", folder)
        return Work(folder)


def build(folder: Path) -> Real:
    """Write and publish the log; needs a test's database."""
    with settings_of(folder):
        key = checkpoint.witness_key(folder / "witness", name=WITNESS)
        witness = Witness(where=folder / "witness", key=key, logs=quorum.ensure().logs)
        with served(witness) as url:
            quorum.register(key.public, url=url)
            return _grown(Real(folder))


def _grown(real: Real) -> Real:
    kept: list[Entry] = []
    for bulk in (0, SIZE // 3, SIZE // 4, SIZE - SIZE // 3 - SIZE // 4 - WRITTEN - 1):
        kept += written(WRITTEN // 4)
        in_bulk(bulk)
        turn()
        note = (real.folder / "log" / "checkpoint").read_bytes()
        real.heads[int(note.split(b"\n")[1])] = note
    for number in range(0, max(real.heads), 256):
        name = f"{number // 256:03d}"
        full = real.folder / "log/tile/entries" / name
        part = next(iter(sorted(full.parent.glob(f"{name}.p/*"), key=_width, reverse=True)), full)
        real.entries += unbundle((full if full.exists() else part).read_bytes())
    places = dict(Leaf.objects.values_list("entry_id", "index"))
    for entry in kept:
        at = places[entry.pk]
        real.headers[at] = entry.header
        real.proofs[at] = proofs.proof(uuid=entry.uuid)
        opened = disclosures.opened(entry)
        if ("subject", MIRA) in map(leaf.reveal, opened):
            real.own[at] = opened
            real.proofs[at] = proofs.proof(uuid=entry.uuid, owner=MIRA)
    real.tag_key = ports.keys().tag_key(owner=MIRA)
    assert len(real.entries) == max(real.heads), "every entry was published"
    return real


def _width(path: Path) -> int:
    return int(path.name)


@dataclass
class Work:
    """A log's directory under attack; each change can be taken back."""

    folder: Path
    _before: dict[str, bytes | None] = field(default_factory=dict)

    def read(self, path: str) -> bytes:
        return (self.folder / path).read_bytes()

    def put(self, path: str, data: bytes | None) -> None:
        """Replace a file; None removes it."""
        where = self.folder / path
        there = where.read_bytes() if where.exists() else None
        self._before.setdefault(path, there)
        if there == data:
            return  # Most of a soak's log stays as it is: to write it anew took longest.
        if data is None:
            where.unlink(missing_ok=True)
        else:
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_bytes(data)

    def lay(self, files: Mapping[str, bytes]) -> None:
        """Put another whole log in the place of this one."""
        for path in self.paths():
            if path not in files and path.startswith("tile/"):
                self.put(path, None)
        for path, data in files.items():
            self.put(path, data)

    def undo(self) -> None:
        for path, data in reversed(list(self._before.items())):
            self.put(path, data)
        self._before.clear()

    def paths(self, below: str = "") -> list[str]:
        """Return the log's files, those that stand in for longer ones left out."""
        found = sorted(
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if path.is_file()
        )
        newest: dict[str, str] = {}
        for path in found:
            if path.startswith(f"tile/{below}"):
                newest[path.partition(".p/")[0]] = max(
                    path, newest.get(path.partition(".p/")[0], path), key=_rank
                )
        return sorted(newest.values()) if below else found

    def bundle(self, index: int) -> str:
        """Return the path of the bundle, or of its newest part, that holds an entry."""
        return self._newest("entries", index // 256)

    def tile(self, level: int, number: int) -> str:
        return self._newest(str(level), number)

    def _newest(self, level: str, number: int) -> str:
        name = f"tile/{level}/{number:03d}"
        return next(path for path in self.paths(f"{level}/") if path.partition(".p/")[0] == name)


def _rank(path: str) -> tuple[bool, int]:
    """A full tile stands above its parts, a longer part above a shorter."""
    _, _, width = path.partition(".p/")
    return (not width, int(width or 0))


def bundled(leaves: Sequence[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(one)) + one for one in leaves)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


Check = Callable[..., Result]


def checker(vkeys: Path, read: Callable[[], tuple[str, str]]) -> Check:
    """Return a runner of the shipped verifier: its status, and the one line that it prints."""

    def check(*words: object, trust: Sequence[object] = ("--vkey", vkeys)) -> Result:
        status = main([*map(str, words), *map(str, trust)])
        out, err = read()
        assert (out == "") == (status != 0), (status, out, err)
        assert status == 0 or err.count("\n") == 1, "one line"
        return status, out + err

    return check
