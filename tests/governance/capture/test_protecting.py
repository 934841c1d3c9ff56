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
