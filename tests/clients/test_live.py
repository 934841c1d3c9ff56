"""A live recording, fed by hand: pauses, changes of policy, kills, budgets, steps of the clock."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from remit_agent.clock import Clock
from remit_agent.errors import MeteredError
from remit_agent.home import Home
from remit_agent.live import Live
from remit_agent.observed import Element, Focus, Key, Move, Observation, Surface
from remit_agent.service import connect
from remit_agent.session import STATES, Agent
from remit_agent.spool import Spool
from remit_conformance.service import ORIGIN, AgentServer, FakeClock, problem
from tests.clients.conftest import application
from tests.infrastructure.canary import Canary

CLAIM = Surface("window", "zenity", title="Expense claim", window=7)
CHAT = Surface("window", "xterm", title="Private chat", window=9)
AMOUNT = Element("amount", "textbox", "Amount")
SECOND = 1_000_000_000
MATCHERS = [
    {"kind": "process", "pattern": "zenity", "id": "program"},
    {"kind": "window-title", "pattern": "Expense claim*", "id": "claim"},
]


class Bench:
    """An agent that records what it is told, in a time that only passes when told so."""

    made: ClassVar[list["Bench"]] = []

    def __init__(self, home: Path, server: AgentServer, clock: FakeClock) -> None:
        self.home, self.server, self.clock = Home(home), server, clock
        self.steady_ns = 0
        ours = Clock(clock.now_ns, clock.sleep, lambda: self.steady_ns)
        self._service = connect(ORIGIN, transport=server.transport(), clock=ours)
        self.agent = Agent(self.home, self._service.__enter__(), self.home.identity())
        self.spool = Spool(self.home.spool)
        self.live = Live(self.agent, clock.now_ns(), spool=self.spool)
        Bench.made.append(self)
        self.t_ns = 0

    def pass_(self, seconds: float) -> None:
        self.t_ns += int(seconds * SECOND)
        self.steady_ns += int(seconds * SECOND)
        self.clock.sleep(seconds)

    def see(self, *seen: Observation, seconds: float = 0.1) -> None:
        self.live.step(seen, now_ns=self.t_ns)
        self.pass_(seconds)
        self.live.step((), now_ns=self.t_ns)

    def type(self, text: str, surface: Surface = CLAIM) -> None:
        for char in text:
            for is_down in (True, False):
                key = Key(t_ns=self.t_ns, surface=surface, is_down=is_down, code=char, char=char,
                          element=AMOUNT)  # fmt: skip
                self.see(key, seconds=0.02)

    def sent(self) -> list[dict[str, Any]]:
        self.agent.flush()
        return self.server.opened()


@pytest.fixture
def bench(home: Path, server: AgentServer, clock: FakeClock) -> Iterator[Bench]:
    server.applications = [application("warehouse-terminal", matchers=MATCHERS)]
    made = Bench(home, server, clock)
    made.agent.refresh()
    made.see(Focus(t_ns=0, surface=CLAIM), seconds=1)
    yield made
    for each in Bench.made:
        each.spool.close()
    Bench.made.clear()


def typed(events: list[dict[str, Any]]) -> str:
    return "".join(e["key_char"] for e in events if e["type"] == "key.down" and "key_char" in e)


def again(bench: Bench) -> Bench:
    """Another process with the same state directory, after the first was killed."""
    next_one = Bench(bench.home.path, bench.server, bench.clock)
    next_one.agent.refresh()
    return next_one


def test_a_killed_agent_loses_nothing_that_was_kept_and_leaves_nothing_readable(
    bench: Bench,
) -> None:
    secret = "Kajuete-4711-Möwe"
    bench.type(secret)
    bench.pass_(0.5)
    bench.see()
    assert bench.sent() == []
    files = list(bench.home.path.rglob("*"))
    assert {oct(each.stat().st_mode & 0o777) for each in files if each.is_file()} == {"0o600"}
    assert Canary(secret).scan_tree(bench.home.path) == []
    after = again(bench)
    after.see()
    events = after.sent()
    assert typed(events) == secret
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert events[-1]["reason"] == "agent_fault"
    assert list(bench.home.spool.iterdir()) == []
    again(after).see()
    assert typed(after.sent()) == secret


def test_a_stretch_that_was_cut_short_is_read_up_to_the_cut(bench: Bench) -> None:
    for part in ("abc", "def"):
        bench.type(part)
        bench.pass_(0.5)
        bench.see()
    [stretch] = bench.home.spool.iterdir()
    os.truncate(stretch, stretch.stat().st_size - 5)
    after = again(bench)
    after.see()
    assert typed(after.sent()) == "abc"


def test_what_was_spooled_goes_when_the_key_or_the_consent_has_gone(bench: Bench) -> None:
    bench.type("abcdef")
    bench.pass_(0.5)
    bench.see()
    bench.server.applications = [application("warehouse-terminal", ["pointer"], matchers=MATCHERS)]
    bench.server.consent_epoch += 1
    after = again(bench)
    after.see()
    assert after.sent() == []
    assert list(bench.home.spool.iterdir()) == []
    after.server.applications = [application("warehouse-terminal", matchers=MATCHERS)]
    after.server.consent_epoch += 1
    after.agent.refresh(force=True)
    after.see(Focus(t_ns=after.t_ns, surface=CLAIM), seconds=1)
    after.type("xyz")
    after.pass_(0.5)
    after.see()
    (bench.home.path / "spool.key").write_bytes(bytes(32))
    last = again(after)
    last.see()
    assert last.sent() == []
    assert list(bench.home.spool.iterdir()) == []


def test_r14_nothing_around_a_pause_is_kept_and_nothing_in_it(bench: Bench) -> None:
    bench.type("before")
    bench.pass_(1)
    bench.see()
    bench.home.pause()
    bench.see()
    bench.type("in between")
    bench.home.resume()
    bench.see()
    bench.type("after")
    bench.pass_(1)
    bench.live.finish(now_ns=bench.t_ns)
    events = bench.sent()
    assert typed(events) == "beforeafter"
    assert {"paused"} == {e["reason"] for e in events if e["type"] == "capture.gap"}


def test_r05_a_withdrawal_drops_what_was_kept_and_not_yet_sealed(bench: Bench) -> None:
    bench.type("secret of the person")
    bench.server.applications = [application("warehouse-terminal", ["pointer"], matchers=MATCHERS)]
    bench.server.consent_epoch += 1
    bench.agent.refresh(force=True)
    bench.see(Move(t_ns=bench.t_ns, surface=CLAIM, x=1, y=1), seconds=1)
    bench.live.finish(now_ns=bench.t_ns)
    assert {e["type"] for e in bench.sent()} == {"capture.policy", "mouse.move", "capture.gap"}
    assert list(bench.home.spool.iterdir()) == []


@pytest.mark.parametrize("step_s", [-3600, -60, 60, 3600])
def test_r35_a_clock_that_was_set_ends_the_policy_until_a_new_one_came(
    bench: Bench, step_s: int
) -> None:
    assert bench.agent.in_force() is not None
    bench.clock.ns += step_s * SECOND
    assert bench.agent.in_force() is None
    assert bench.agent.state() == "no-policy"


def test_r35_setting_the_clock_back_prolongs_no_lease(bench: Bench) -> None:
    """Step by step, each too small to be seen."""
    for _ in range(16 * 60):
        bench.steady_ns += SECOND
    assert bench.agent.in_force() is None


def test_r26_the_day_s_octets_end_the_recording_and_the_sending_until_the_next_day(
    bench: Bench,
) -> None:
    budgets = {"max_batch_events": 5000, "max_octets_per_day": 3000}
    bench.server.overrides = {"budgets": budgets}
    bench.server.policy_epoch += 1
    bench.agent.refresh(force=True)
    bench.see(seconds=0.3)
    for text in ("abc", "def", "ghi"):
        bench.type(text)
        bench.pass_(8)
        bench.see()
    bench.live.finish(now_ns=bench.t_ns)
    # The second stretch is sealed and waits; the third was never kept.
    assert typed(bench.sent()) == "abc"
    assert len(bench.agent.outbox) == 1
    assert bench.live.dropped["budget"] > 0
    bench.pass_(24 * 3600)
    assert typed(bench.sent()) == "abcdef"


def test_r26_on_a_metered_network_not_one_octet_leaves_unless_the_person_allows_it(
    bench: Bench,
) -> None:
    bench.type("abc")
    bench.pass_(8)
    bench.see()
    bench.home.mark_network("metered")
    before = list(bench.server.paths)
    assert bench.agent.flush() == 0
    bench.agent.refresh(force=True)
    with pytest.raises(MeteredError):
        bench.agent.heartbeat()
    assert bench.server.paths == before
    bench.home.allow_metered(is_allowed=True)
    assert typed(bench.sent()) == "abc"


def test_r23_a_heartbeat_is_as_long_whatever_it_tells(bench: Bench) -> None:
    """Not its answer, not its state: whoever reads along on the network learns nothing."""
    for state, decisions in zip(STATES, (8, 9, 10, 100_000), strict=True):
        bench.server.consent_epoch = decisions
        bench.agent.refresh(force=True)
        bench.agent.heartbeat(state=state)
    assert {beat["consent_epoch"] for beat in bench.server.heartbeats} >= {9, 100_000}
    assert [beat["state"] for beat in bench.server.heartbeats] == [*STATES]
    assert len(set(bench.server.beats)) == 1


def test_r26_a_service_whose_day_is_spent_is_left_alone_until_it_says(bench: Bench) -> None:
    spent = problem("rate-limited", 429)
    spent.headers["Retry-After"] = "7200"
    bench.server.failures = [lambda: spent]
    bench.type("abc")
    bench.pass_(8)
    bench.see()
    assert bench.sent() == []
    assert bench.sent() == []
    assert bench.server.paths.count("capture-batches") == 1
    bench.pass_(7201)
    assert typed(bench.sent()) == "abc"


def test_only_a_service_that_is_away_lets_an_offline_lease_go_on(bench: Bench) -> None:
    """One that answers "too many requests" is reached, so that nothing outlives its lease."""
    bench.server.is_down = True
    for status, is_offline in ((429, False), (503, True), (500, False), (504, True)):
        bench.server.down_status = status
        bench.agent.refresh(force=True)
        assert bench.agent.is_offline is is_offline, status
    bench.server.is_down = False
    bench.agent.refresh(force=True)
    assert not bench.agent.is_offline


def test_a_service_that_asks_for_endless_patience_is_asked_again_after_a_day(
    bench: Bench,
) -> None:
    spent = problem("rate-limited", 429)
    spent.headers["Retry-After"] = "9" * 400
    bench.server.failures = [lambda: spent]
    bench.type("abc")
    bench.pass_(8)
    bench.see()
    assert bench.sent() == []
    bench.pass_(86_401)
    bench.agent.refresh(force=True)
    bench.sent()
    assert bench.server.paths.count("capture-batches") == 2


def test_r49_a_window_needs_every_kind_of_matcher_that_the_policy_names(bench: Bench) -> None:
    strange = [
        Surface("window", "xterm", title="Expense claim", window=1),
        Surface("window", "zenity", title="Private chat", window=2),
        Surface("window", "zenity", window=3),
    ]
    for surface in strange:
        bench.see(Focus(t_ns=bench.t_ns, surface=surface), seconds=1)
        bench.type("x", surface)
        bench.pass_(1)
    bench.live.finish(now_ns=bench.t_ns)
    assert typed(bench.sent()) == ""
