"""What `make requirements` runs: writes docs/requirements.md, each requirement with its tests.

    python -m tests.requirements

A test belongs to a requirement by its name: `test_r05_…`, or `test_r02_r107_…` where one test shows
two. So `pytest -k r05_` runs what shows R5. The words stand in tests/requirements.toml.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests/requirements.toml"
DOCUMENT = ROOT / "docs/requirements.md"
_NAMED = re.compile(r"test_((?:r\d{2,3}_)+)")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that is asked of the service."""

    name: str
    level: str
    title: str

    @property
    def number(self) -> int:
        """The part of the name that counts."""
        return int(self.name[1:])


def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text())


def parts() -> Iterator[tuple[str, list[Requirement]]]:
    """Yield each part of the table with its requirements."""
    for part, rows in _table()["parts"].items():
        yield part, [Requirement(name, *text.split(": ", 1)) for name, text in rows.items()]


def tests() -> dict[int, list[str]]:
    """Return for each number the tests named after it, as pytest takes them."""
    found: dict[int, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef) and (named := _NAMED.match(node.name)):
                place = f"{path.relative_to(ROOT).as_posix()}::{node.name}"
                for number in re.findall(r"\d+", named[1]):
                    found.setdefault(int(number), []).append(place)
    return found


def document() -> str:
    """Return the page as it must stand."""
    lines, found = [_table()["introduction"]], tests()
    for part, requirements in parts():
        lines += [f"## {part}\n", "| | | Requirement | Tests |", "|---|---|---|---|"]
        for one in requirements:
            shown = "<br>".join(f"`{place[6:]}`" for place in found.get(one.number, ())) or "open"
            lines.append(f"| {one.name} | {one.level} | {one.title} | {shown} |")
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    """Write the page and say what is open."""
    DOCUMENT.write_text(document())
    every = [one for _, requirements in parts() for one in requirements]
    held = tests()
    left = [one.name for one in every if one.level == "must" and one.number not in held]
    sys.stdout.write(f"{len(every)} requirements; open musts: {', '.join(left) or 'none'}\n")
    return 0


if __name__ == "__main__":
    from tests import claims
    from tests.faults import matrix

    claims.DOCUMENT.write_text(claims.document())
    matrix.DOCUMENT.write_text(matrix.document())
    raise SystemExit(main())
