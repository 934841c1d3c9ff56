"""Which program a process runs, as the kernel knows it: its name, and what its file is.

Promises: nothing is believed of a process, only of the file that the kernel runs for it; a file is
read again when anything of it changed; what cannot be read has no identity, which no policy that
names one can allow. Leaves to others: programs that are read by another one (an interpreter is what
runs), and what a publisher vouches for (Linux signs packages, not programs).
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_MOST_KNOWN: Final = 500


@dataclass(slots=True)
class Programs:
    """Remembers the digest of each program that came to the front."""

    _known: dict[tuple[int, ...], str] = field(default_factory=dict)

    def identity(self, pid: int) -> tuple[str, ...]:
        """Return the identities of the program that a process runs; none when it is gone."""
        try:
            # The very file that runs, whatever stands under its name by now.
            with Path(f"/proc/{pid}/exe").open("rb") as program:
                state = os.fstat(program.fileno())
                changed = state.st_mtime_ns, state.st_ctime_ns
                mark = state.st_dev, state.st_ino, state.st_size, *changed
                if mark not in self._known:
                    if len(self._known) >= _MOST_KNOWN:
                        self._known.clear()
                    self._known[mark] = hashlib.file_digest(program, "sha256").hexdigest()
        except OSError:
            return ()
        return (f"sha256:{self._known[mark]}",)


def name(pid: int | None) -> str | None:
    """Return the name of the program a process runs, from the kernel; None when it is gone."""
    if pid is None:
        return None
    try:
        # A program replaced on disk while it runs is not the one that was approved.
        program = Path(f"/proc/{pid}/exe").readlink()
    except OSError:
        return None
    return None if program.name.endswith(" (deleted)") else program.name
