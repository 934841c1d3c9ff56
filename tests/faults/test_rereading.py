"""Everything stored is redacted again by a new recipe, and its worker is killed over and over."""

import subprocess
import sys
import time

import pytest

from tests.faults.service import Sealed, Service
from tests.infrastructure.processes import ROOT

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(600)]
BATCHES = 40
KILLS = 3
BY_RECIPE = (
    "SELECT recipe, count(*) FROM capture_liveframe "
    "WHERE category = 'keystroke-text' GROUP BY recipe"
)
# The house's own numbers are part of the recipe: naming them makes another.
NEW = {"REMIT_EMPLOYEE_NUMBER": "XQ-[0-9]{5}"}


def batches(service: Service) -> list[Sealed]:
    """Seal texts of mira's, each in a batch of its own."""
    texts = [f"note XQ-{number:05d} ok" for number in range(BATCHES)]
    command = [sys.executable, "-m", "tests.leaks.aside", str(service.folder), "mira", "the"]
    done = subprocess.run(
        [*command, *texts],
        cwd=ROOT,
        env=service.installed.environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    return [Sealed.read(line) for line in done.stdout.splitlines()]


def test_killed_again_and_again_it_ends_with_everything_redacted_once(service: Service) -> None:
    service.ensure()
    service.deliver(batches(service), seconds=120)
    service.settle()
    [(old, number)] = service.rows(BY_RECIPE)
    assert number == BATCHES
    service.kill("worker")
    service.installed.settings |= NEW
    service.aside("task", "governance.capture.tasks.reread_captures", **NEW)
    seen = [0]
    for _ in range(KILLS):
        worker = service.start("worker")
        service.wait(lambda: _done(service, old) > seen[-1], what="progress", seconds=60)
        worker.kill()
        seen.append(_done(service, old))
        service.hurry()
        time.sleep(0.5)
    assert sorted(set(seen)) == seen  # It goes on where it was.
    service.start("worker")

    def ended() -> bool:
        service.hurry(leases=False)
        time.sleep(0.5)
        return service.states("capture:reread") == {"done": 1}

    service.wait(ended, what="the rereading", seconds=120)
    service.settle(in_haste=True)
    [(new, left)] = service.rows(BY_RECIPE)
    assert (new != old, left) == (True, BATCHES)
    service.judge(**NEW)


def _done(service: Service, old: str) -> int:
    return sum(count for recipe, count in service.rows(BY_RECIPE) if recipe != old)
