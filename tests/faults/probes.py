"""Jobs with an effect that can be counted: one entry each, or the end of whoever does them.

Imported by the worker under test (`--include`), so that what dies is a real worker.
"""

import os
import signal
import time
from pathlib import Path

from django.db import transaction

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from governance.jobs import services as jobs

PROBE = "probe:once"
SLOW = "probe:slow"
SEGFAULT = "probe:segfault"
GLUTTON = "probe:glutton"


def _effect(fence: jobs.Fence) -> None:
    with transaction.atomic():
        fence.assert_held()
        journal.append(Action.KEY_ROTATED, actor=Actor.system("probe"), act="probe")
        jobs.finish(fence)


@jobs.handler(PROBE)
def probe(ref: str, fence: jobs.Fence) -> None:
    """Write one entry."""
    _effect(fence)


@jobs.handler(SLOW)
def slow(ref: str, fence: jobs.Fence) -> None:
    """Say who has it, wait for leave, then write one entry. The ref is a file's path."""
    path = Path(ref)
    with path.open("a") as file:
        file.write(f"{os.getpid()}\n")
    while not path.with_suffix(".go").exists():
        time.sleep(0.02)
    _effect(fence)


@jobs.handler(SEGFAULT)
def segfault(ref: str, fence: jobs.Fence) -> None:
    """End this process as broken native code does."""
    os.kill(os.getpid(), signal.SIGSEGV)


@jobs.handler(GLUTTON)
def glutton(ref: str, fence: jobs.Fence) -> None:
    """Take memory until there is none."""
    taken = []
    while True:
        taken.append(bytearray(64 * 1024 * 1024))
