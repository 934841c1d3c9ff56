"""What clients did and were told, written as it happened: a killed process leaves it too."""

import json
import os
from pathlib import Path
from typing import Any

from tests.faults.invariants import Event


class History:
    """An append-only file of events; each line is one write of the kernel's."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, what: str, phase: str = "acked", **facts: Any) -> None:
        """Write down one event."""
        line = json.dumps({"what": what, "phase": phase, "facts": facts}, default=str) + "\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def clear(self) -> None:
        """Begin anew."""
        self._path.unlink(missing_ok=True)

    def read(self) -> list[Event]:
        """Return everything so far."""
        if not self._path.exists():
            return []
        return [Event(**json.loads(line)) for line in self._path.read_text().splitlines()]
