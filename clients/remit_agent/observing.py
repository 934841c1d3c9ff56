"""`remit-agent observe`: obeys what it is told to have seen, line by line. For `remit-conformance`.

Each line of input is one JSON object, each answered by one: `{"state": ...}`. Time passes only as
the lines say. Everything behind the lines is the agent that records desktops.
"""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import httpx
import msgspec
from msgspec import Meta

from remit_agent.clock import Clock
from remit_agent.errors import AgentError, PolicyError, RefusedError, UnreachableError
from remit_agent.home import Home
from remit_agent.live import Live
from remit_agent.machine import Machine
from remit_agent.observed import (
    Button,
    Choice,
    Element,
    Focus,
    Key,
    Move,
    Observation,
    Surface,
    Withheld,
)
from remit_agent.service import connect
from remit_agent.session import Agent
from remit_agent.spool import Spool

_SECOND_NS: Final = 1_000_000_000
_FINE_S: Final = 3.0
_SECURE: Final = frozenset({"password"})


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A window as the desktop names it, and what its program was found to be."""

    process: str
    title: str
    identity: tuple[str, ...] = ()


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field of an application; the role `password` is one that the application hides."""

    id: str
    role: str = "textbox"


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of input."""

    do: Literal[
        "start", "wait", "clock", "ask", "send", "pause", "resume",
        "focus", "key", "move", "button", "choose", "machine", "metered",
    ]  # fmt: skip
    now_ns: int = 0
    seconds: float = 0.0
    window: Window | None = None
    field: Field | None = None
    char: Annotated[str, Meta(max_length=1)] | None = None
    name: str | None = None
    held: tuple[str, ...] = ()
    is_down: bool = True
    label: str | None = None
    is_metered: bool = False
    is_on_battery: bool = False
    is_allowed: bool = False


@dataclass(slots=True)
class _Machine:
    """A machine that is as it is told to be."""

    is_metered: bool = False
    is_on_battery: bool = False
    cpu_s: float = 0.0

    def become(self, line: Line) -> None:
        self.is_metered, self.is_on_battery = line.is_metered, line.is_on_battery
        # So much of the processor was used since the last line.
        self.cpu_s += line.seconds

    def machine(self) -> Machine:
        return Machine(lambda: self.is_on_battery, lambda: self.is_metered, lambda: self.cpu_s)


@dataclass(slots=True)
class _Time:
    """Wall and steady time, which pass when told to."""

    wall_ns: int = 0
    steady_ns: int = 0

    def clock(self) -> Clock:
        return Clock(lambda: self.wall_ns, self.wait, lambda: self.steady_ns)

    def wait(self, seconds: float) -> None:
        self.wall_ns += int(seconds * _SECOND_NS)
        self.steady_ns += int(seconds * _SECOND_NS)


@dataclass(slots=True)
class _Told:
    agent: Agent
    live: Live
    time: _Time
    machine: _Machine

    def obey(self, line: Line) -> None:
        match line.do:
            case "wait":
                self._wait(line.seconds)
            case "clock":
                self.time.wall_ns += int(line.seconds * _SECOND_NS)
                self._step(())
            case "ask":
                self.ask()
            case "send":
                self.live.close_stretch()
                self.agent.flush()
            case "pause" | "resume" | "metered":
                self._choose(line)
            case "machine":
                self.machine.become(line)
            case _:
                self._step([self._seen(line)])

    def _choose(self, line: Line) -> None:
        """Do what the person does on this device."""
        match line.do:
            case "pause":
                self.agent.home.pause()
            case "resume":
                self.agent.home.resume()
            case "metered":
                self.agent.home.allow_metered(is_allowed=line.is_allowed)
        self._step(())

    def begin(self) -> None:
        with contextlib.suppress(AgentError):
            self.agent.flush()
        self.ask()

    def end(self) -> None:
        self.live.finish(now_ns=self.time.steady_ns)
        with contextlib.suppress(AgentError):
            self.agent.flush()

    def ask(self) -> None:
        with contextlib.suppress(PolicyError, RefusedError, UnreachableError):
            self.agent.refresh(force=True)
        self._step(())

    def _wait(self, seconds: float) -> None:
        # Fine steps first, in which what was seen settles; then longer ones.
        passed = 0.0
        while passed < seconds:
            part = min(seconds - passed, 0.25 if passed < _FINE_S else 5.0)
            self.time.wait(part)
            self._step(())
            passed += part

    def _step(self, seen: Iterable[Observation]) -> None:
        self.live.step(seen, now_ns=self.time.steady_ns)

    def _seen(self, line: Line) -> Observation:
        at = self.time.steady_ns
        surface = _surface(line.window)
        match line.do:
            case "focus":
                return Focus(t_ns=at, surface=surface)
            case "move":
                return Move(t_ns=at, surface=surface, x=10, y=10)
            case "button":
                return Button(
                    t_ns=at, surface=surface, x=10, y=10, button="left", is_down=line.is_down
                )
            case "choose":
                return Choice(t_ns=at, surface=surface, role="combobox", label=line.label)
        if line.field is not None and line.field.role in _SECURE:
            return Withheld(t_ns=at, surface=surface, reason="secure_field", source="keyboard")
        element = Element(line.field.id, line.field.role) if line.field else None
        code = line.name or line.char or ""
        return Key(t_ns=at, surface=surface, is_down=line.is_down, code=code, name=line.name,
                   char=line.char, element=element, held=line.held)  # fmt: skip


def _surface(window: Window | None) -> Surface | None:
    if window is None:
        return None
    return Surface("window", window.process, title=window.title, identity=window.identity)


def observe(
    home: Home, lines: Iterable[bytes], *, transport: httpx.BaseTransport | None = None
) -> Iterator[bytes]:
    """Obey each line, and yield its answer; AgentError for a line that is none."""
    identity, time = home.identity(), _Time()
    with (
        home.exclusive(),
        connect(
            identity.server, origin=identity.origin, transport=transport, clock=time.clock()
        ) as service,
    ):
        machine = _Machine()
        agent = Agent(home, service, identity, machine=machine.machine())
        told: _Told | None = None
        spool = Spool(home.spool)
        try:
            for each in lines:
                line = _line(each)
                if line.do == "start":
                    time.wall_ns = line.now_ns
                    told = _Told(agent, Live(agent, line.now_ns, spool=spool), time, machine)
                    told.begin()
                elif told is not None:
                    told.obey(line)
                elif line.do == "machine":
                    machine.become(line)
                yield msgspec.json.encode({"state": agent.state()})
            if told is not None:
                told.end()
        finally:
            spool.close()


def _line(octets: bytes) -> Line:
    try:
        return msgspec.json.decode(octets, type=Line)
    except msgspec.MsgspecError as error:
        raise AgentError("A line of input is not one that `observe` knows.") from error
