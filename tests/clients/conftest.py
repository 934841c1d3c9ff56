"""An enrolled agent, a service in memory, and the recordings of the repository."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from remit_agent.cli import main
from remit_agent.clock import Clock
from remit_agent.policy import CATEGORIES
from remit_agent.replay import ReplayReport, replay
from remit_conformance.service import ORIGIN, AgentServer, FakeClock

RECORDINGS = Path(__file__).parents[2] / "clients" / "recordings"
OFFERED = tuple(category for category in CATEGORIES if category != "screenshot")
LABELS = ["Germany", "France", "Terms accepted"]


def application(key: str, categories: Iterable[str] = OFFERED, **more: Any) -> dict[str, Any]:
    """An application of the demo as the policy document shows it."""
    is_web = key == "freight-desk"
    matchers = (
        [{"kind": "origin", "pattern": "http://127.0.0.1:38749", "id": "desk"}]
        if is_web
        else [
            {"kind": "process", "pattern": "demo-corp", "id": "claim"},
            {"kind": "process", "pattern": "ApplicationFrameHost", "id": "settings"},
            {"kind": "process", "pattern": "ShellExperienceHost", "id": "shell"},
        ]
    )
    return {
        "id": key,
        "kind": "web" if is_web else "desktop",
        "policy_version": f"{key}@1",
        "matchers": matchers,
        "titles": [{"id": "claim", "pattern": "Expense claim*"}],
        "urls": [{"id": "form", "pattern": "http://127.0.0.1:38749/form.html"}],
        "labels": LABELS,
        "categories": [{"key": category, "rules": {}} for category in categories],
        "fields": [],
        "masks": [],
    } | more


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture
def server(clock: FakeClock) -> AgentServer:
    both = [application("freight-desk"), application("warehouse-terminal")]
    return AgentServer(clock, applications=both)


@pytest.fixture
def home(tmp_path: Path, server: AgentServer) -> Path:
    path = tmp_path / "agent"
    argv = ["enrol", "--server", ORIGIN, "--code", "GOOD-CODE", "--home", str(path)]
    assert main(argv, transport=server.transport()) == 0
    return path


Play = Callable[..., ReplayReport]


@pytest.fixture
def play(home: Path, server: AgentServer, clock: FakeClock) -> Play:
    """Replay a recording against the service in memory, in its time."""

    def run(name: str, **more: Any) -> ReplayReport:
        ours = Clock(clock.now_ns, clock.sleep)
        given: dict[str, Any] = {"speed": 20.0, "transport": server.transport(), "clock": ours}
        return replay(home=home, recording=RECORDINGS / name, **given | more)

    return run
