"""The agent against a service in memory: what arrives, what is kept back, what survives a fault."""

import hashlib
import stat
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from remit_agent.errors import AgentError, HomeError, PolicyError
from remit_agent.home import Home
from remit_conformance.service import AgentServer, FakeClock, problem, signing_key
from tests.clients.conftest import Play, application

EXPENSES = "openadapt-capture"
FORM = "rrweb/rr_plain.json"


def test_what_is_sent_opens_at_the_service_and_is_declared_in_the_clear_header(
    play: Play, server: AgentServer
) -> None:
    report = play(EXPENSES)
    assert report.batches == report.sent == len(server.batches) >= 1
    assert report.dropped["app_not_allowed"] > 80
    events = server.opened()
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert "Jane Doe" in "".join(str(e.get("key_char", "")) for e in events if "down" in e["type"])
    previous = None
    for wire in server.batches.values():
        header, inside = server.header(wire), server.open(wire)
        counted = sum(frame["count"] for frame in header["frames"])
        assert counted == sum(not e["type"].startswith("capture.") for e in inside)
        assert (header["policy_epoch"], header["consent_epoch"]) == (3, 7)
        assert header["prev_batch_digest"] == previous
        previous = hashlib.sha256(wire).hexdigest()
    assert server.heartbeats[0]["state"] == "capturing"


def test_plaintext_is_nowhere_but_inside_the_sealing(
    play: Play, server: AgentServer, home: Path
) -> None:
    server.failures = [lambda: problem("log-unavailable", 503)] * 100
    assert play(FORM).pending == 1
    stored = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert len(stored) > 2000
    for secret in (b"Nordlicht", b"kontakt", b"Jane", b"text.input", b"Vendor", b":38749"):
        assert secret not in stored


def test_events_lie_between_the_start_of_the_replay_and_now(
    play: Play, server: AgentServer, clock: FakeClock
) -> None:
    start = clock.ns
    play(EXPENSES, speed=4.0)
    times = [event["t_ns"] for event in server.opened()]
    assert start - 20_000_000 <= min(times)
    assert max(times) <= clock.ns
    # 17.35 s of recording at four times its speed.
    assert 3.5e9 < max(times) - min(times) < 5e9


def test_a_batch_is_sent_only_after_its_last_event_has_happened(
    play: Play, server: AgentServer, clock: FakeClock
) -> None:
    arrived: list[int] = []
    server.before_upload = lambda: arrived.append(clock.ns)
    play("agentnet/display-settings", speed=8.0)
    latest = [
        max(frame["t_max"] for frame in server.header(wire)["frames"])
        for wire in server.batches.values()
    ]
    assert len(latest) >= 3
    assert all(at >= last for at, last in zip(arrived, latest, strict=True))


@pytest.mark.parametrize(
    "offer",
    [[], [application("freight-desk")], [application("warehouse-terminal", [])]],
)
def test_without_an_open_cell_nothing_is_sent(
    play: Play, server: AgentServer, offer: list[dict[str, Any]]
) -> None:
    server.applications = offer
    report = play(EXPENSES)
    assert (report.batches, server.batches) == (0, {})
    assert sum(report.dropped.values()) > 300


def test_r49_a_mapped_window_that_no_matcher_recognises_is_denied(
    play: Play, server: AgentServer
) -> None:
    matcher = {"kind": "window-title", "pattern": "Expense claim", "id": "short"}
    server.applications = [application("warehouse-terminal", matchers=[matcher])]
    assert play(EXPENSES).batches == 0


def test_a_withdrawal_while_it_runs_ends_what_is_sent(
    play: Play, server: AgentServer, clock: FakeClock
) -> None:
    """The policy is asked for again; what lies after the answer is kept back."""

    def withdraw() -> None:
        server.applications = []
        server.consent_epoch += 1

    server.before_upload = withdraw
    report = play("agentnet/display-settings", speed=1.0)
    assert 304 in server.polls
    assert 1 <= report.sent < 6
    assert report.dropped["app_not_allowed"] > 2000


def test_a_stale_policy_is_asked_for_again_and_the_stretch_judged_again(
    play: Play, server: AgentServer
) -> None:
    server.failures = [lambda: problem("policy-expired", 403)]
    server.before_upload = lambda: setattr(
        server, "applications", [application("warehouse-terminal", ["pointer"])]
    )
    report = play(EXPENSES)
    assert report.refused == {"policy-expired": 1}
    assert report.sent == 1
    events = server.opened()
    assert {event["type"].partition(".")[0] for event in events} <= {"mouse", "capture"}
    assert [event["seq"] for event in events] == list(range(len(events)))


def test_r05_a_withdrawal_that_a_batch_runs_into_destroys_what_waits(
    play: Play, server: AgentServer, home: Path
) -> None:
    server.failures = [lambda: problem("policy-expired", 503)] * 6
    assert play(EXPENSES, wait_s=0).pending == 1
    assert len(list((home / "outbox").iterdir())) == 1
    server.failures = [lambda: problem("consent-withdrawn", 403)] * 2
    play(FORM)
    assert list((home / "outbox").iterdir()) == []


