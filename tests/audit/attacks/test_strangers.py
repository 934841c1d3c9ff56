"""The real log as strangers read it: programs that nobody here wrote, unchanged.

In every run: tlog-scales and rfc8785 from PyPI. In a soak, where the machine has or gets them: Go's
sumdb (Debian: golang-go, golang-golang-x-mod-dev), and a foreign witness and its client (PyPI:
aics-witness, which needs Python 3.12).
"""

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import rfc8785
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey, VkeySet
from tlog_scales.tiles import leaf_hash
from tlog_scales.tlog import Checkpoint, InclusionProof, InclusionProofInvalid

from audit import checkpoint, tree
from audit.tiles import TileStore
from audit.verifier.keys import parse_vkey
from audit.verifier.policy import parse_policy
from audit.witness import Witness
from audit.witnessing import Witnesses
from tests.audit.attacks.real import Places, Real, Work, served
from tests.audit.attacks.test_files import leaf_edited, leaf_tile_modified
from tests.infrastructure.servers import free_port

pytestmark = pytest.mark.django_db

GO = Path(__file__).parent / "go" / "main.go"
GO_PATH = Path("/usr/share/gocode")
FOREIGN = ("aics-tlog==0.2.1", "aics-witness==0.1.0")


def _keys(real: Real) -> list[Vkey]:
    """Return the log's two keys and its witness's."""
    lines = (real.folder / "log" / "vkeys").read_text().splitlines()
    return [Vkey.from_string(line) for line in lines[:3]]


def _checkpoint(real: Real, note: bytes) -> Checkpoint:
    """Return a head after the stranger has verified all three of its signatures."""
    head = Checkpoint.from_text(note.decode())
    verified = VkeySet(*_keys(real)).verify(head.signatures, head)
    assert sorted(key.sig_type for key, _ in verified) == [1, 4, 6]
    return head


def test_a_stranger_verifies_each_signature_entry_proof_and_growth(real: Real) -> None:
    reader = TilesReader(LocalBackend(real.folder / "log"))
    newest = reader.get_checkpoint()
    assert newest == _checkpoint(real, real.heads[real.size])
    assert reader.calculate_root_hash() == newest.root_hash
    for note in real.heads.values():
        old = _checkpoint(real, note)
        grown = reader.get_consistency_proof(old.size, newest.size)
        grown.check(old.root_hash, newest.root_hash)
    assert [reader.get_entry(index) for index in range(newest.size)] == real.entries
    _check_entries(reader, newest)
    for index, proof in real.proofs.items():
        _check_proof(real, index, proof)


def _check_entries(reader: TilesReader, head: Checkpoint) -> None:
    for index in range(head.size):
        hashed = leaf_hash(reader.get_entry(index))
        reader.get_inclusion_proof(index, head.size).check(hashed, head.root_hash)


def _check_proof(real: Real, index: int, proof: bytes) -> None:
    """Read a tlog-proof file by its specification, and let the stranger compute."""
    text, _, note = proof.partition(b"\n\n")
    version, extra, place, *path = text.decode("ascii").split("\n")
    assert (version, place) == ("c2sp.org/tlog-proof@v1", f"index {index}")
    leaf = json.loads(base64.b64decode(extra.removeprefix("extra ")))["leaf"].encode()
    head = _checkpoint(real, note)
    steps = [base64.b64decode(step, validate=True) for step in path]
    InclusionProof(index, head.size, steps).check(leaf_hash(leaf), head.root_hash)


def test_a_stranger_notices_what_is_not_so(real: Real, work: Work, rng: Places) -> None:
    """The control: those checks can fail."""
    for attack in (leaf_edited, leaf_tile_modified) * 2:
        attack(real, work, rng)
        reader = TilesReader(LocalBackend(work.folder))
        head = reader.get_checkpoint()
        with pytest.raises(InclusionProofInvalid):
            _check_entries(reader, head)
        work.undo()


def test_each_entry_is_the_one_byte_form_of_rfc_8785(real: Real) -> None:
    for entry in real.entries:
        assert rfc8785.dumps(json.loads(entry)) == entry


@pytest.fixture
def kept(real: Real, tmp_path: Path) -> Path:
    """What honest people kept, as files."""
    folder = tmp_path / "kept"
    folder.mkdir()
    for size, note in real.heads.items():
        (folder / f"{size}.head").write_bytes(note)
    for index, proof in real.proofs.items():
        (folder / f"{index}.tlog-proof").write_bytes(proof)
    return folder


