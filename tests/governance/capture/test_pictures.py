"""A picture of a screen on its way: allowed, opened, painted, stored, shown, ended."""

import base64
import hashlib
import json
import struct
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tesserocr")

from audit.actors import Actor
from consent import services as consent
from governance.capture import content, deletion, gate
from governance.capture.errors import BatchMalformedError, ConsentRequiredError
from governance.capture.models import BatchOutcome, Frame, FrameBlob, LiveFrame
from governance.policies import services as policies
from governance.policies.categories import Category
from governance.redaction.screens import availability, pictures
from tests import make
from tests.governance.capture.test_path import send

FORM = Path(__file__).parents[1] / "redaction/screens/form.png"
SHOT = {(make.DESK, "screenshot"): 1}


@pytest.fixture
def screens(settings: Any) -> None:
    settings.REMIT_SCREENS = True


@pytest.fixture
def agent(screens: None, nordhafen: make.House) -> make.Endpoint:
    """Mira's device, after she allowed pictures and typed text of the freight desk."""
    days = dict.fromkeys(Category, make.DAYS)
    policies.set_retention(application=make.DESK, days=days, actor=nordhafen.ines)
    for purpose in make.PURPOSES:
        texts = {language: make.notice(purpose, Category) for language in ("en", "de", "fr")}
        consent.publish_notice(purpose=purpose, texts=texts, actor=nordhafen.ines)
    make.activate(nordhafen, make.policy_content(make.DESK, tuple(Category)))
    kinds = ("screenshot", "keystroke-text")
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, kind) for kind in kinds])
    return make.endpoint(nordhafen, "mira")


def packed(lines: list[dict[str, object]], *images: bytes) -> bytes:
    """Return what an agent compresses: lines, a zero byte, each picture behind its length."""
    text = b"\n".join(json.dumps(line).encode() for line in lines)
    behind = (struct.pack(">I", len(one)) + one for one in images)
    return content.pack([text + b"\0" + b"".join(behind)])


def frame(image: bytes, **more: object) -> dict[str, object]:
    name = hashlib.sha256(image).hexdigest()
    return {"type": "screen.frame", "app": make.DESK, "blob_id": name, **more}


def shoot(agent: make.Endpoint, *lines: dict[str, object], image: bytes) -> BatchOutcome:
    numbered = [
        {**line, "seq": agent.next_seq + n}
        for n, line in enumerate(make.events(time.time_ns(), *lines))
    ]
    cells: dict[tuple[str, str], int] = {}
    for line in lines:
        kind = "screenshot" if line["type"] == "screen.frame" else "keystroke-text"
        cells[make.DESK, kind] = cells.get((make.DESK, kind), 0) + 1
    return send(agent, numbered, cells, plaintext=packed(numbered, image))


def stored(actor: Actor, subject: str) -> list[gate.OpenRecord]:
    ids = list(LiveFrame.objects.filter(subject=subject).values_list("frame_id", flat=True))
    with gate.open_records(actor=actor, purpose="own-access", frames=ids) as records:
        return records


