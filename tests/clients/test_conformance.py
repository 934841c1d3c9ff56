"""The kit for other agents' authors: the reference agent passes, a bug of each kind does not."""

import json
import shlex
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from remit_agent import dsse, observing, policy, spool
from remit_agent import filter as filtering
from remit_agent.allowance import Allowance
from remit_agent.cli import main
from remit_agent.home import Home, Seen
from remit_agent.live import Live
from remit_agent.observing import observe
from remit_agent.policy import Application
from remit_agent.session import Agent
from remit_agent.settle import Settler
from remit_conformance.runner import application, cases, fresh_clock, run
from remit_conformance.service import ORIGIN, AgentServer

CASES = {case["name"]: case for case in cases()}


class Lines:
    """`observe` in this process."""

    def __init__(self, server: AgentServer, home: Path) -> None:
        self._waiting: deque[bytes] = deque()
        self._answers = observe(Home(home), self._lines(), transport=server.transport())

    def _lines(self) -> Iterator[bytes]:
        while self._waiting:
            yield self._waiting.popleft()

    def tell(self, line: dict[str, Any]) -> dict[str, Any]:
        self._waiting.append(json.dumps(line).encode())
        answer: dict[str, Any] = json.loads(next(self._answers))
        return answer

    def end(self) -> None:
        assert next(self._answers, None) is None

    def kill(self) -> None:
        self._answers.close()  # type: ignore[attr-defined]  # A generator's.


class Reference:
    """The reference agent in this process."""

    def enrol(self, *, server: AgentServer, home: Path) -> None:
        argv = ["enrol", "--server", ORIGIN, "--code", "GOOD-CODE", "--home", str(home)]
        assert main(argv, transport=server.transport()) == 0

    def talk(self, *, server: AgentServer, home: Path) -> Lines:
        return Lines(server, home)


def wrong(name: str) -> list[str]:
    server = AgentServer(fresh_clock(), applications=[application()])
    return run(CASES[name], agent=Reference(), server=server)


def test_there_are_at_least_forty_cases_and_each_names_what_it_proves() -> None:
    assert len(CASES) >= 40
    assert all(case["proves"] and case["expect"] for case in CASES.values())


@pytest.mark.parametrize("name", sorted(CASES))
def test_r05_r14_r26_r35_r49_r50_r53_the_reference_agent_obeys(name: str) -> None:
    assert wrong(name) == []


def _trust(*, envelope: bytes, **_: object) -> bytes:
    import base64

    return base64.b64decode(json.loads(envelope)["payload"])


def _always(value: object) -> Callable[..., object]:
    return lambda *_, **__: value


class _Plain:
    """A cipher that hides nothing."""

    def encrypt(self, nonce: bytes, plain: bytes, _: None) -> bytes:
        return plain

    decrypt = encrypt


def _any_matcher(self: Application, facts: dict[str, list[str]]) -> bool:
    return any(self._is_matched(kind, values) for kind, values in facts.items())


def _no_identity(self: Application, facts: dict[str, list[str]]) -> bool:
    kinds = {each.kind for each in self.matchers} - {"identity"}
    return all(self._is_matched(kind, facts.get(kind, ())) for kind in kinds)