@pytest.mark.soak
def test_gos_own_sumdb_verifies_the_log(real: Real, kept: Path, tmp_path: Path) -> None:
    if not shutil.which("go") or not (GO_PATH / "src/golang.org/x/mod/sumdb").exists():
        pytest.skip("needs Debian's golang-go and golang-golang-x-mod-dev")
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": str(GO_PATH),
        "GOCACHE": str(tmp_path / "go"),
    }

    def run() -> subprocess.CompletedProcess[str]:
        words = ["go", "run", str(GO), str(real.folder / "log"), str(kept)]
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)

    done = run()
    said = f"{real.size} entries, {len(real.heads)} heads, {len(real.proofs)} proofs\n"
    assert (done.returncode, done.stdout) == (0, said), done.stderr
    older = min(real.heads)
    forged = real.heads[older].replace(f"\n{older}\n".encode(), f"\n{older + 1}\n".encode())
    (kept / f"{older}.head").write_bytes(forged)
    assert "invalid signature" in run().stderr


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a Python that has the foreign witness."""
    folder = tmp_path_factory.mktemp("foreign")
    newer = [shutil.which(f"python3.{minor}") for minor in (12, 13, 14)]
    found = [*filter(None, newer), *Path.home().glob(".pyenv/versions/3.1[2-9]*/bin/python3")]
    make = ["-m", "venv", str(folder)]
    if all(subprocess.run([str(one), *make], check=False).returncode for one in found):
        pytest.skip("needs Python 3.12")
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", *FOREIGN]
    if subprocess.run(pip, check=False).returncode:
        pytest.skip("needs a package index")
    return folder / "bin" / "python"


@pytest.fixture
def foreign_witness(foreign: Path, real: Real, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Run the foreign witness for our log; give its key and its address."""
    port = free_port()
    config = ["--config", str(tmp_path / "witness.json")]
    log_key = (real.folder / "log" / "vkeys").read_text().partition("\n")[0]
    command = [str(foreign), "-m", "aics_witness"]
    listen = ["--name", "foreign.example/w", "--listen", f"127.0.0.1:{port}"]
    init = subprocess.run(
        [*command, "init", *config, *listen], capture_output=True, text=True, check=True
    )
    add = [*command, "add-log", *config, "--origin", real.origin, "--vkey", log_key]
    subprocess.run(add, check=True, capture_output=True)
    process = subprocess.Popen([*command, "serve", *config], stderr=subprocess.DEVNULL)
    time.sleep(2)
    (vkey,) = (word for word in init.stdout.split() if word.startswith("foreign.example/w+"))
    yield vkey, f"http://127.0.0.1:{port}/"
    process.terminate()
    process.wait(10)


@pytest.mark.soak
def test_a_foreign_witness_cosigns_the_log(real: Real, foreign_witness: tuple[str, str]) -> None:
    vkey, url = foreign_witness
    log_key = (real.folder / "log" / "vkeys").read_text().partition("\n")[0]
    text = f"log {log_key}\nwitness foreign {vkey} {url}\nquorum foreign\n"
    policy = parse_policy(text.encode())
    asked = Witnesses()
    for size, note in sorted(real.heads.items()):
        node = TileStore(real.folder / "log").node(size)
        prove = partial(_consistency, node, size)
        for _ in range(2):
            (line,) = asked.ask(note.decode(), policy=policy, proof_from=prove)
            assert line.key == parse_vkey(vkey)
        asked.sizes.clear()  # As after a restart: the witness's 409 says how far it is.


def _consistency(node: tree.Node, size: int, old: int) -> list[bytes]:
    return tree.consistency_proof(node, min(old, size), size)


CLIENT = """
import sys
from aics_tlog import FileSystemTileReader, consistency_proof_from_tiles
from aics_witness.feeder import WitnessClient, WitnessRejected
url, vkey, log, *notes = sys.argv[1:]
reader = FileSystemTileReader(log)
def proof(old, new):
    return consistency_proof_from_tiles(reader, old, new)
with WitnessClient(url, vkey) as client:
    for name in notes:
        print(client.submit(open(name, "rb").read(), proof).strip())
"""


@pytest.mark.soak
def test_our_witness_serves_a_foreign_client(
    real: Real, foreign: Path, kept: Path, tmp_path: Path
) -> None:
    key = checkpoint.witness_key(tmp_path / "ours", name="ours.example/w")
    log_key = (real.folder / "log" / "vkeys").read_text().partition("\n")[0]
    ours = Witness(where=tmp_path / "ours", key=key, logs=[parse_vkey(log_key)])
    notes = [str(kept / f"{size}.head") for size in sorted(real.heads)]
    with served(ours) as url:
        words = [url, checkpoint.vkey(key.public), str(real.folder / "log"), *notes, notes[-1]]
        done = subprocess.run(
            [str(foreign), "-c", CLIENT, *words], capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stdout.count("ours.example/w")) == (0, len(notes) + 1), (
        done.stderr
    )
    assert ours.last(real.origin).size == real.size
