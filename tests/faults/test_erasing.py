"""A real worker dies at one step of an erasure after the other; three people are erased whole."""

from pathlib import Path

import pytest

from tests.faults import struck
from tests.faults.service import Service

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(600)]
ENDED = "SELECT state, attempts FROM jobs_job WHERE kind = 'erase:subject'"
# Deaths that a job outlives: the fifth attempt must reach the end.
DEATHS = 4
# By person: at which of the points that make something true the worker dies, again and again.
PLACES = {"mira": ("after", 1), "tariq": ("before", 2), "carla": ("before", 3)}


def test_an_erasure_whose_worker_dies_at_every_step_is_completed_once(
    service: Service, orders: Path
) -> None:
    """F32: twelve deaths, three erasures; no step twice, every one certified, nothing left."""
    for name in PLACES:
        service.deliver(service.batches(2, of=name))
    service.settle()
    for number, (name, (when, nth)) in enumerate(PLACES.items(), start=1):
        struck.give(orders, "erase:subject", [(f"{when} default: COMMIT", nth)] * DEATHS)
        service.aside("act", "erase", name)
        struck.obeyed(service, orders, "erase:subject")
        done = service.rows(ENDED)
        assert done == [("done", DEATHS + 1)] * number
    steps = "SELECT state, count(*) FROM rights_erasurestep GROUP BY state"
    assert {count for _, count in service.rows(steps)} == {len(PLACES)}
    service.judge()
