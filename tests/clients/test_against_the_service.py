"""The real agent against the real service, over its HTTP interface, in one process."""

import json
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from governance.accounts import services as accounts
from governance.capture import gate
from governance.capture.models import LiveFrame
from governance.jobs import services as jobs
from governance.policies.categories import WITHOUT_PICTURES
from remit_agent.cli import main
from remit_agent.home import Home
from remit_agent.replay import ReplayReport, replay
from remit_agent.service import BatchStatus, connect
from remit_agent.session import Agent
from tests import make
from tests.clients.conftest import RECORDINGS, application

NEVER = (
    "dinner", "my pin", "4711", "Private", "hunter2", "811 907 980", "payroll", "credit limit",
    "网站管理后台", "OBS", "annotator", "38749",
)  # fmt: skip
REDACTED = ("jane.doe@example.com", "kontakt@nordlicht.example", "+49 170 1234567")


pytestmark = pytest.mark.once


@pytest.fixture
def house(nordhafen: make.House) -> make.House:
    """Nordhafen, where the terminal's policy knows the display settings too; mira allows all."""
    made = nordhafen
    content = make.policy_content(make.TERMINAL)
    make.activate(made, content | {"matchers": application(make.TERMINAL)["matchers"]})
    cells = [
        (make.TRAIN, key, each.value) for key in make.APPLICATIONS for each in WITHOUT_PICTURES
    ]
    make.decide(made, "mira", cells)
    return made


@pytest.fixture
def transport(kept_connections: None) -> httpx.WSGITransport:
    """The service in this process."""
    return httpx.WSGITransport(app=get_wsgi_application())


@pytest.fixture
def home(house: make.House, transport: httpx.WSGITransport, tmp_path: Path) -> Path:
    path = tmp_path / "agent"
    code = accounts.make_enrolment_code(subject=house.subject("mira"))
    argv = ["enrol", "--server", settings.REMIT_EXTERNAL_ORIGIN, "--code", code]
    assert main([*argv, "--home", str(path)], transport=transport) == 0
    return path


def _statuses(home: Path, batches: tuple[UUID, ...], transport: httpx.WSGITransport) -> list[
    BatchStatus
]:  # fmt: skip
    state = Home(home)
    identity = state.identity()
    with connect(identity.server, origin=identity.origin, transport=transport) as service:
        agent = Agent(state, service, identity)
        return [agent.status(each) for each in batches]


def _stored(house: make.House) -> str:
    """All that mira's stored frames say, as she may read it."""
    mira = house.actor("mira")
    frames = LiveFrame.objects.filter(subject=mira.key).values_list("frame_id", flat=True)
    with gate.open_records(actor=mira, purpose="own-access", frames=list(frames)) as records:
        events = [event for record in records for event in record.events]
    typed = "".join(str(event.get("key_char", "")) for event in events)
    # Times and digests are random digits, in which a short secret may stand by chance.
    told = [_without(event, "t_ns", "t_from", "t_to", "policy_digest") for event in events]
    return json.dumps(told, ensure_ascii=False) + typed


def _without(event: dict[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in event.items() if name not in names}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("rrweb/rr_plain.json", ", before Friday."),
        ("openadapt-capture", "mouse.down"),
        ("agentnet/display-settings", "ui.tree"),
    ],
)
def test_r49_a_third_party_recording_is_taken_whole_and_what_was_dropped_is_told(
    house: make.House, home: Path, transport: httpx.WSGITransport, name: str, kept: str
) -> None:
    report: ReplayReport = replay(
        home=home, recording=RECORDINGS / name, speed=1000, transport=transport
    )
    assert report.sent == report.batches >= 1
    assert sum(report.dropped.values()) > 0
    assert {"app_not_allowed", "category_denied", "secure_field"} >= set(report.dropped)
    jobs.run_due()
    statuses = _statuses(home, report.batch_ids, transport)
    assert {each.state for each in statuses} == {"done"}
    # Agent and service judge by the same rules: the second check finds nothing to refuse.
    assert [each.refused for each in statuses] == [{}] * len(statuses)
    assert sum(each.accepted for each in statuses) >= sum(report.events.values()) - 4
    stored = _stored(house)
    assert kept in stored
    for secret in (*NEVER, *REDACTED):
        assert secret not in stored


def test_a_revoked_device_is_told_in_one_line(
    house: make.House,
    home: Path,
    transport: httpx.WSGITransport,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recording = str(RECORDINGS / "rrweb" / "rr_plain.json")
    argv = ["replay", recording, "--speed", "1000", "--wait", "0", "--home", str(home)]
    assert main(argv, transport=transport) == 0
    device = UUID(Home(home).identity().device_id)
    accounts.revoke_device(device_id=device, actor=house.actor("mira"))
    capsys.readouterr()
    assert main(argv, transport=transport) == 1
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert "revoked" in told.err
