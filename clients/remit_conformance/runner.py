"""Plays one case to an agent and says what was not as it must be.

The agent is only known by its commands and by what reaches the service. Whatever it would like to
keep or send is looked for in what the service was sent, opened, and in the files of its home.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from remit_conformance.service import AgentServer, FakeClock, signing_key

CASES: Final = Path(__file__).with_name("cases.json")
LEDGER: Final = {"process": "ledger", "title": "Ledger - 2026"}
CHAT: Final = {"process": "chatter", "title": "Private chat"}
BUILD: Final = f"sha256:{'a1' * 32}"
WINDOWS: Final = {
    "ledger": LEDGER,
    "chat": CHAT,
    "posing-title": {"process": "chatter", "title": "Ledger - 2026"},
    "posing-process": {"process": "ledger", "title": "Salaries"},
    "known-build": LEDGER | {"identity": [BUILD]},
    "other-build": LEDGER | {"identity": [f"sha256:{'b2' * 32}"]},
    "unknown": None,
}
FIELDS: Final = {
    "amount": {"id": "amount"},
    "note": {"id": "note"},
    "iban": {"id": "iban"},
    "secret": {"id": "secret", "role": "password"},
    "unknown": None,
}
CATEGORIES: Final = (
    "pointer", "click", "menu-navigation", "shortcut", "keystroke-timing", "keystroke-text",
    "window-metadata", "ui-structure",
)  # fmt: skip
_QUANTUM_NS: Final = 20_000_000


class Talk(Protocol):
    """An agent that obeys lines."""

    def tell(self, line: dict[str, Any]) -> dict[str, Any]:
        """Give one line; return its answer."""

    def end(self) -> None:
        """Say that no more lines come, and wait for the end."""

    def kill(self) -> None:
        """End it at once, as a power cut would."""


class Agent(Protocol):
    """How an agent is reached."""

    def enrol(self, *, server: AgentServer, home: Path) -> None:
        """Enrol it at the service with the code GOOD-CODE."""

    def talk(self, *, server: AgentServer, home: Path) -> Talk:
        """Start `observe`."""


def application(**more: Any) -> dict[str, Any]:
    """Return the application of all cases, changed where asked."""
    return {
        "id": "ledger",
        "kind": "desktop",
        "policy_version": "ledger@1",
        "matchers": [
            {"kind": "process", "pattern": "ledger", "id": "program"},
            {"kind": "window-title", "pattern": "Ledger - *", "id": "title"},
        ],
        "titles": [{"id": "year", "pattern": "Ledger - *"}],
        "urls": [],
        "labels": ["Net", "Gross"],
        "categories": [{"key": key, "rules": {}} for key in CATEGORIES],
        "fields": [{"id": "amount", "selector": "#amount"}],
        "masks": [{"id": "iban", "selector": "#iban"}],
    } | more


@dataclass
class Play:
    """One case under way."""

    case: dict[str, Any]
    agent: Agent
    server: AgentServer
    home: Path
    talk: Talk | None = None
    state: str = ""
    earlier: dict[str, bytes] = field(default_factory=dict)
    readable: list[str] = field(default_factory=list)
    machine: dict[str, Any] | None = None
    # How many requests and batches the service had got when asked to count.
    counted: tuple[int, int] = (0, 0)

    def run(self) -> list[str]:
        """Play all steps; return what is wrong, nothing when the agent obeys."""
        self.agent.enrol(server=self.server, home=self.home)
        self._change(self.case.get("service", {}))
        self._start()
        for step in self.case["steps"]:
            for name, value in step.items():
                getattr(self, f"_do_{name}")(value)
        self._tell(do="send")
        if self.talk is not None:
            self.talk.end()
        return list(self._wrong())

    # -- steps -------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.talk = self.agent.talk(server=self.server, home=self.home)
        if self.machine is not None:
            self._tell(do="machine", **self.machine)
        self._tell(do="start", now_ns=self.server.clock.ns)

    def _tell(self, **line: Any) -> None:
        assert self.talk is not None
        self.state = self.talk.tell(line)["state"]

    def _do_service(self, changes: dict[str, Any]) -> None:
        self._change(changes)

    def _change(self, changes: dict[str, Any]) -> None:
        for name, value in changes.items():
            match name:
                case "application":
                    self.server.applications = [application(**value)]
                case "issued_s":
                    self.server.issued_at = self.server.clock.now() + timedelta(seconds=value)
                case "lease_s" | "offline_s":
                    setattr(self.server, name.removesuffix("_s"), timedelta(seconds=value))
                case "budgets":
                    self.server.overrides["budgets"] = {"max_batch_events": 5000} | value
                case "signer":
                    self.server.key_id, self.server.signer = value, signing_key(value)
                case "announces":
                    self.server.next_keys = [(value, signing_key(value))]
                case _:
                    assert hasattr(self.server, name), name
                    setattr(self.server, name, value)

    def _do_keep(self, name: str) -> None:
        """Keep the policy as it is now, to be replayed later."""
        self.earlier[name] = self.server.policy()

    def _do_replay(self, name: str) -> None:
        self.server.replays = self.earlier[name]

    def _do_ask(self, _: bool) -> None:  # noqa: FBT001 - data of a case.
        self._tell(do="ask")

    def _do_wait(self, seconds: float) -> None:
        self.server.clock.sleep(seconds)
        self._tell(do="wait", seconds=seconds)

    def _do_clock(self, seconds: float) -> None:
        self._tell(do="clock", seconds=seconds)

    def _do_focus(self, window: str) -> None:
        self._tell(do="focus", window=WINDOWS[window])

    def _do_type(self, typing: dict[str, Any]) -> None:
        window, field_ = WINDOWS[typing.get("in", "ledger")], FIELDS[typing.get("field", "amount")]
        for char in typing["text"]:
            for is_down in (True, False):
                self._tell(do="key", window=window, field=field_, char=char, is_down=is_down)
                self._do_wait(0.013)

    def _do_work(self, text: str) -> None:
        self._do_focus("ledger")
        self._do_wait(1)
        self._do_type({"text": text})
        self._do_wait(1)

    def _do_line(self, line: dict[str, Any]) -> None:
        given = dict(line)
        if "window" in given:
            given["window"] = WINDOWS[given["window"]]
        self._tell(**given)

    def _do_mix(self, counts: dict[str, int]) -> None:
        """Let many things happen in other windows, and a few in the one that is allowed."""
        for number in range(counts["foreign"]):
            self._tell(do="move", window=WINDOWS["chat"])
            if number % (counts["foreign"] // counts["own"]) == 0:
                self._do_wait(1)
                self._do_focus("ledger")
                self._do_wait(1)
                self._do_type({"text": counts["text"]})
                self._do_wait(1)
                self._do_focus("chat")
                self._do_wait(1)

    def _do_pause(self, _: bool) -> None:  # noqa: FBT001 - data of a case.
        self._tell(do="pause")

    def _do_resume(self, _: bool) -> None:  # noqa: FBT001 - data of a case.
        self._tell(do="resume")

    def _do_machine(self, told: dict[str, Any]) -> None:
        # A restarted agent finds the machine as it is.
        self.machine = {name: value for name, value in told.items() if name != "seconds"}
        self._tell(do="machine", **told)

    def _do_metered(self, answer: str) -> None:
        self._tell(do="metered", is_allowed=answer == "allow")

    def _do_count(self, _: bool) -> None:  # noqa: FBT001 - data of a case.
        self.counted = (len(self.server.paths), len(self.server.batches))

    def _do_look(self, secret: str) -> None:
        """Look for something in the agent's files while it runs."""
        self.readable += self._readable(secret)

    def _do_restart(self, how: str) -> None:
        assert self.talk is not None
        if how == "killed":
            self.talk.kill()
        else:
            self.talk.end()
        self._start()

    # -- what must be so ---------------------------------------------------------------------------

    def _wrong(self) -> Iterator[str]:
        expected = self.case["expect"]
        events = self.server.opened()
        for name, value in self._found(events).items():
            if name in expected and value != expected[name]:
                yield f"{name}: {value!r} instead of {expected[name]!r}"
        for kind in expected.get("never", []):
            if any(event["type"].startswith(kind) for event in events):
                yield f"there is a {kind}"
        for secret in expected.get("absent", []):
            yield from self._traces(secret, events)
        yield from self.readable
        if any(map(_has_holes, self.server.sessions())):
            yield "the numbers of a session's events have holes or repeat"
        timing = [event["t_ns"] for event in events if "key_class" in event]
        if any(t_ns % _QUANTUM_NS for t_ns in timing):
            yield "typing rhythm is finer than 20 ms"

    def _found(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        keys = [event for event in events if event["type"] == "key.down"]
        return {
            "typed": "".join(event["key_char"] for event in keys if "key_char" in event),
            "state": self.state,
            "gaps": sorted({e["reason"] for e in events if e["type"] == "capture.gap"}),
            "labels": sorted({e["control_label"] for e in events if "control_label" in e}),
            "titles": sorted({e["title_pattern"] for e in events if "title_pattern" in e}),
            "shortcuts": [e["keys"] for e in events if e["type"] == "key.shortcut"],
            "batches": len(self.server.batches),
            "events": len(events),
            "sessions": len(self.server.sessions()),
            "requests": len(self.server.paths) - self.counted[0],
            "batches_since": len(self.server.batches) - self.counted[1],
            "moves": sum(e["type"].startswith("mouse.") for e in events),
        }

    def _traces(self, secret: str, events: list[dict[str, Any]]) -> Iterator[str]:
        if secret in json.dumps(events, ensure_ascii=False) + "".join(
            str(event.get("key_char", "")) for event in events
        ):
            yield f"{secret!r} was sent"
        yield from self._readable(secret)

    def _readable(self, secret: str) -> Iterator[str]:
        for path in self.home.rglob("*"):
            if path.is_file() and secret.encode() in path.read_bytes():
                yield f"{secret!r} stands in {path.name}"


def _has_holes(session: list[dict[str, Any]]) -> bool:
    return [event["seq"] for event in session] != list(range(len(session)))


def cases() -> list[dict[str, Any]]:
    """Return all cases."""
    told: list[dict[str, Any]] = json.loads(CASES.read_text(encoding="utf-8"))["cases"]
    return told


@contextmanager
def _home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="remit-conformance-"))
    try:
        yield folder / "home"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(case: dict[str, Any], *, agent: Agent, server: AgentServer) -> list[str]:
    """Play a case against a service that nobody used yet; return what is wrong."""
    with _home() as home:
        return Play(case, agent, server, home).run()


def fresh_clock() -> FakeClock:
    """Return a time that begins now and passes when a case says so."""
    return FakeClock(datetime.now(UTC))