def test_a_picture_is_stored_painted_and_its_person_sees_what_was_removed(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    image = FORM.read_bytes()
    tree = [{"text": "Henrike Wollbrandt", "bounds": [27, 70, 120, 15]}]
    outcome = shoot(agent, frame(image, texts=tree), image=image)

    assert (outcome.state, outcome.accepted, outcome.refused) == ("done", 1, {})
    assert outcome.redacted["EMAIL"] >= 1
    [record] = stored(nordhafen.actor("mira"), agent.subject)
    assert record.frame.category == "screenshot"
    assert record.frame.redaction["removed"] == record.events[0]["removed"]
    assert record.frame.redaction["canaries"] == {"planted": 10, "found": 10}
    [event] = record.events
    assert event.keys() == {
        "seq", "t_ns", "app", "type", "blob_id", "image", "width", "height", "removed",
    }  # fmt: skip
    safe = base64.b64decode(str(event["image"]))
    assert pictures.size_of(safe) == (900, 420) == (event["width"], event["height"])
    # Not even the digest of what was there may stay: it would prove who was on it.
    assert event["blob_id"] == hashlib.sha256(safe).hexdigest() != hashlib.sha256(image).hexdigest()


def test_what_a_picture_shows_goes_from_the_typed_text_too(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    image = FORM.read_bytes()
    word = "wollbrandt"
    keys: list[dict[str, object]] = [
        {"type": kind, "app": make.DESK, "key_char": letter, "field": "f1"}
        for letter in f"see {word} ok"
        for kind in ("key.down", "key.up")
    ]
    label: dict[str, object] = {"text": "Last name", "bounds": [18, 50, 120, 12]}
    value = {"text": word, "bounds": [18, 70, 120, 15]}
    outcome = shoot(agent, frame(image, texts=[label, value]), *keys, image=image)
    assert outcome.state == "done"
    records = stored(nordhafen.actor("mira"), agent.subject)
    typed = "".join(
        str(event["key_char"])
        for record in records
        for event in record.events
        if event["type"] == "key.down"
    )
    assert typed == "see •••••••••• ok"


def test_pictures_end_with_their_frame_and_their_person_may_end_them(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    image = FORM.read_bytes()
    shoot(agent, frame(image), image=image)
    row = Frame.objects.get()
    deletion.delete_frames(subject=agent.subject, frames=[row.id], actor=nordhafen.actor("mira"))
    assert not LiveFrame.objects.exists()
    assert not FrameBlob.objects.exists()


@pytest.mark.parametrize(
    ("line", "image", "reason"),
    [
        ({}, b"GIF89a" + b"\0" * 64, "bad_picture"),
        ({"blob_id": "0" * 64}, b"\x89PNG\r\n\x1a\n", "picture_missing"),
        ({"image": "aGVsbG8="}, b"\x89PNG\r\n\x1a\n", "unknown_field"),
        ({"texts": [{"text": "x"}]}, b"\x89PNG\r\n\x1a\n", "bad_value"),
    ],
)
def test_a_picture_that_is_none_is_refused_and_says_why(
    agent: make.Endpoint, line: dict[str, object], image: bytes, reason: str
) -> None:
    outcome = shoot(agent, {**frame(image), **line}, image=image)
    assert (outcome.state, outcome.accepted) == ("refused", 0)
    assert outcome.refused == {reason: 1}
    assert not Frame.objects.exists()


def test_without_the_extra_every_picture_is_refused_and_text_goes_on(
    agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(availability, "is_available", lambda: False)
    image = FORM.read_bytes()
    key: dict[str, object] = {"type": "key.down", "app": make.DESK, "key_char": "a", "field": "f1"}
    outcome = shoot(agent, frame(image), key, image=image)
    assert outcome.refused == {"screens_unavailable": 1}
    assert outcome.accepted == 1
    assert [row.category for row in Frame.objects.all()] == ["keystroke-text"]


def test_who_did_not_allow_pictures_sends_none(
    screens: None, nordhafen: make.House, agent: make.Endpoint
) -> None:
    other = make.endpoint(nordhafen, "tariq")
    image = FORM.read_bytes()
    with pytest.raises(ConsentRequiredError):
        shoot(other, frame(image), image=image)
    assert not Frame.objects.exists()


@pytest.mark.parametrize(
    "tail", [b"\0", b"\0\0\0\0\0", b"\0\0\0\0\x05ab", b"\0\xff\xff\xff\xff", b"\0\0\0\0\x01a" * 70]
)
def test_pictures_that_lead_past_the_end_make_the_batch_malformed(tail: bytes) -> None:
    with pytest.raises(BatchMalformedError):
        content.split(b"{}" + tail)
    assert content.split(b"{}\n{}") == (b"{}\n{}", {})
