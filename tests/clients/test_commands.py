"""The commands a person types: what they say, and how they fail."""

import json
import threading
from pathlib import Path

import pytest

from remit_agent import cli
from remit_agent.errors import RefusedError
from remit_agent.replay import ReplayReport, replay
from remit_conformance.service import ORIGIN, AgentServer, FakeClock
from tests.clients.conftest import OFFERED, RECORDINGS, application

FORM = "rrweb/rr_plain.json"


def _main(server: AgentServer, *argv: str) -> int:
    return cli.main(argv, transport=server.transport())


def test_the_commands_say_what_happened(
    server: AgentServer, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--home", str(home))
    recording = str(RECORDINGS / FORM)
    assert _main(server, "replay", recording, "--speed", "1000", *at) == 0
    told = capsys.readouterr()
    assert "1 batches, 1 taken" in told.out
    assert "Left out on this device: app_not_allowed" in told.out
    assert told.err == ""
    assert _main(server, "status", *at) == 0
    assert "freight-desk (freight-desk@1): click," in capsys.readouterr().out
    assert _main(server, "pause", *at) == 0
    assert server.heartbeats[-1]["state"] == "paused"
    assert _main(server, "replay", recording, *at) == 1
    assert "paused on this device" in capsys.readouterr().err
    assert _main(server, "resume", *at) == 0


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["enrol", "--server", ORIGIN, "--code", "BAD-CODE"], 1, "code is wrong"),
        (["enrol", "--server", "http://remit.example", "--code", "GOOD-CODE"], 1, "https"),
        (["enrol", "--server", "https://u@remit.example", "--code", "GOOD-CODE"], 1, "https"),
        (["enrol", "--server", "nonsense", "--code", "GOOD-CODE"], 1, "https"),
        (["replay", str(RECORDINGS / FORM)], 1, "not enrolled"),
        (["status"], 1, "not enrolled"),
        (["pause"], 1, "not enrolled"),
        (["record"], 1, "not enrolled"),
        (["replay"], 2, "required"),
        (["fly"], 2, "invalid choice"),
    ],
)
def test_a_failure_is_one_line_and_a_code(
    server: AgentServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    argv: list[str],
    code: int,
    words: str,
) -> None:
    assert _main(server, *argv, "--home", str(tmp_path / "h")) == code
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err
    if code == 1:
        assert told.err.count("\n") == 1
        assert told.out == ""
    assert not (tmp_path / "h" / "identity.json").exists()


@pytest.mark.parametrize(
    ("recording", "speed", "words"),
    [
        ("nowhere", "1", "no such recording"),
        ("mapping.json", "1", "no known kind"),
        (FORM, "0", "--speed"),
        (FORM, "nan", "--speed"),
    ],
)
def test_a_replay_that_cannot_be_is_one_line(
    server: AgentServer,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    recording: str,
    speed: str,
    words: str,
) -> None:
    path = str(RECORDINGS / recording)
    assert _main(server, "replay", path, "--speed", speed, "--home", str(home)) == 1
    assert words in capsys.readouterr().err


def test_the_services_words_are_not_repeated(
    server: AgentServer, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.device_id, mine = "someone-else", server.device_id
    assert mine
    assert _main(server, "status", "--home", str(home)) == 1
    assert capsys.readouterr().err == "remit-agent: The policy was made for another device.\n"
    error = RefusedError(problem="policy-violation", status=422)
    assert "Jane" not in str(error)


def test_enrolment_happens_once(
    server: AgentServer, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = (home / "device.key").read_bytes()
    argv = ["enrol", "--server", ORIGIN, "--code", "GOOD-CODE", "--home", str(home)]
    assert _main(server, *argv) == 1
    assert "enrolled already" in capsys.readouterr().err
    assert (home / "device.key").read_bytes() == key


def test_many_agents_run_in_threads_of_one_process(tmp_path: Path, clock: FakeClock) -> None:
    both = [application("freight-desk", OFFERED), application("warehouse-terminal", OFFERED)]
    servers = [AgentServer(clock, applications=both) for _ in range(8)]
    codes: dict[int, ReplayReport] = {}

    def run(number: int) -> None:
        server, home = servers[number], tmp_path / str(number)
        argv = ["enrol", "--server", ORIGIN, "--code", "GOOD-CODE", "--home", str(home)]
        assert cli.main(argv, transport=server.transport()) == 0
        codes[number] = replay(
            home=home, recording=RECORDINGS / FORM, speed=1000, transport=server.transport()
        )

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [codes[number].sent for number in range(8)] == [1] * 8
    sent = [json.dumps([e["type"] for e in server.opened()]) for server in servers]
    assert len(set(sent)) == 1
