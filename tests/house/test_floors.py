"""The house stands: imports point down, and nothing grows past what one can hold in mind."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOUSE = ("audit", "consent", "governance")
SOURCES = ("audit", "consent", "governance", "clients")
LONGEST_MODULE = 400
LONGEST_FUNCTION = 50
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "managers", "signals", "mixins"}
# cryptography may be used by whoever signs, seals or checks signatures, and by nobody else.
CRYPTOGRAPHERS = (
    "audit/signing.py",
    "audit/checkpoint.py",
    "audit/witness.py",
    "audit/quorum.py",
    "governance/vault/",
    "governance/accounts/sealed_secrets.py",
    "governance/api/device_authentication.py",
    "clients/",
)


def modules() -> Iterator[Path]:
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*.py")):
            if "migrations" not in path.parts and "build" not in path.parts:
                yield path


def test_imports_point_down() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(lint), "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_no_module_is_longer_than_one_can_read() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in modules()
        if (lines := len(path.read_text().splitlines())) > LONGEST_MODULE
    }
    assert not long


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert not long


def test_every_file_is_named_after_its_thing() -> None:
    assert not [path for path in modules() if path.stem in FORBIDDEN_NAMES]


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def importers(package: str, allowed: tuple[str, ...]) -> list[str]:
    return [
        str(path.relative_to(ROOT))
        for path in modules()
        if any(name.split(".")[0] == package for name in imported(path))
        and not str(path.relative_to(ROOT)).startswith(allowed)
    ]


def test_only_few_touch_keys_queues_and_operators() -> None:
    assert importers("cryptography", CRYPTOGRAPHERS) == []
    assert importers("allauth", ("governance/web/",)) == []
    assert importers("presidio_anonymizer", ("governance/redaction/operators.py",)) == []
    assert importers("rest_framework", ("governance/api/",)) == []
    queue = ("governance/celery.py", "governance/apps.py", "governance/jobs/doorbell.py")
    tasks = tuple(str(p.relative_to(ROOT)) for p in modules() if p.name == "tasks.py")
    assert importers("celery", queue + tasks) == []


def test_models_are_private_to_their_app() -> None:
    """Others call services and selectors; foreign keys across apps are strings."""
    strangers = []
    for path in modules():
        own = ".".join(path.relative_to(ROOT).parent.parts)
        for name in imported(path):
            module, _, leaf = name.rpartition(".models")
            if module.startswith(HOUSE) and module != own and leaf.count(".") <= 1:
                strangers.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not [line for line in strangers if not _is_type_only(line)]


def _is_type_only(line: str) -> bool:
    """Types may be named: the import then stands under TYPE_CHECKING."""
    path, _, name = line.partition(" imports ")
    tree = ast.parse((ROOT / path).read_text())
    module = name if name.endswith(".models") else name.rpartition(".")[0]
    at_run_time = [
        node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == module
    ]
    return not at_run_time


def test_clients_never_import_the_service() -> None:
    for path in modules():
        if "clients" in path.parts:
            tops = {name.split(".")[0] for name in imported(path)}
            assert tops.isdisjoint({"django", "audit", "consent", "governance"}), path
