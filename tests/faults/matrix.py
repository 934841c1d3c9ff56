"""Which fault is made to happen by which test: part of what `make requirements` writes.

A test names the faults that it makes happen in its docstring, the databases that can have them by
`pytest.mark.only`, and by `pytest.mark.real` that real processes suffer them.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("matrix.toml")
DOCUMENT = ROOT / "docs/faults.md"
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to the service, what must hold, and which databases can have it."""

    name: str
    words: str
    holds: str
    databases: frozenset[str]


@dataclass(frozen=True, slots=True)
class Test:
    """A test that names faults, the databases it runs on, and whether processes are real."""

    place: str
    faults: frozenset[str]
    databases: frozenset[str]
    is_real: bool


def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text())


def parts() -> Iterator[tuple[str, list[Fault]]]:
    """Yield each part of the table with its faults."""
    for part, rows in _table()["parts"].items():
        yield (
            part,
            [
                Fault(name, words, holds, frozenset(only or DATABASES))
                for name, (words, holds, *only) in rows.items()
            ],
        )


def tests() -> list[Test]:
    """Return the tests that name faults."""
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_bytes())
        of_all = [line for line in map(ast.unparse, tree.body) if line.startswith("pytestmark =")]
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                place = f"{path.relative_to(ROOT / 'tests').as_posix()}::{node.name}"
                found.append(_test(place, node, " ".join(of_all)))
    return [test for test in found if test.faults]


def _test(place: str, node: ast.FunctionDef, of_all: str) -> Test:
    marks = " ".join([of_all, *map(ast.unparse, node.decorator_list)])
    only = re.findall(r"mark\.only\('(\w+)'\)", marks)
    faults = re.findall(r"\bF\d\d\b", ast.get_docstring(node) or "")
    return Test(place, frozenset(faults), frozenset(only or DATABASES), "mark.real" in marks)


def document() -> str:
    """Return the page as it must stand."""
    lines, found = [_table()["introduction"]], tests()
    for part, faults in parts():
        lines += [f"## {part}\n", "| | What happens | What holds | Tests |", "|---|---|---|---|"]
        for one in faults:
            shown = "<br>".join(_shown(test) for test in found if one.name in test.faults)
            lines.append(f"| {one.name} | {one.words} | {one.holds} | {shown} |")
        lines.append("")
    return "\n".join(lines)


def _shown(test: Test) -> str:
    said = [DATABASES[name] for name in DATABASES if test.databases == {name}]
    said += [] if test.is_real else ["in one process"]
    return f"`{test.place}`" + (f" ({', '.join(said)})" if said else "")
