"""A process that dies leaves no memory behind, however generous its limits were."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.real, pytest.mark.once]

ROOT = Path(__file__).resolve().parents[2]
READY = "import django; django.setup();"
DIE = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
ASK = "import ctypes, resource; print(ctypes.CDLL(None).prctl(3), resource.getrlimit(4))"


def run(program: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "governance.settings",
            "REMIT_VAR": str(folder / "var"),
        },
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, _whatever_may_be()),
        capture_output=True,
        text=True,
        check=False,
    )


def _whatever_may_be() -> tuple[int, int]:
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    return (hard, hard)


def test_a_process_that_crashes_leaves_no_core(tmp_path: Path) -> None:
    assert run(READY + DIE, tmp_path).returncode == -signal.SIGSEGV
    assert [path.name for path in tmp_path.iterdir() if path.name != "var"] == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows this")
def test_nor_may_anybody_ask_for_one(tmp_path: Path) -> None:
    assert run(READY + ASK, tmp_path).stdout == "0 (0, 0)\n"
    assert run(ASK, tmp_path).stdout.startswith("1 "), "It would be possible otherwise."
