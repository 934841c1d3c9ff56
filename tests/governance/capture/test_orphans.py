"""Ciphertext that a crash left without a row goes after a day; what anybody needs stays."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.utils import timezone

from audit import health
from audit.errors import LogUnavailableError
from governance import env
from governance.capture import blobs, deletion
from governance.capture.models import Frame
from governance.vault import orphans, storage
from governance.vault.errors import UnsealError
from tests import make
from tests.governance.capture.test_path import MOVE, POINTER, now_events, own, send

pytestmark = pytest.mark.django_db
DAYS_LATER = timedelta(days=2)


@pytest.fixture(autouse=True)
def every_blob_an_object(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STORAGES = dict(storages.backends) | {"captures": env.objects(str(tmp_path / "o"))}
    monkeypatch.setattr(blobs, "LARGEST_ROW_OCTETS", 0)


def test_what_no_row_names_goes_and_what_one_names_stays(
    nordhafen: make.House, agent: make.Endpoint, open_log: Callable[[], None]
) -> None:
    """F05: an object stored before its row, by a process that died in between."""
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    kept, stray = Frame.objects.get().object_key, storage.put(b"stray").key
    assert orphans.collect() == 0, "It may belong to a transaction under way."
    assert orphans.collect(now=timezone.now() + DAYS_LATER) == 1
    assert list(storage.keys()) == [kept]
    with pytest.raises(UnsealError):
        storage.get(stray)


def test_an_object_that_outlived_its_frame_goes(
    nordhafen: make.House,
    agent: make.Endpoint,
    open_log: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    monkeypatch.setattr(storage, "delete", lambda key: None)  # The crash.
    deletion.delete_frames(
        actor=own(nordhafen), subject=agent.subject, frames=[Frame.objects.get().id]
    )
    monkeypatch.undo()
    assert orphans.collect(now=timezone.now() + DAYS_LATER) == 1
    assert list(storage.keys()) == []


def test_nothing_goes_while_somebody_cannot_be_asked(
    open_log: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stray = storage.put(b"stray").key
    monkeypatch.delitem(orphans._claims, "exports")
    with pytest.raises(LookupError, match="exports"):
        orphans.collect(now=timezone.now() + DAYS_LATER)
    assert storage.get(stray) == b"stray"


def test_nothing_goes_while_the_log_is_closed(settings: Any) -> None:
    settings.REMIT_LOG_ORIGIN = "nobody.example/log"
    health.forget()
    stray = storage.put(b"stray").key
    with pytest.raises(LogUnavailableError):
        orphans.collect(now=timezone.now() + DAYS_LATER)
    assert storage.get(stray) == b"stray"
    health.forget()