def test_a_killed_agent_sends_the_same_bytes_under_the_same_id_again(
    play: Play, server: AgentServer, home: Path
) -> None:
    class Killed(BaseException):
        pass

    def kill() -> None:
        raise Killed

    server.before_upload = kill
    with pytest.raises(Killed):
        play(EXPENSES)
    (waiting,) = (home / "outbox").iterdir()
    wire = waiting.read_bytes()
    server.before_upload = None
    report = play("pynput")
    assert report.batches == 0
    assert list(server.batches.values()) == [wire]
    assert str(server.uploads[0]) == waiting.stem
    assert not waiting.exists()


def _refuse_connection() -> httpx.Response:
    raise httpx.ConnectError("no")


@pytest.mark.parametrize(
    ("failure", "least_s"),
    [
        (lambda: httpx.Response(429, headers={"Retry-After": "7"}), 14.0),
        (lambda: problem("log-unavailable", 503), 0.75),
        (_refuse_connection, 0.75),
    ],
)
def test_a_busy_service_is_waited_for_and_gets_each_batch_once(
    play: Play,
    server: AgentServer,
    clock: FakeClock,
    failure: Callable[[], httpx.Response],
    least_s: float,
) -> None:
    plain = clock.ns
    play(FORM)
    alone_s = (clock.ns - plain) / 1e9
    server.failures = [failure, failure]
    started = clock.ns
    report = play(FORM)
    assert (report.sent, report.pending, len(server.uploads)) == (1, 0, 2)
    assert (clock.ns - started) / 1e9 - alone_s > least_s - 0.05


def test_r14_pauses_stop_capture_on_the_device_and_in_the_portal(
    play: Play, server: AgentServer, home: Path
) -> None:
    Home(home).pause()
    with pytest.raises(AgentError, match="paused on this device"):
        play(FORM)
    Home(home).resume()
    server.paused_until = "indefinite"
    with pytest.raises(AgentError, match="paused in the portal"):
        play(FORM)
    server.paused_until = None
    assert play(FORM).sent == 1


def test_a_pause_in_the_middle_is_said_as_a_gap(
    play: Play, server: AgentServer, home: Path
) -> None:
    calls: list[int] = []

    def pause_once() -> None:
        calls.append(1)
        if len(calls) == 1:
            Home(home).pause()

    server.before_upload = pause_once
    report = play("agentnet/display-settings", speed=4.0)
    assert report.sent == 1
    assert report.dropped["paused"] > 1000


def test_r35_an_older_policy_is_refused_even_after_a_restart(
    play: Play, server: AgentServer
) -> None:
    assert play(FORM).sent == 1
    server.consent_epoch -= 1
    with pytest.raises(PolicyError, match="older"):
        play(FORM)
    assert len(server.batches) == 1


def test_a_new_policy_key_is_trusted_only_when_an_old_one_vouched_for_it(
    play: Play, server: AgentServer
) -> None:
    server.key_id, server.signer = "policy-key-2", signing_key("next")
    with pytest.raises(PolicyError):
        play(FORM)
    server.key_id, server.signer = "policy-key-1", signing_key("policy")
    server.next_keys = [("policy-key-2", signing_key("next"))]
    assert play(FORM).sent == 1
    server.key_id, server.signer, server.next_keys = "policy-key-2", signing_key("next"), []
    assert play(FORM).sent == 1


def test_a_lease_that_ran_out_ends_capture_even_when_the_service_is_silent(
    play: Play, server: AgentServer, clock: FakeClock
) -> None:
    """A 304 or no answer never prolongs a policy."""
    server.lease = timedelta(seconds=60)
    server.issued_at = clock.now()
    report = play("agentnet/display-settings", speed=1.0)
    ends_ns = int((server.issued_at + server.lease).timestamp() * 1e9)
    assert report.sent >= 3
    assert max(event["t_ns"] for event in server.opened()) < ends_ns
    assert report.dropped["app_not_allowed"] > 1000


def test_a_session_key_that_the_service_forgot_is_replaced(play: Play, server: AgentServer) -> None:
    forgotten: list[int] = []

    def forget() -> None:
        if not forgotten:
            forgotten.append(1)
            server.session_key = b"n" * 32

    server.before_upload = forget
    assert play("agentnet/display-settings", speed=2.0).sent >= 2
    assert forgotten
    assert server.heartbeats[-1]["state"] == "capturing"


def test_statuses_are_told_when_asked_for(play: Play) -> None:
    report = play(FORM, wait_s=2.0)
    assert [(each.state, each.accepted) for each in report.statuses] == [("done", 3)]


def test_the_state_directory_is_private(play: Play, home: Path) -> None:
    play(FORM)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    files = [path for path in home.rglob("*") if path.is_file() and path.name != "lock"]
    assert len(files) >= 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_one_agent_at_a_time_uses_a_state_directory(play: Play, home: Path) -> None:
    with Home(home).exclusive(), pytest.raises(HomeError, match="Another agent"):
        play(FORM)


def test_a_long_recording_does_not_cost_memory_by_its_length(play: Play) -> None:
    tracemalloc.start()
    try:
        play("agentnet/display-settings", speed=8.0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # 4,135 observations and 0.9 MB of files; mostly the accessibility trees as read.
    assert peak < 32 << 20
