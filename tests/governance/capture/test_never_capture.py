"""Whoever is entered in the register is in no recording (R57)."""

import pytest
from django.db import connection

from audit.models import Entry
from governance.capture import never_capture
from governance.capture.errors import IdentifierError
from governance.capture.models import Frame, NeverCapture, SealedBatch
from governance.redaction import identifiers
from governance.redaction.findings import Shown
from governance.vault import registers
from governance.vault.errors import KeyShreddedError
from governance.vault.models import StoredKey
from tests import make
from tests.governance.api.people import Session
from tests.governance.capture.test_path import now_events, send, typed


def _sent(agent: make.Endpoint, text: str) -> dict[str, int]:
    lines = now_events(*typed(text))
    return dict(send(agent, lines, {(make.DESK, "keystroke-text"): len(lines)}).refused)


def test_r57_what_shows_somebody_who_is_entered_is_dropped_on_arrival(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    ines = Session("ines", "privacy_officer")
    for _ in range(2):
        made = ines.post("/api/v1/never-capture", {"identifier": " Jane.Doe@Example.com "})
        assert (made.status_code, made.json()) == (201, {"received": True})
    assert ines.get("/api/v1/never-capture").status_code == 405
    refused = _sent(agent, "mail jane.doe@example.com today")
    assert refused == {"protected": 2 * len("mail jane.doe@example.com today")}
    assert not Frame.objects.exists()
    assert not SealedBatch.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM capture_nevercapture")
        assert "jane" not in str(cursor.fetchall())
    assert Entry.objects.filter(event="rights:requested").count() == 2


def test_r57_who_is_not_entered_is_redacted_as_before(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    never_capture.enter(identifier="john.roe@example.com", actor=nordhafen.ines)
    assert _sent(agent, "mail jane.doe@example.com today") == {}
    assert Frame.objects.count() == 1


def test_r57_what_another_application_of_the_batch_shows_stays(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    cells = [(make.TRAIN, make.TERMINAL, "keystroke-text")]
    make.decide(nordhafen, "mira", cells)
    never_capture.enter(identifier="jane.doe@example.com", actor=nordhafen.ines)
    other = [{**event, "app": make.TERMINAL} for event in typed("dock three")]
    shown = typed("mail jane.doe@example.com now")
    lines = now_events(*shown, *other)
    sent = send(
        agent,
        lines,
        {(make.DESK, "keystroke-text"): len(shown), (make.TERMINAL, "keystroke-text"): len(other)},
    )
    assert (sent.refused, sent.accepted) == ({"protected": len(shown)}, len(other))
    assert Frame.objects.get().application == make.TERMINAL


@pytest.mark.parametrize(
    ("entered", "shown"),
    [
        ("+49 170 1234567", "0170/1234567"),
        ("0049 (0)170 123-45-67", "+491701234567"),
        ("+1 555 123 4567", "(555) 123-4567 ext. 12"),
        ("jane.doe@example.com", "mailto:Jane.Doe@EXAMPLE.com"),
        ("jane.doe@example.com", "Jane Doe <jane.doe (at) example [dot] com>"),
        ("@jdoe42", "JDoe42"),
    ],
)
def test_r57_however_it_is_spelled(nordhafen: make.House, entered: str, shown: str) -> None:
    def met(*values: str) -> set[str]:
        kinds = ("EMAIL", "PHONE", "USERNAME")
        found = [Shown("desk", "keystroke-text", kind, value) for kind in kinds for value in values]
        return never_capture.met(identifiers.forms(found))

    assert not met(shown)
    never_capture.enter(identifier=entered, actor=nordhafen.ines)
    assert met("something", shown) == {"desk"}
    assert not met("something else", "0170/1234568", "joe@example.com")


def test_r57_a_name_or_a_secret_has_no_form_and_a_repetition_has_that_of_what_it_repeats() -> None:
    said = [
        Shown("desk", "keystroke-text", "PERSON", "Jonas"),
        Shown("desk", "keystroke-text", "PASSWORD", "hunter2@home.example"),
        Shown("desk", "keystroke-text", "USERNAME", "jdoe42"),
        Shown("desk", "screenshot", "REPEATED", "JDoe42"),
        Shown("desk", "menu-navigation", "REPEATED", "Jonas"),
    ]
    assert identifiers.forms(said) == {
        ("desk", "keystroke-text"): {"account:jdoe42"},
        ("desk", "screenshot"): {"account:jdoe42"},
    }


@pytest.mark.parametrize("identifier", ["abc", "12345", "a@b", "Jane Doe", "a@b.de c@d.de", "@"])
def test_r57_what_is_no_identifier_is_refused(nordhafen: make.House, identifier: str) -> None:
    with pytest.raises(IdentifierError):
        never_capture.enter(identifier=identifier, actor=nordhafen.ines)
    assert not NeverCapture.objects.exists()


def test_r57_a_register_without_its_key_lets_nobody_through(
    nordhafen: make.House,
) -> None:
    never_capture.enter(identifier="jane.doe@example.com", actor=nordhafen.ines)
    StoredKey.objects.filter(scope="register/never-capture").delete()
    with pytest.raises(KeyShreddedError):
        registers.marks("never-capture", ["mail:jane.doe@example.com"])
