"""What is planted in every leaf that may hold words, and in a picture, is found nowhere after."""

import base64
import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

pytest.importorskip("tesserocr")

from django.conf import settings as configured
from django.db import connections
from django.test import Client

from audit.actors import Actor
from governance.capture import gate
from governance.capture.models import BatchOutcome, LiveFrame
from governance.jobs import services as jobs
from governance.redaction.screens import pictures, regions
from governance.redaction.screens.reading import Reader
from governance.rights import exports
from governance.rights import services as rights
from tests import make
from tests.governance.capture.test_path import send
from tests.governance.capture.test_pictures import FORM, agent, frame, packed, screens  # noqa: F401

MAIL = "ottilie.brandhorst@planted.example"
PHONE = "+49 151 23004581"
SHOWN = ("Henrike", "Wollbrandt", "werft-sued", "2300 458", "0440 0532")
TOKENS = (MAIL, "brandhorst", "23004581", *SHOWN)
DESK = {"app": make.DESK}
TEXT = {"field": "mail", "field_role": "textbox"}


def lines(image: bytes) -> list[dict[str, object]]:
    """Return an event for each leaf that can hold free words, each with someone in it."""
    typed: list[dict[str, object]] = [
        {"type": kind, **DESK, **TEXT, leaf: letter}
        for leaf in ("key_char", "canonical_key_char")
        for letter in f"to {MAIL} ok"
        for kind in ("key.down", "key.up")
    ]
    spelt: list[dict[str, object]] = [
        {"type": "key.down", **DESK, **TEXT, "key_char": "x", "key_vk": str(ord(letter))}
        for letter in "brandhorst"
    ]
    inputs: list[dict[str, object]] = [
        {"type": "text.input", **DESK, "field": "f", "field_role": "textbox", "text": text}
        for text in (f"call {PHONE}", f"write to {MAIL}", "Dear Ottilie Brandhorst,")
    ]
    labelled: dict[str, object] = {
        "type": "text.input", **DESK, "field": "g", "field_role": "textbox", "text": "hello",
        "field_label": f"Message to {MAIL}",
    }  # fmt: skip
    named: dict[str, object] = {
        "type": "text.input", **DESK, "field": "ottilie.brandhorst", "field_role": "textbox",
        "text": "fine",
    }  # fmt: skip
    tree = [{"text": f"Ottilie Brandhorst <{MAIL}>", "bounds": [10, 300, 300, 16]}]
    return [*typed, *spelt, *inputs, labelled, named, frame(image, texts=tree)]


def everything_stored() -> Iterator[tuple[str, bytes]]:
    """Yield every row of every table and every file of the state directory, in bytes."""
    for alias in connections:
        connection = connections[alias]
        for table in connection.introspection.table_names():
            with connection.cursor() as cursor:
                cursor.execute(f'SELECT * FROM "{table}"')
                for row in cursor.fetchall():
                    for value in row:
                        yield f"{alias}.{table}", _bytes(value)
    for path in Path(configured.REMIT_VAR).rglob("*"):
        if path.is_file() and path.stat().st_size < 8 << 20:
            yield str(path), path.read_bytes()


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def assert_clean(where: str, data: bytes) -> None:
    found = [token for token in TOKENS if token.lower().encode() in data.lower()]
    found += [t for t in TOKENS if base64.b64encode(t.encode())[:-4] in data]
    assert found == [], where


def assert_pages_clean(ids: list[UUID]) -> None:
    """Look at each record's page and API answer as mira."""
    client = Client()
    client.login(username="mira", password="demo")
    for frame_id in ids:
        page = client.get(f"/data/event/{frame_id}/")
        assert page.status_code == 200
        assert_clean("page", page.content)
        answer = client.get(f"/api/v1/me/captures/{frame_id}")
        assert_clean("api", answer.content)


def assert_export_clean(actor: Actor, subject: str) -> None:
    """Look at every file of the person's own copy."""
    rights.export(subject=subject, actor=actor)
    jobs.run_due()
    with exports.open_archive(subject=subject, actor=actor) as octets:
        archive = zipfile.ZipFile(io.BytesIO(octets))
    assert "screen.frame" in archive.read("captures.jsonl").decode()
    for name in archive.namelist():
        assert_clean(f"export {name}", archive.read(name))


def test_nothing_planted_is_in_the_store_the_portal_or_the_export(
    nordhafen: make.House,
    agent: make.Endpoint,  # noqa: F811
) -> None:
    image = FORM.read_bytes()
    numbered = make.events(time.time_ns(), *lines(image))
    cells = {(make.DESK, "screenshot"): 1, (make.DESK, "keystroke-text"): len(numbered) - 1}
    outcome = send(agent, numbered, cells, plaintext=packed(numbered, image))
    assert (outcome.state, outcome.refused) == ("done", {})
    assert outcome.accepted == len(numbered)

    for where, data in everything_stored():
        assert_clean(where, data)
    mira = nordhafen.actor("mira")
    ids = list(LiveFrame.objects.values_list("frame_id", flat=True))
    with gate.open_records(actor=mira, purpose="own-access", frames=ids) as records:
        opened = [event for record in records for event in record.events]
        removed = {kind for one in records for kind in one.frame.redaction["removed"]}  # type: ignore[attr-defined]
    assert len(opened) == len(numbered)
    assert {"EMAIL", "PHONE", "PERSON"} <= removed
    assert_clean("opened", json.dumps(opened).encode())
    [shot] = [event for event in opened if event["type"] == "screen.frame"]
    pixels = pictures.decode(base64.b64decode(str(shot["image"])))
    shades = regions.grey(pixels)
    read = " ".join(word.text for word in Reader().read(shades, regions.find(shades).texts))
    assert_clean("picture", read.encode())
    assert "Weight" in read  # The rest is still there.

    assert BatchOutcome.objects.get().redacted["EMAIL"] >= 1
    assert_pages_clean(ids)
    assert_export_clean(mira, agent.subject)
