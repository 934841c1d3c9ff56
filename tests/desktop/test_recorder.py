"""`remit-agent record` on a real desktop, with real programs, against a service in memory."""

import hashlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from remit_conformance.service import AgentServer
from remit_conformance.serving import serving
from tests.infrastructure.canary import Canary
from tests.infrastructure.desktop import Desktop

pytestmark = [pytest.mark.real, pytest.mark.once]

FORM = (
    "zenity", "--forms", "--title=Expense claim", "--text=Claim", "--add-entry=Amount",
    "--add-password=Secret", "--add-combo=Country", "--combo-values=Germany|France",
    "--add-entry=Remark",
)  # fmt: skip
PASSWORD = "Passwort-4711-Kajuete"
FOREIGN = "Fremdes-0815-Fenster"
PAUSED = "Pausiert-2342-Gedicht"
UNNAMED = "Anmerkung-1789-Zeile"
CATEGORIES = (
    "pointer", "click", "menu-navigation", "shortcut", "keystroke-timing", "keystroke-text",
    "window-metadata", "ui-structure", "screenshot",
)  # fmt: skip


@cache
def _digest(program: str) -> str:
    return hashlib.sha256(Path(shutil.which(program) or "").read_bytes()).hexdigest()


def application(**more: Any) -> dict[str, Any]:
    return {
        "id": "warehouse-terminal",
        "kind": "desktop",
        "policy_version": "warehouse-terminal@1",
        "matchers": [
            {"kind": "process", "pattern": "zenity", "id": "program"},
            {"kind": "identity", "pattern": f"sha256:{_digest('zenity')}", "id": "build"},
            {"kind": "window-title", "pattern": "Expense claim*", "id": "claim"},
        ],
        "titles": [{"id": "claim", "pattern": "Expense claim*"}],
        "urls": [],
        "labels": ["Germany", "France"],
        "categories": [{"key": key, "rules": {}} for key in CATEGORIES],
        "fields": [{"id": "amount", "selector": "#amount"}],
        "masks": [],
    } | more


@dataclass
class Agent:
    """An enrolled agent on a desktop."""

    desktop: Desktop
    home: Path

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "remit_agent", *words, "--home", str(self.home)]

    def run(self, *words: str) -> str:
        done = subprocess.run(
            self.command(*words), env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        clients = Path(__file__).parents[2] / "clients"
        return self.desktop.environment | {"PYTHONPATH": str(clients)}

    def record(self) -> subprocess.Popen[str]:
        running = subprocess.Popen(
            self.command("record"), env=self.environment, stdout=subprocess.PIPE, text=True
        )
        assert running.stdout is not None
        while (line := running.stdout.readline()) and "reach" in line:
            continue
        assert line.strip() in {"Capturing.", "Not allowed here."}, line
        return running


@pytest.fixture
def server() -> Iterator[AgentServer]:
    with serving([application()]) as service:
        yield service


@pytest.fixture
def agent(desktop: Desktop, server: AgentServer, tmp_path: Path) -> Agent:
    made = Agent(desktop, tmp_path / "agent")
    made.run("enrol", "--server", server.origin, "--code", "GOOD-CODE")
    return made


def typed(events: list[dict[str, Any]]) -> str:
    return "".join(e["key_char"] for e in events if e["type"] == "key.down" and "key_char" in e)


def fill_in(desktop: Desktop) -> None:
    x, y = _place_of(desktop)
    desktop.do("mousemove", "--sync", str(x + 30), str(y + 35))
    time.sleep(0.3)
    desktop.do("click", "1")
    desktop.type("Abc12")
    desktop.do("key", "BackSpace")
    time.sleep(0.3)
    desktop.do("key", "ctrl+a")
    time.sleep(0.4)
    desktop.do("key", "End", "Tab")


def choose(desktop: Desktop) -> None:
    desktop.do("key", "Tab")
    time.sleep(0.4)
    desktop.do("key", "space")
    time.sleep(0.4)
    desktop.do("key", "Down")
    time.sleep(0.2)
    desktop.do("key", "Return")
    time.sleep(0.4)
    desktop.do("key", "Tab")


@dataclass
class Told:
    """What the agent printed, and from when until when a password was typed."""

    said: str
    began: int
    ended: int


def work(desktop: Desktop, agent: Agent) -> Told:
    """A person at work, with everything in it that must not be recorded."""
    chat = desktop.open("Private chat", "xterm", "-T", "Private chat", "-e", "cat")
    running = agent.record()
    desktop.type(FOREIGN)
    form = desktop.open("Expense claim", *FORM)
    fill_in(desktop)
    began = time.time_ns()
    desktop.type(PASSWORD)
    ended = time.time_ns()
    choose(desktop)
    desktop.type(UNNAMED)
    assert agent.run("pause").startswith("Paused.")
    time.sleep(0.2)
    desktop.do("key", "shift+Tab", "shift+Tab", "shift+Tab")
    desktop.type(PAUSED)
    agent.run("resume")
    desktop.type("9")
    running.send_signal(signal.SIGTERM)
    said, _ = running.communicate(timeout=15)
    form.terminate()
    chat.terminate()
    return Told(said, began, ended)


def test_r15_r49_r50_a_session_on_a_desktop_is_recorded_as_far_as_the_policy_goes(
    desktop: Desktop, agent: Agent, server: AgentServer
) -> None:
    told = work(desktop, agent)
    events = server.opened()
    kinds = {event["type"] for event in events}
    assert {
        "app.focus", "window.focus", "mouse.down", "mouse.up", "menu.select", "key.shortcut",
        "key.down", "capture.gap", "ui.tree", "screen.frame",
    } <= kinds  # fmt: skip
    frames = {event["blob_id"] for event in events if event["type"] == "screen.frame"}
    assert frames == set(server.pictures) != set()
    assert typed(events) == "Abc12\b9"
    shortcuts = [event["keys"] for event in events if event["type"] == "key.shortcut"]
    assert shortcuts == [["ctrl", "a"]]
    assert {e["control_label"] for e in events if e["type"] == "menu.select"} <= {
        "Germany", "France",
    }  # fmt: skip
    assert {event["app"] for event in events} == {"warehouse-terminal"}
    # Of a password field not even the shift key that was held leaves.
    named = [event for event in events if "key_name" in event or "key_class" in event]
    assert not [event for event in named if told.began < event["t_ns"] < told.ended]
    reasons = {event["reason"] for event in events if event["type"] == "capture.gap"}
    assert {"app_not_allowed", "secure_field", "paused"} <= reasons
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert [line for line in told.said.splitlines() if line.endswith(".")][-1].startswith(
        "Left out"
    )
    assert {"capturing", "paused", "not-allowed"} <= {each["state"] for each in server.heartbeats}
    for secret in (PASSWORD, FOREIGN, PAUSED, UNNAMED):
        assert secret not in typed(events)
        assert Canary(secret).scan(repr(events).encode()) == []
        assert Canary(secret).scan_tree(agent.home) == []


def _place_of(desktop: Desktop) -> tuple[int, int]:
    told = desktop.do("getactivewindow", "getwindowgeometry", "--shell")
    values = dict(line.split("=") for line in told.splitlines())
    return int(values["X"]), int(values["Y"])
