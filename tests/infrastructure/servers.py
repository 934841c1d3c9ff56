"""What PostgreSQL and Redis have in common: a port of their own, an unprivileged user, an end."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any


class ServerError(Exception):
    """A server did not start; the text holds the end of its log."""


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unprivileged(preferred: str) -> dict[str, Any]:
    """Return Popen arguments that drop root for `preferred` or nobody; none when not root."""
    if os.geteuid() != 0:
        return {}
    for name in (preferred, "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return {}


@contextlib.contextmanager
def own_directory(prefix: str, user: dict[str, Any]) -> Iterator[Path]:
    """A directory under /tmp that only that user can read, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        if user:
            os.chown(folder, user["user"], user["group"])
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(
    command: Sequence[str], *, log: Path, user: dict[str, Any], is_ready: Callable[[], bool]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; raise ServerError when it is not ready in 30 seconds."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,  # Ctrl-C reaches us first, so that we end it in order.
            **user,
        )
    try:
        deadline = time.monotonic() + 30
        while not is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(log.read_text(errors="replace")[-2000:])
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
