"""Choice secrecy (R18): two worlds that differ in one person's choice look alike to all others.

Each world is built from nothing, asked over every GET route by every other role, and rolled back.
What may differ stands in declassified.toml with a reason each.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management.color import no_style
from django.db import connections, transaction
from django.template import engines
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from audit import health, sequencer
from consent.status import ConsentStatus
from governance import authorizer
from tests import make
from tests.standing import ALIASES

DECLASSIFIED = tomllib.loads(Path(__file__).with_name("declassified.toml").read_text())
OTHERS = ("petra", "tariq", "ines", "lea", "wanda", "adam", "jonas", None)
SECRET = "carla"
CELLS = [(make.TRAIN, make.DESK, "pointer"), (make.TRAIN, make.DESK, "click")]
# Values for the parts of addresses; whatever is somebody's own is asked for with a stranger's id.
PARTS = {
    "application": make.DESK,
    "purpose": make.TRAIN,
    "number": "1",
    "category": "pointer",
    "language": "en",
    "name": "file",
    "slug": "not-found",
    "type": "not-found",
    "day": "2026-11-21",
}
STRANGER = "0199a1f0-1d3c-7c11-8a01-3f2b7f0c0001"
HEADERS = ("Content-Type", "Cache-Control", "Location", "Content-Length", "ETag", "Link")

Answers = dict[tuple[str, str], tuple[int, tuple[str, ...], str]]
Others = Sequence[str | None]


def routes(node: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """Yield one address for every route there is."""
    for child in (node or get_resolver()).url_patterns:
        path = prefix + str(child.pattern)
        if isinstance(child, URLResolver):
            yield from routes(child, path)
        elif isinstance(child, URLPattern):
            yield "/" + _filled(path)


def _filled(path: str) -> str:
    def fill(match: re.Match[str]) -> str:
        kind, _, name = match[1].rpartition(":")
        return STRANGER if kind == "uuid" else PARTS.get(name, "1")

    return re.sub(r"<([^>]+)>", fill, path).replace("^", "").replace("$", "").replace("\\", "")


@pytest.fixture
def world(
    db: None, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Answers]:
    """Build a world, let one thing happen in it, ask everything as everybody, and undo it."""
    count = iter(range(100))

    def ask(happens: Callable[[make.House], object], others: Others = OTHERS) -> Answers:
        number = next(count)
        settings.REMIT_LOG_DIR = tmp_path / f"log{number}"
        settings.REMIT_KEYS_DIR = tmp_path / f"keys{number}"
        # One head and one sign of life serve the whole walk, however slow the machine.
        monkeypatch.setattr(health, "_HEARTBEAT_STALE", timedelta(hours=1))
        settings.REMIT_LOG_CHECKPOINT_STALE_SECONDS = settings.REMIT_LOG_OUTBOX_STALE_SECONDS = 3600
        settings.REMIT_WITNESS_POLICY = str(tmp_path / f"log{number}" / "policy")
        points = {alias: transaction.savepoint(using=alias) for alias in ALIASES}
        try:
            _count_from_one()
            nordhafen = make.house()
            make.decide(nordhafen, "mira", CELLS)
            happens(nordhafen)
            with sequencer.opened() as log:
                log.turn()
            health.forget()
            return _ask_everything(others)
        finally:
            for alias, point in points.items():
                transaction.savepoint_rollback(point, using=alias)
            health.forget()

    return ask


def _count_from_one() -> None:
    """Let the numbers of rows begin alike in each world: a rollback does not turn them back."""
    for alias in ALIASES:
        connection = connections[alias]
        with authorizer.lifted(connection), connection.cursor() as cursor:
            sequences = connection.introspection.sequence_list()
            for sql in connection.ops.sequence_reset_by_name_sql(no_style(), sequences):
                cursor.execute(sql)


def _ask_everything(others: Others) -> Answers:
    answers: Answers = {}
    paths = sorted(set(routes()))
    for name in others:
        client = Client(raise_request_exception=False)
        if name:
            signed = client.post(
                "/api/v1/session",
                {"username": name, "password": "demo"},
                content_type="application/json",
            )
            assert signed.status_code < 300, signed.content
        for path in paths:
            answers[name or "anyone", path] = _seen(client.get(path))
    return answers


def _seen(answer: Any) -> tuple[int, tuple[str, ...], str]:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    headers = tuple(answer.headers.get(name, "") for name in HEADERS if name != "Content-Length")
    return answer.status_code, headers, body.decode("utf-8", "replace")


def alike(text: str, path: str, *, silent: bool) -> str:
    """Return an answer without what may differ."""
    for rule in DECLASSIFIED["everywhere"]:
        text = re.sub(rule["pattern"], "*", text)
    for rule in DECLASSIFIED["when_silent"] if silent else ():
        if path in rule["paths"]:
            text = re.sub(rule["pattern"], "#", text)
    return text


def differences(one: Answers, other: Answers, *, silent: bool = False) -> list[str]:
    assert one.keys() == other.keys()
    found = []
    for (who, path), (status, headers, body) in one.items():
        other_status, other_headers, other_body = other[who, path]
        same = (
            status == other_status
            and alike(str(headers), path, silent=silent)
            == alike(str(other_headers), path, silent=silent)
            and alike(body, path, silent=silent) == alike(other_body, path, silent=silent)
        )
        if not same:
            found.append(f"{who} {path} {status}/{other_status}")
    return found


def gives(nordhafen: make.House) -> object:
    return make.decide(nordhafen, SECRET, CELLS)


def refuses(nordhafen: make.House) -> object:
    return make.decide(nordhafen, SECRET, CELLS, ConsentStatus.REFUSED)


def stays_silent(nordhafen: make.House) -> object:
    return nordhafen


def _engine() -> Any:
    return engines["django"].engine  # type: ignore[attr-defined]  # Only Django's own has one.


World = Callable[..., Answers]
_given: list[Answers] = []


def world_of_consent(world: World) -> Answers:
    """Return the world in which carla said yes; two tests look at it, so it is asked once."""
    if not _given:
        _given.append(world(gives))
    return _given[0]


def test_r18_giving_and_refusing_look_alike_to_everyone_else(world: World) -> None:
    given = world_of_consent(world)
    assert sum(status == 200 for status, _, _ in given.values()) > 60
    assert not [key for key, (status, _, _) in given.items() if status >= 500 and status != 503]
    assert differences(given, world(refuses)) == []


def test_r18_answering_and_staying_silent_look_alike_but_for_the_length_of_the_log(
    world: World,
) -> None:
    assert differences(world_of_consent(world), world(stays_silent), silent=True) == []


def test_r18_the_comparison_sees_a_planted_leak(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without this the two tests above could pass by comparing nothing."""
    from consent.models import ConsentState
    from governance.web import context

    real = context.site

    def leaks(request: Any) -> dict[str, Any]:
        valid = ConsentState.objects.filter(status=ConsentStatus.GIVEN.value).count()
        found = real(request)
        return found | {"organisation": f"{valid} agreed"}

    monkeypatch.setattr(context, "site", leaks)
    _engine().__dict__.pop("template_context_processors", None)
    try:
        assert differences(world(gives, ["petra"]), world(refuses, ["petra"])) != []
    finally:
        _engine().__dict__.pop("template_context_processors", None)
