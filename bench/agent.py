"""What the recording agent takes of the machine: `remit-agent record` on a desktop nobody sees.

A script moves the mouse and types into a form at forty events a second, as kept by the agent. The
share is of one core, of the agent's process alone; the limit is 3 % and 80 MB.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import rounds
from bench.serving import Served
from remit_conformance.serving import serving
from tests.infrastructure.desktop import Desktop, running_desktop

DATABASES = ("sqlite",)
SECONDS = int(os.environ.get("REMIT_BENCH_SECONDS", "20"))
WARM_S = 6
# Each step moves twice and types once (down and up): about five events kept.
STEP = ("mousemove", "{x}", "{y}", "sleep", "0.06", "mousemove", "{y}", "{x}", "sleep", "0.05",
        "key", "--delay", "0", "a", "sleep", "0.015")  # fmt: skip
CLAIM = ("zenity", "--entry", "--title=Expense claim", "--text=Amount")


def run() -> list[rounds.Row]:
    with tempfile.TemporaryDirectory() as folder, running_desktop() as desktop:
        return _measure(desktop, Path(folder))


def _measure(desktop: Desktop, home: Path) -> list[rounds.Row]:
    clients = Path(__file__).parents[1] / "clients"
    environment = desktop.environment | {"PYTHONPATH": str(clients)}

    def agent(*words: str) -> list[str]:
        return [sys.executable, "-m", "remit_agent", *words, "--home", str(home)]

    with serving([_application()]) as service:
        enrol = agent("enrol", "--server", service.origin, "--code", "GOOD-CODE")
        subprocess.run(enrol, env=environment, check=True, stdout=subprocess.DEVNULL)
        desktop.open("Expense claim", *CLAIM)
        recording = subprocess.Popen(agent("record"), env=environment, stdout=subprocess.DEVNULL)
        served = Served(service.origin, recording.pid)
        time.sleep(WARM_S)
        before, start = served.cpu_seconds(), time.perf_counter()
        _work(desktop, SECONDS)
        passed, used = time.perf_counter() - start, served.cpu_seconds() - before
        peak = served.resident_mib()
        recording.send_signal(signal.SIGTERM)
        recording.wait(20)
        kept = len(service.opened())
    return [
        {
            "side": "remit-agent record",
            "events per s": round(kept / passed, 1),
            "CPU % of a core": round(100 * used / passed, 2),
            "peak MiB": round(peak),
        }
    ]


def _work(desktop: Desktop, seconds: int) -> None:
    """Let a person work for so long."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        words = [
            word.format(x=300 + step * 3, y=280 + step * 2) for step in range(20) for word in STEP
        ]
        desktop.do(*words)


def _application() -> dict[str, object]:
    keys = ("pointer", "click", "menu-navigation", "shortcut", "keystroke-timing",
            "keystroke-text", "window-metadata", "ui-structure", "screenshot")  # fmt: skip
    return {
        "id": "warehouse-terminal",
        "kind": "desktop",
        "policy_version": "warehouse-terminal@1",
        "matchers": [{"kind": "process", "pattern": "zenity", "id": "program"}],
        "titles": [{"id": "claim", "pattern": "Expense claim*"}],
        "urls": [],
        "labels": [],
        "categories": [{"key": key, "rules": {}} for key in keys],
        "fields": [],
        "masks": [],
    }
