"""The clients stand alone: neither Django nor the service is imported, ever."""

import ast
import hashlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

CLIENTS = Path(__file__).parents[2] / "clients"
ALLOWED = {"remit_agent", "remit_conformance", "remit_trainer", "httpx", "msgspec", "cryptography",
           "backports", "compression"}  # fmt: skip
# What the recorder of a desktop brings with its extra, and nothing else may use.
X11 = {"xcffib", "jeepney"}


def test_the_clients_import_their_dependencies_and_nothing_else() -> None:
    foreign: dict[str, set[str]] = {}
    for path in sorted(CLIENTS.glob("remit_*/**/*.py")):
        found: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").partition(".")[0])
        allowed = ALLOWED | X11 if path.parent.name == "x11" else ALLOWED
        if more := found - allowed - sys.stdlib_module_names:
            foreign[path.name] = more
    assert foreign == {}


def test_they_start_without_the_service_on_the_path(tmp_path: Path) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(CLIENTS)!r}); import remit_agent.cli, "
        "remit_trainer.cli; print(sorted({'django', 'governance', 'audit', 'celery'} "
        "& set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


def test_the_console_scripts_and_dependencies_are_those_that_are_documented() -> None:
    project = tomllib.loads((CLIENTS / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == "remit-clients"
    assert set(project["scripts"]) == {"remit-agent", "remit-conformance", "remit-trainer"}
    needed = {line.split(">")[0] for line in project["dependencies"]}
    assert needed == {"httpx", "cryptography", "msgspec", "backports-zstd"}
    extras = project["optional-dependencies"]
    assert {line.split(">")[0] for line in extras["x11"]} == X11


def test_no_recording_holds_an_address_of_its_annotator() -> None:
    for path in (CLIENTS / "recordings").rglob("*"):
        if path.is_file():
            assert "annotator@" not in str(path)
            assert b"annotator@" not in path.read_bytes()
    assert (CLIENTS / "recordings" / "agentnet" / "LICENSE").is_file()


def test_rrweb_is_the_file_of_the_package_that_is_named_with_its_licence() -> None:
    folder = CLIENTS / "remit_agent" / "browser" / "extension" / "rrweb"
    named = json.loads((folder / "VENDOR.json").read_text(encoding="utf-8"))
    assert hashlib.sha256((folder / "record.min.js").read_bytes()).hexdigest() == named["sha256"]
    assert named["licence"] in (folder / "LICENSE").read_text(encoding="utf-8")


def test_the_extension_stays_out_of_private_windows_and_asks_for_nothing_else() -> None:
    extension = CLIENTS / "remit_agent" / "browser" / "extension"
    manifest = json.loads((extension / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["incognito"] == "not_allowed"
    assert manifest["permissions"] == ["nativeMessaging"]
