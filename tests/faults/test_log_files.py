"""Two sequencers at once, and files of the log that are torn at any byte."""

import random
import time
from pathlib import Path

import pytest

from tests.faults.aside import FailedError
from tests.faults.service import Service

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(600)]
CUTS = 8


def test_of_two_sequencers_one_works_and_the_other_takes_over(service: Service) -> None:
    """F29: one waits or ends; killed, the other goes on; one log in the end."""
    service.ensure()
    service.deliver(service.batches(3))
    second = service.start("sequencer", name="second")
    with service.load(service.batches(20)):
        time.sleep(1)
        service.see_the_head()
    assert service.running["sequencer"].is_alive
    service.kill("sequencer")
    if not second.is_alive:
        # As the supervisor does.
        service.start("sequencer", name="second")
    service.deliver(service.batches(3))
    service.settle()
    service.installed.wait_ready()
    service.see_the_head()
    service.stop("second")
    assert "agree" in service.installed.manage("log_check")
    service.judge()


def newest_tile(service: Service) -> Path:
    tiles = (service.installed.var / "log" / "tile" / "0").rglob("*")
    return max((path for path in tiles if path.is_file()), key=lambda path: path.stat().st_mtime_ns)


@pytest.mark.parametrize("name", ["tile", "checkpoint", "signed-head"])
def test_a_torn_file_is_made_whole_or_nothing_is_signed(service: Service, name: str) -> None:
    """F26: the newest tile, the head or the signer's memory end in the middle; never a fork."""
    source = random.Random(name)
    service.ensure()
    service.stop("sequencer")
    for cut in range(CUTS):
        # As often as the log needs to hear from a sequencer, and never while a file is torn.
        service.aside("manage", "sequencer", "--once")
        service.deliver(service.batches(1))
        service.settle()
        service.aside("manage", "sequencer", "--once")
        service.see_the_head()
        path = {
            "tile": newest_tile(service),
            "checkpoint": service.installed.var / "log" / "checkpoint",
            "signed-head": service.installed.var / "keys" / "log" / "signed-head",
        }[name]
        whole = path.read_bytes()
        head = (service.installed.var / "log" / "checkpoint").read_bytes()
        path.write_bytes(whole[: source.randrange(len(whole)) if cut else 0])
        try:
            service.aside("manage", "sequencer", "--once")
        except FailedError:
            # It refuses; then nothing new was signed, and the whole file is enough to go on.
            now = (service.installed.var / "log" / "checkpoint").read_bytes()
            assert name == "checkpoint" or now == head
            path.write_bytes(whole)
            service.aside("manage", "sequencer", "--once")
        assert "agree" in service.aside("manage", "log_check")
    service.ensure()
    service.judge()
