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
    batches = service.batches(48)
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


def test_a_deployment_under_load_loses_nothing(service: Service) -> None:
    """F42: SIGTERM to all at once, three times; all are gone in 30 s, nothing is lost."""
    service.ensure()
    # Three starts of everything fit into it, also on a machine that is busy.
    with service.load(service.batches(36), seconds=240):
        for _ in range(3):
            time.sleep(0.7)
            for running in service.running.values():
                running.process.terminate()
            began = time.monotonic()
            for running in service.running.values():
                running.process.wait(30)
            assert time.monotonic() - began < 30
            service.ensure()
    service.settle()
    service.judge()


def test_what_comes_twice_late_or_out_of_order_counts_once(service: Service) -> None:
    """F36: the same batch at once from many, overlapping sequences, gaps, a batch of last month."""
    service.ensure()
    batches = service.batches(8)
    with service.load(batches), service.load(batches), service.load(batches[::-1]):
        pass
    in_one = service.batches(6, form="one session")
    statuses = []
    for number in (0, 3, 1, 3, 5, 4):
        answer = service.send(in_one[number])
        assert answer is not None
        statuses.append((number, answer.status_code))
    # A gap is let through (a refused batch leaves one), a step back is not, a repeat is.
    assert statuses == [(0, 202), (3, 202), (1, 409), (3, 202), (5, 202), (4, 409)]
    late = service.send(service.batches(1, form="late")[0])
    assert late is not None
    assert late.json()["type"] == "/problems/policy-violation"
    service.settle()
    service.judge()
