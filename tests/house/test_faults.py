"""Each fault that the service must bear is named by a test that makes it happen.

The numbers are those of the fault matrix: kills (F01, F02, F04, F05, F32, F33), readers and
releases (F03, F35), workers (F06-F10), clocks (F11, F12), the broker (F13-F17), the database (F18,
F19, F21, F22, F43), disks (F23), the log's files (F26, F29), the key store (F30, F31), races
(F34), agents (F36), restored copies (F39, F40), migrations (F41), deployments (F42).
"""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
BORNE = {*range(1, 20), 21, 22, 23, 26, *range(29, 37), *range(39, 44)}


def named() -> dict[int, list[str]]:
    """Return the tests by the faults that their docstrings name."""
    found: dict[int, list[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        if path == Path(__file__):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for number in re.findall(r"\bF(\d\d)\b", ast.get_docstring(node) or ""):
                    found.setdefault(int(number), []).append(f"{path.name}::{node.name}")
    return found


def test_each_fault_is_named_by_a_test() -> None:
    assert BORNE - named().keys() == set()
    assert named().keys() <= BORNE