BUGS: dict[str, tuple[object, str, object, str]] = {
    "signatures are not checked": (
        dsse, "verify", _trust, "a-signature-with-one-bit-changed-captures-nothing"),
    "documents are not checked": (
        policy, "_check", _always(None), "a-policy-for-another-device-captures-nothing"),
    "the end of a lease is not kept": (
        Agent, "in_force", lambda self: self.policy,
        "a-clock-held-back-in-small-steps-prolongs-nothing"),
    "the clock is believed": (
        Agent, "_has_lease", _always(True), "a-clock-held-back-in-small-steps-prolongs-nothing"),
    "epochs are forgotten": (
        Home, "seen", _always(Seen()), "a-rollback-is-one-after-a-restart-too"),
    "a pause needs the service": (
        Home, "is_paused", property(_always(False)), "a-pause-holds-with-the-network-cut"),
    "the first window's name is believed": (
        Settler, "_change", _always(None), "around-a-change-of-window-nothing-is-certain"),
    "a title is enough": (
        Application, "recognises", _any_matcher, "a-title-alone-is-not-an-application"),
    "a name is enough": (
        Application, "recognises", _no_identity, "the-name-of-a-program-is-not-its-identity"),
    "every field may be typed into": (
        Application, "may_type_into", _always(True), "text-leaves-only-from-fields-that-are-named"),
    "passwords are keys like others": (
        observing, "_SECURE", frozenset(), "a-password-field-is-never-read"),
    "rhythm is exact": (
        Application, "timing_quantum_ns", property(_always(1)),
        "typing-rhythm-is-no-finer-than-its-rule"),
    "unknown rules are skipped": (
        policy, "_is_known", _always(True), "a-rule-that-is-not-known-closes-its-category"),
    "a withdrawal is for later": (
        Live, "_keep_only", _always(None), "a-withdrawal-drops-what-was-not-sent"),
    "labels are free": (
        filtering, "_listed_label", lambda body, _: body, "labels-that-are-not-listed-stay-here"),
    "a metered network is one like others": (
        Allowance, "check_network", _always(None), "over-a-metered-network-nothing-is-sent"),
    "a day's volume has no end": (
        Allowance, "may_send", _always(True),
        "beyond-the-day-s-volume-nothing-is-captured-or-sent"),
    "budgets are forgotten": (
        Home, "kept", _always(None), "a-restart-forgets-no-budget"),
    "a session outlives its consent": (
        Live, "_begin_anew", _always(None), "when-consent-changes-another-session-begins"),
    "every lease is an offline lease": (
        policy.Policy, "ends_at", lambda self, **_: self.document.offline_until,
        "an-offline-lease-is-for-who-cannot-reach-the-service"),
    "the spool is not encrypted": (
        spool, "_cipher", _always(_Plain()), "what-is-kept-and-not-sealed-cannot-be-read"),
}  # fmt: skip


@pytest.mark.parametrize("bug", sorted(BUGS))
def test_r35_a_planted_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, name, instead, case = BUGS[bug]
    monkeypatch.setattr(place, name, instead)
    try:
        found = wrong(case)
    except (AssertionError, StopIteration) as error:
        found = [str(error)]
    assert found


@pytest.mark.real
@pytest.mark.once
def test_the_command_plays_the_cases_to_another_command() -> None:
    root = Path(__file__).parents[2]
    agent = f"{shlex.quote(sys.executable)} -m remit_agent"
    done = subprocess.run(
        [sys.executable, "-m", "remit_conformance", "--agent", agent, "a-valid", "an-expired"],
        env={"PYTHONPATH": str(root / "clients"), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "2 passed, 0 failed", done.stdout + done.stderr


@pytest.mark.real
@pytest.mark.once
def test_an_agent_that_does_not_answer_fails_and_is_ended(tmp_path: Path) -> None:
    mute = tmp_path / "mute.sh"
    mute.write_text(
        f'if [ "$1" = enrol ]; then [ ! -e {tmp_path}/no ] || {{ echo "No room." >&2; exit 1; }}\n'
        f"else echo $$ >> {tmp_path}/pids; exec sleep 60; fi\n"
    )
    command = [sys.executable, "-m", "remit_conformance", "--agent", f"sh {mute}"]
    command += ["--patience", "0.3", "an-expired"]
    environment = {
        "PYTHONPATH": str(Path(__file__).parents[2] / "clients"),
        "PATH": "/usr/bin:/bin",
    }
    for says in ("did not answer", "No room."):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert says in done.stdout, done.stdout + done.stderr
        (tmp_path / "no").touch()
    (pid,) = (tmp_path / "pids").read_text().split()
    assert not Path(f"/proc/{pid}").exists()
