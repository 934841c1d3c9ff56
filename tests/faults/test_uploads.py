"""What agents send twice, late, out of order or to a web that dies: once each, and never lost."""

import random
import time

import pytest

from tests.faults.service import Service

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(600)]


def test_whatever_dies_under_load_every_acknowledged_batch_is_there(service: Service) -> None:
    """F01, F02, F04, F42: web, worker, beat and sequencer are killed at random under load.

    An agent whose answer was lost sends again; some kills are SIGTERM, as a deployment's are.
    """
    source = random.Random(20)
    batches = service.batches(60)
    service.ensure()
    with service.load(batches):
        for number in range(8):
            time.sleep(source.uniform(0.3, 1.2))
            role = ("web", "worker", "sequencer", "beat")[number % 4]
            if number < 4:
                service.kill(role)
            else:
                service.stop(role)
            service.start(role)
    service.ensure()
    service.settle()
    service.see_the_head()
    service.judge()
