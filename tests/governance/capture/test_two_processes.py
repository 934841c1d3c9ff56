"""A change reaches each of two real web processes, whichever a poll meets."""

from collections.abc import Callable

import pytest

from governance.capture.known_policies import STALE_SECONDS
from tests.infrastructure.processes import Installation

# A loaded machine takes its time to answer at all.
_ROOM_SECONDS = 1.0


@pytest.mark.soak
def test_r05_a_change_reaches_the_polls_of_all_web_processes(
    install: Callable[..., Installation],
) -> None:
    installed = install(REMIT_DEMO="1")
    installed.settings["REMIT_EXTERNAL_ORIGIN"] = installed.origin
    told = installed.step("tests.governance.capture.two_processes")
    assert set(told) == {"withdrawal", "consent", "pause", "stop", "revocation"}
    for change, times in told.items():
        assert len(times) == 2
        assert max(times) < STALE_SECONDS + _ROOM_SECONDS, (change, times)
