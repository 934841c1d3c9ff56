"""A desktop nobody sees: Xvfb, openbox, a session bus with accessibility, and real programs."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

# By the command that is looked for: Debian's package that brings it.
NEEDED = {
    "Xvfb": "xvfb",
    "openbox": "openbox",
    "xdotool": "xdotool",
    "zenity": "zenity",
    "xterm": "xterm",
    "dbus-daemon": "dbus",
    "/usr/libexec/at-spi-bus-launcher": "at-spi2-core",
}
# What the programs may write anywhere belongs into a folder that is searched and thrown away.
_HOMES = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")


def missing() -> list[str]:
    """Return Debian's packages that are not there yet."""
    return [package for command, package in NEEDED.items() if not shutil.which(command)]


def require_desktop() -> None:
    """Fail where the tests must run, skip elsewhere, unless everything is there."""
    if not (left := missing()):
        return
    line = f"The desktop tests need Debian's packages: apt-get install {' '.join(left)}"
    if os.environ.get("CI") == "true" or os.geteuid() == 0:
        pytest.fail(line)
    pytest.skip(line)


@dataclass
class Desktop:
    """A running desktop; `start` runs programs on it, `do` moves its mouse and its keys."""

    folder: Path
    display: str = ""
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Start the screen, the window manager and the buses."""
        clean = {name: text for name, text in os.environ.items() if not name.startswith("XDG_")}
        self.environment = clean | {name: str(self.folder) for name in _HOMES}
        self.environment |= {"NO_COLOR": "1", "LC_ALL": "C.UTF-8", "LIBGL_ALWAYS_SOFTWARE": "1"}
        self.environment.pop("NO_AT_BRIDGE", None)
        reading, writing = os.pipe()
        self.start("Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x768x24",
                   "-nolisten", "tcp", "-noreset", passing=writing)  # fmt: skip
        os.close(writing)
        with os.fdopen(reading) as told:
            self.display = f":{told.readline().strip()}"
        self.environment["DISPLAY"] = self.display
        bus = self.folder / "bus"
        self.start("dbus-daemon", "--session", "--nofork", f"--address=unix:path={bus}")
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={bus}"
        self.wait(bus.exists, what="the session bus")
        self.start("openbox")
        self.wait(lambda: self._tells("_NET_SUPPORTING_WM_CHECK"), what="the window manager")
        # The bus of accessibility comes up with the first program that asks for it.
        self.start("/usr/libexec/at-spi-bus-launcher", "--launch-immediately")
        self.wait(lambda: self._tells("AT_SPI_BUS"), what="the accessibility bus")

    def start(self, *command: str, passing: int | None = None) -> subprocess.Popen[bytes]:
        """Start a program on this desktop; it ends with it."""
        process = subprocess.Popen(
            command,
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(passing,) if passing is not None else (),
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def do(self, *words: str) -> str:
        """Let xdotool do something (XTEST); return what it printed."""
        return subprocess.run(
            ["xdotool", *words], env=self.environment, capture_output=True, text=True, check=True,
            timeout=90,
        ).stdout.strip()  # fmt: skip

    def type(self, text: str) -> None:
        """Type like a person does, after a moment in which the focus came to rest."""
        time.sleep(0.35)
        self.do("type", "--delay", "45", text)
        time.sleep(0.35)

    def open(self, title: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a program and wait until its window has the focus."""
        process = self.start(*command)
        self.wait(lambda: self.front() == title, what=f"{title} in front")
        time.sleep(0.3)
        return process

    def front(self) -> str:
        """Return the title of the window in front."""
        with contextlib.suppress(subprocess.CalledProcessError):
            return self.do("getactivewindow", "getwindowname")
        return ""

    def wait(self, is_so: Callable[[], bool], *, what: str, seconds: float = 15) -> None:
        """Poll until something is so."""
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(0.05)

    def close(self) -> None:
        """End everything that was started, the latest first."""
        for process in reversed(self.started):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(3)

    def _tells(self, name: str) -> bool:
        import xcffib
        import xcffib.xproto

        try:
            connection = xcffib.connect(display=self.display)
        except xcffib.ConnectionException:
            return False
        root = connection.get_setup().roots[0].root
        atom = connection.core.InternAtom(False, len(name), name).reply().atom
        found = connection.core.GetProperty(False, root, atom, 0, 0, 1).reply().type != 0
        connection.disconnect()
        return bool(found)


@contextlib.contextmanager
def running_desktop() -> Iterator[Desktop]:
    """Run a desktop in a folder of its own, short enough for the paths of sockets."""
    require_desktop()
    with tempfile.TemporaryDirectory(prefix="remit-desk-") as folder:
        desktop = Desktop(Path(folder))
        try:
            desktop.run()
            yield desktop
        finally:
            desktop.close()
