"""The file people run: built the same everywhere, on old Pythons, alone, over HTTP."""

import ast
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from audit import verifier
from audit.verifier.build import build
from governance.web import standalone
from tests.reference_log import Log, entry

LOG = Log([entry(number) for number in range(520)])
SOURCES = sorted(Path(verifier.__file__).parent.glob("*.py"))
# What 3.9 has not: the newest of the language, and of the library what we would reach for first.
LATER = {"slots", "kw_only", "strict", "UTC", "pairwise", "batched", "bit_count", "file_digest"}
LATER |= {"add_note", "ExceptionGroup", "tomllib", "StrEnum", "Self", "TaskGroup", "aiter", "anext"}


def _pythons() -> list[str]:
    """This Python, and a 3.9 where the machine has one: there the oldest promise is kept."""
    found = [sys.executable]
    with contextlib.suppress(OSError):
        found += map(str, sorted(Path.home().glob(".pyenv/versions/3.9.*/bin/python3"))[-1:])
    return found


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_nothing_is_newer_than_python_3_9(source: Path) -> None:
    """For machines that have none to try it on."""
    parsed = ast.parse(source.read_text(), feature_version=(3, 9))
    assert "from __future__ import annotations" in source.read_text() or not parsed.body[1:]
    for node in ast.walk(parsed):
        names = [getattr(node, field, None) for field in ("id", "attr", "arg", "name", "module")]
        assert LATER.isdisjoint(filter(None, names)), f"{source.name}:{node.lineno}"  # type: ignore[attr-defined]
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"isinstance", "zip"}:
            assert not any(isinstance(one, ast.BinOp) for one in node.args), "X | Y is of 3.10"


def test_each_script_of_the_page_is_short_enough_to_be_read() -> None:
    folder = Path(standalone.__file__).parent / "static"
    scripts = sorted(folder.glob("verify*.js"))
    assert {path.name for path in scripts} >= set(standalone.SCRIPTS)
    assert [path.name for path in scripts if path.read_text().count("\n") >= 200] == []


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify")
    build(folder / "remit-verify.pyz")
    LOG.write(folder / "log")
    (folder / "vkeys").write_text(LOG.vkeys)
    (folder / "entry.tlog-proof").write_bytes(LOG.proof(100))
    (folder / "saved").write_bytes(LOG.checkpoint(257))
    return folder


@pytest.fixture(scope="module")
def url(place: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(place / "log")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def _run(python: str, place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-I", "-W", "error", str(place / "remit-verify.pyz"), *words],
        cwd=place,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.real
@pytest.mark.once
@pytest.mark.parametrize("python", _pythons())
def test_each_command_runs_alone(python: str, place: Path, url: str) -> None:
    keys = ("--vkey", "vkeys")
    (place / "key").write_bytes(b"k" * 32)
    state = f"state-{Path(python).parents[1].name}"
    ages = ("--oldest-signature", "1e10", "--longest-silence", "1e10")
    commands = [
        ("proof", "entry.tlog-proof", *keys),
        ("scan", "log", *keys),
        ("scan", url, *keys),
        ("consistency", "--saved", "saved", url, *keys),
        ("mine", "--key", "key", url, *keys),
        ("monitor", url, "--once", "--state", state, *ages, *keys),
    ]
    for words in commands:
        done = _run(python, place, *words)
        assert (done.returncode, done.stderr) == (0, ""), (words, done)
        assert f"Head of {LOG.origin}: 520 entries." in done.stdout


@pytest.mark.real
@pytest.mark.once
def test_what_does_not_hold_is_one_line_and_misuse_is_not_a_finding(place: Path, url: str) -> None:
    proof = (place / "entry.tlog-proof").read_bytes()
    (place / "changed").write_bytes(proof.replace(b"index 100", b"index 101"))
    cases = {
        ("proof", "changed", "--vkey", "vkeys"): "not in the signed tree at that index",
        ("proof", "absent", "--vkey", "vkeys"): "absent cannot be read",
        ("proof", "/dev/zero", "--vkey", "vkeys"): "longer than it may be",
        ("proof", "changed", "--vkey", "changed"): "not of the form",
        ("scan", "absent", "--vkey", "vkeys"): "neither a web address nor a directory",
        ("scan", "file:///etc", "--vkey", "vkeys"): "neither a web address nor a directory",
        ("scan", url + "absent", "--vkey", "vkeys"): "cannot be fetched",
        ("scan", "http://127.0.0.1:9/", "--vkey", "vkeys"): "cannot be fetched",
    }
    for words, reason in cases.items():
        done = _run(sys.executable, place, *words)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done
        assert reason in done.stderr
    for misuse in [(), ("guess",), ("scan",), ("proof", "changed"), ("scan", "log", "--vkey")]:
        done = _run(sys.executable, place, *misuse)
        assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.real
def test_who_goes_away_before_the_answer_gets_no_traceback_and_no_yes(place: Path) -> None:
    words = (str(place / "remit-verify.pyz"), "scan", "log", "--vkey", "vkeys")
    end, gone = os.pipe()
    os.close(end)
    with os.fdopen(gone, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-I", *words], cwd=place, stdout=nobody, stderr=-1, check=False
        )
    assert (done.returncode, done.stderr) == (1, b"")


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    first = build(tmp_path / "one.pyz")
    os.utime(Path(sys.modules["audit.verifier"].__file__ or ""))
    assert build(tmp_path / "two" / "two.pyz") == first
    assert (tmp_path / "one.pyz").read_bytes() == (tmp_path / "two" / "two.pyz").read_bytes()


def test_the_archive_needs_only_the_standard_library(tmp_path: Path) -> None:
    import zipfile

    build(tmp_path / "one.pyz")
    with zipfile.ZipFile(tmp_path / "one.pyz") as archive:
        names = set(archive.namelist())
        for name in names:
            for node in ast.walk(ast.parse(archive.read(name))):
                modules = (
                    [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                )
                if isinstance(node, ast.ImportFrom):
                    modules = [str(node.module)]
                for module in modules:
                    own = module.startswith("audit.verifier") or module == "audit.verifier"
                    assert own or module.split(".")[0] in sys.stdlib_module_names, (name, module)
    assert "audit/verifier/build.py" not in names
    assert {"__main__.py", "audit/verifier/__main__.py"} <= names
