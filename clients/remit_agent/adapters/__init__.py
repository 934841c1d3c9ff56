"""Recordings of other recorders, read as observations.

Promises: each adapter takes only the parts it knows, names none of a recording's people or
machines, and counts what it left out; anything unreadable is a RecordingError. Leaves to others:
what may be sent of it (`filter`).
"""

from collections.abc import Callable
from pathlib import Path

from remit_agent.adapters import agentnet, openadapt, pynput, rrweb
from remit_agent.errors import RecordingError
from remit_agent.observed import Recording

_READERS: tuple[tuple[Callable[[Path], bool], Callable[[Path], Recording]], ...] = (
    (openadapt.recognises, openadapt.read),
    (agentnet.recognises, agentnet.read),
    (rrweb.recognises, rrweb.read),
    (pynput.recognises, pynput.read),
)


def read(path: Path) -> Recording:
    """Read a recording of any known recorder; RecordingError when none made it."""
    if not path.exists():
        raise RecordingError("There is no such recording.")
    for recognises, reader in _READERS:
        if recognises(path):
            return reader(path)
    raise RecordingError(
        "The recording is of no known kind (openadapt-capture, AgentNet, rrweb, pynput)."
    )
