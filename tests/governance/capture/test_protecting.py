"""What tells of health, belief and the like, or holds a credential, is dropped whole (R55)."""

import pytest

from governance.capture import tallies
from governance.capture.models import Frame, SealedBatch
from tests import make
from tests.governance.capture.test_path import now_events, send, typed


@pytest.mark.parametrize(
    "text",
    [
        "Dear Ms Weber, you were diagnosed with breast cancer.",
        "anbei die Krankschreibung von Frau Weber",
        "elle est membre de la CGT",
        "the password is Sommer2024!x",
        "token=ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    ],
)
def test_r55_a_health_letter_or_a_credential_drops_the_whole_frame_and_is_counted(
    nordhafen: make.House, agent: make.Endpoint, text: str
) -> None:
    shown = typed(text)
    moves = [{"type": "mouse.move", "app": make.DESK, "x": 1, "y": 2}]
    lines = now_events(*shown, *moves)
    sent = send(
        agent,
        lines,
        {(make.DESK, "keystroke-text"): len(shown), (make.DESK, "pointer"): len(moves)},
    )
    assert (sent.refused, sent.accepted) == ({"protected": len(lines)}, 0)
    assert sent.redacted == {}
    assert not Frame.objects.exists()
    assert not SealedBatch.objects.exists()
    assert tallies.refusals() == {make.DESK: {"protected": len(lines)}}


def test_r55_ordinary_work_stays(nordhafen: make.House, agent: make.Endpoint) -> None:
    shown = typed("The shipment of invoice 4711 was diagnosed with a broken seal")
    sent = send(agent, now_events(*shown), {(make.DESK, "keystroke-text"): len(shown)})
    assert (sent.refused, sent.accepted) == ({}, len(shown))


@pytest.mark.parametrize(
    ("covered", "address", "is_kept"),
    [
        (["US", "nordhafen.example"], "ann@sales.nordhafen.example", True),
        (["US", "nordhafen.example"], "ann@office.us", True),
        (["US", "nordhafen.example"], "anke@werk.de", False),
        (["US", "nordhafen.example"], "anke@notnordhafen.example", False),
        (["GB"], "ann@works.co.uk", True),
        ([], "anke@werk.de", True),
    ],
)
def test_r58_work_beside_people_from_outside_the_policys_list_is_dropped(
    nordhafen: make.House,
    covered: list[str],
    address: str,
    is_kept: bool,
) -> None:
    body = make.policy_content(make.DESK) | {"participants": covered}
    make.activate(nordhafen, body)
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "keystroke-text")])
    shown = typed(f"mail {address} today")
    sent = send(
        make.endpoint(nordhafen, "mira"),
        now_events(*shown),
        {(make.DESK, "keystroke-text"): len(shown)},
    )
    refused = {} if is_kept else {"participant_elsewhere": len(shown)}
    assert (sent.refused, Frame.objects.exists()) == (refused, is_kept)
