"""The web process under measurement: the server of production with one worker, and its CPU time."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx


@dataclass(frozen=True, slots=True)
class Served:
    """A running web process."""

    origin: str
    process: int

    def cpu_seconds(self) -> float:
        """Return what the server and its workers have used so far."""
        return sum(_cpu_ns(pid) for pid in _family(self.process)) / 1e9

    def resident_mib(self) -> float:
        """Return the largest memory of one of its processes at any time so far."""
        peaks = [_peak_kib(pid) for pid in _family(self.process)]
        return max(peaks) / 1024


@contextlib.contextmanager
def serving(port: int, *, application: str = "governance.wsgi:application") -> Iterator[Served]:
    """Serve with this process's environment until the block ends."""
    origin = os.environ["REMIT_EXTERNAL_ORIGIN"]
    command = [*(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1")]
    # As many threads as `serve` gives it.
    command += ["--port", str(port), "--workers", "1", "--blocking-threads", "8"]
    command += ["--no-access-log", "--log-level", "error"]
    with subprocess.Popen([*command, application]) as process:
        try:
            for _ in range(100):
                with contextlib.suppress(httpx.TransportError):
                    if httpx.get(origin + "/healthz/live").is_success:
                        break
                time.sleep(0.1)
            yield Served(origin, process.pid)
        finally:
            process.terminate()


def _family(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [parent, *(pid for child in children for pid in _family(int(child)))]


def _cpu_ns(pid: int) -> int:
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads)


def _peak_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
