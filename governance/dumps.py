"""Keeps what a process holds in memory out of files that its crash would leave.

Promise: once `forbid` was called, neither this process nor its forks leave a core file, whatever
limits it was started with; on Linux no handler of the machine is given its memory either, and no
other process of the same user reads it (/proc/PID/mem, a debugger). What is started anew inherits
the limit and forbids the rest for itself.
"""

import ctypes
import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def forbid() -> None:
    """Forbid dumps of this process, for good."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # A handler that cores are piped to (core_pattern) gets them whatever the limit says.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
