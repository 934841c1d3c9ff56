"""Operations are struck at their points, on this pass's database; bugs are planted and caught.

`make test` strikes a few points of what matters most; `make soak-faults` on SQLite one of each
statement, COMMIT and file effect of five flows, 22 points of every operation on PostgreSQL, and all
bugs (REMIT_FAULT_POINTS=all: every point there is, for a night).
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.faults import syscalls
from tests.faults.mutants import MUTANTS
from tests.faults.operations import FLOWS, OPERATIONS
from tests.faults.operations import MEETINGS as MEETINGS_OF
from tests.infrastructure.laid import Tables
from tests.infrastructure.processes import ROOT

Strike = Callable[..., list[dict[str, Any]]]
Tell = Callable[[str, object], None]
# Kills of each of thirteen operations, and of each of five flows: on SQLite at every kind of point
# there is, which a file's effects are, too. With SQLite's system calls more than 800.
KILLS = {"sqlite": ["--sample", "8", "--each"], "postgresql": ["--sample", "22"]}
LEAST = {"sqlite": 490, "postgresql": 230}
MEETINGS = 5
CALLS = 20
RACES = 300
# How many of them share a withdrawal (tests.faults.races, which Django must precede).
RIVALS = 3

pytestmark = pytest.mark.real


@pytest.fixture
def strike(tmp_path: Path, tables: Tables) -> Strike:
    """Run enumerations, each line of words in a process and databases of its own, at once."""

    def run(folder: Path, words: Sequence[str]) -> list[dict[str, Any]]:
        folder.mkdir()
        own = {"REMIT_VAR": str(folder / "var"), "PYTHONPATH": f"{ROOT}:{ROOT / 'clients'}"}
        with tables.laid(folder / "var") as urls:
            done = subprocess.run(
                # Behind the services that wait for their clients beside it.
                ["nice", "-n", "5", sys.executable, "-m", "tests.faults", *words],
                cwd=ROOT,
                env={**os.environ, **own, **urls},
                capture_output=True,
                text=True,
                check=False,
            )
        assert done.returncode == 0, done.stderr[-3000:]
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def run_all(*runs: Sequence[str]) -> list[dict[str, Any]]:
        with ThreadPoolExecutor(len(runs)) as pool:
            folders = [tmp_path / str(number) for number in range(len(runs))]
            return [one for found in pool.map(run, folders, runs) for one in found]

    return run_all


def judge(results: list[dict[str, Any]]) -> int:
    """Fail with every violation; return how many points were struck."""
    found = [violation for result in results for violation in result["violations"]]
    assert not found, "\n".join(found)
    return sum(result["struck"] for result in results)


def test_nothing_is_lost_wherever_the_process_dies(strike: Strike) -> None:
    """F01, F02, F04, F32: a few points of each."""
    found = strike(("--strike", "intake,redaction,erasure", "--sample", "4", "--races", "1"))
    assert judge(found) == 3 * 4 + RIVALS


@pytest.mark.soak
@pytest.mark.timeout(14_400)
def test_nothing_is_lost_at_any_point_of_anything(strike: Strike, record_property: Tell) -> None:
    """F01, F02, F04, F05, F32, F33: killed at a point, judged, brought back, and so on."""
    every = os.environ.get("REMIT_FAULT_POINTS") == "all"
    sample = [] if every else KILLS[connection.vendor]
    found = strike(*(("--strike", ",".join(half), *sample) for half in halves(OPERATIONS)))
    assert len(found) == len(OPERATIONS)
    flows = [one for one in found if one["name"] in FLOWS]
    assert len(flows) == len(FLOWS)
    if "--each" in sample:
        assert all(one["struck"] >= one["kinds"] for one in flows)
    record_property("kill points", sum(one["struck"] for one in found))
    assert judge(found) >= LEAST[connection.vendor]


@pytest.mark.soak
@pytest.mark.timeout(14_400)
def test_nothing_is_lost_when_two_meet_at_any_point(strike: Strike, record_property: Tell) -> None:
    """F06, F34, F35: one stands at a point until the other is through or waits for it."""
    every = os.environ.get("REMIT_FAULT_POINTS") == "all"
    sample = [] if every else ["--sample", str(MEETINGS)]
    found = strike(*(("--strike", ",".join(half), *sample) for half in halves(MEETINGS_OF)))
    assert len(found) == len(MEETINGS_OF)
    record_property("meetings", sum(one["struck"] for one in found))
    assert judge(found) >= MEETINGS * len(MEETINGS_OF)


@pytest.mark.soak
@pytest.mark.timeout(14_400)
@pytest.mark.only("sqlite")
@pytest.mark.skipif(not syscalls.available(), reason="There is no strace that may attach.")
def test_nothing_is_lost_between_sqlite_s_system_calls(
    strike: Strike, record_property: Tell
) -> None:
    """F43: killed as it enters a call that writes, syncs, cuts or removes."""
    names = ("intake,withdrawal", "redaction,erasure")
    found = strike(*(("--calls", name, "--sample", str(CALLS)) for name in names))
    record_property("system calls", sum(one["struck"] for one in found))
    assert judge(found) == 4 * CALLS


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_no_record_escapes_a_withdrawal_in_300_races(strike: Strike, record_property: Tell) -> None:
    """F35: aligned to the millisecond: upload, read and release against each withdrawal."""
    each = RACES // RIVALS // 2
    found = strike(("--races", f"{each}"), ("--races", f"{each}", "--seed", f"{each}"))
    record_property("races", sum(one["struck"] for one in found))
    assert judge(found) == RACES


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_every_planted_bug_is_caught(strike: Strike, record_property: Tell) -> None:
    """Ten of ten: a harness that finds none of them finds nothing."""
    names = [name for name, mutant in MUTANTS.items() if connection.vendor in mutant.vendors]
    assert len(names) >= 10
    results = strike(*(("--mutants", ",".join(half)) for half in halves(names)))
    assert {result["name"] for result in results} == set(names)
    record_property("bugs", len(names))
    record_property("bugs caught", sum(bool(result["violations"]) for result in results))
    assert [result["name"] for result in results if not result["violations"]] == []


def halves(names: Iterable[str]) -> tuple[list[str], list[str]]:
    every = list(names)
    return every[::2], every[1::2]
