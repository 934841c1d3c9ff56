"""Each domain error has one page, and the page's name is the name of an error that exists."""

import importlib
import inspect
from pathlib import Path

from governance.web import failures

ROOT = Path(__file__).resolve().parents[3]


def test_every_error_with_a_page_exists() -> None:
    files = [*ROOT.glob("governance/*/errors.py"), ROOT / "audit/errors.py"]
    files += [ROOT / "consent/errors.py"]
    found: set[str] = set()
    for path in files:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found |= {name for name, _ in inspect.getmembers(importlib.import_module(name))}
    assert set(failures.PAGES) <= found


def test_every_problem_says_what_happened_and_what_to_do() -> None:
    for problem in failures.explained().values():
        assert str(problem.title)
        assert str(problem.text)
        assert str(problem.then)
        assert 400 <= problem.status < 600
