"""Every error of every floor is a problem, every problem has a page, and every row is of use."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest
from django.test import Client

from governance.api import problem_table, problem_types
from governance.api.problem_table import FAULT, TABLE, name_of, row_for

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("audit", "consent", "governance")


def error_modules() -> list[str]:
    return sorted(
        module.name
        for package in PACKAGES
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}.")
        if module.name.endswith(".errors")
    )


def errors() -> list[type[Exception]]:
    return [
        found
        for name in error_modules()
        for _, found in inspect.getmembers(importlib.import_module(name), inspect.isclass)
        if issubclass(found, Exception) and found.__module__ == name
    ]


def test_the_walk_finds_every_errors_file() -> None:
    files = {
        str(path.relative_to(ROOT).with_suffix("")).replace("/", ".")
        for package in PACKAGES
        for path in (ROOT / package).rglob("errors.py")
    }
    assert set(error_modules()) == files
    assert len(errors()) > 40


@pytest.mark.parametrize("error", errors(), ids=name_of)
def test_each_error_has_a_row_of_its_own_or_of_its_kind(error: type[Exception]) -> None:
    row = row_for(error)
    assert row is not None, f"Add {name_of(error)} to governance/api/problem_table.py."
    assert row.slug in problem_types.TYPES


def test_no_row_names_an_error_that_is_gone_and_no_type_is_unused() -> None:
    assert TABLE.keys() <= {name_of(error) for error in errors()}
    used = {row.slug for row in TABLE.values()} | {FAULT}
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "governance" / "api").glob("*.py")
    )
    unused = {
        slug for slug in problem_types.TYPES if slug not in used and source.count(f'"{slug}"') < 2
    }
    assert unused == set()


def test_the_members_a_row_promises_exist_on_its_error() -> None:
    for error in errors():
        row = TABLE.get(name_of(error))
        if row is None:
            continue
        promised = [*row.members]
        if isinstance(row.retry_after_seconds, str):
            promised.append(row.retry_after_seconds)
        source = inspect.getsource(error)
        for name in promised:
            assert f"self.{name}" in source, f"{name_of(error)} has no {name}."


@pytest.mark.django_db
@pytest.mark.parametrize("slug", sorted(problem_types.TYPES))
def test_each_type_has_a_page_at_its_address(slug: str) -> None:
    answer = Client().get(f"/problems/{slug}")
    assert answer.status_code == 200
    assert str(problem_types.TYPES[slug].status) in answer.content.decode()


def test_nothing_that_is_our_fault_tells_why() -> None:
    assert all(not row.says_why for row in TABLE.values() if row.slug == problem_table.FAULT)
