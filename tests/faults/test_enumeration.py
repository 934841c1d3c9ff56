"""Operations are struck at their points, on this pass's database; bugs are planted and caught.

`make test` strikes a few points of what matters most; `make soak` some of everything and all bugs
(REMIT_FAULT_POINTS=all: every point there is, for a night).
"""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from tests.infrastructure.processes import ROOT

Strike = Callable[..., list[dict[str, Any]]]
# Twelve operations and eleven meetings; together with the other database more than 800 points.
POINTS = 40


@pytest.fixture
def databases() -> Iterator[dict[str, str]]:
    """Give two databases of the enumeration's own on this pass's server; none on SQLite."""
    if connection.vendor == "sqlite":
        yield {}
        return
    given = connection.settings_dict
    names = [f"faults_{uuid.uuid4().hex[:8]}_{alias}" for alias in ("default", "keys")]
    place = {"host": given["HOST"], "port": given["PORT"], "user": given["USER"]}
    with psycopg.connect(
        dbname="postgres", password=given["PASSWORD"], autocommit=True, **place
    ) as server:
        for name in names:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        base = f"postgres://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}"
        yield {"DATABASE_URL": f"{base}/{names[0]}", "REMIT_KEYSTORE_URL": f"{base}/{names[1]}"}
        for name in names:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def strike(databases: dict[str, str], tmp_path: Path) -> Strike:
    def run(*words: str) -> list[dict[str, Any]]:
        own = {"REMIT_VAR": str(tmp_path / "var"), "PYTHONPATH": f"{ROOT}:{ROOT / 'clients'}"}
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults", *words],
            cwd=ROOT,
            env={**os.environ, **own, **databases},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def judge(results: list[dict[str, Any]]) -> int:
    """Fail with every violation; return how many points were struck."""
    found = [violation for result in results for violation in result["violations"]]
    assert not found, "\n".join(found)
    return sum(result["struck"] for result in results)


def test_nothing_is_lost_wherever_the_process_dies(strike: Strike) -> None:
    found = strike(
        *("--strike", "intake,redaction,deletion,erasure", "--sample", "7", "--races", "6")
    )
    assert judge(found) == 4 * 7 + 6


@pytest.mark.soak
@pytest.mark.timeout(14_400)
def test_nothing_is_lost_at_any_point_of_anything(strike: Strike) -> None:
    sample = [] if os.environ.get("REMIT_FAULT_POINTS") == "all" else ["--sample", str(POINTS)]
    assert judge(strike("--strike", "all", *sample)) >= 800


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_no_record_escapes_a_withdrawal_in_300_races(strike: Strike) -> None:
    assert judge(strike("--races", "300")) == 300


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_every_planted_bug_is_caught(strike: Strike) -> None:
    results = strike("--mutants", "all")
    assert len(results) >= 10
    assert [result["name"] for result in results if not result["violations"]] == []
