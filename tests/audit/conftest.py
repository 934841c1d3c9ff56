"""What the tests of the log share: entries to write, and a log laid down in the test's folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from audit import journal, leaf
from audit.actions import Action, Verdict
from audit.actors import Actor
from audit.ids import uuid7
from audit.models import Entry
from audit.tree import leaf_hash

Write = Callable[..., Entry]


@pytest.fixture
def write(db: None) -> Write:
    """Commit one access by a requester; keywords change its facts."""

    def access(action: Action = Action.ACCESS_ALLOWED, **facts: Any) -> Entry:
        given: dict[str, Any] = {
            "actor": Actor("0a0b0c0d-9999-4888-8777-666655554444", "data_requester"),
            "subject": "7d6f1d9e-1111-4222-8333-444455556666",
            "verdict": Verdict.ALLOW,
            "purpose": "model-training",
        }
        return journal.append_now(action, **(given | facts))

    return access


@pytest.fixture
def places(tmp_path: Path, settings: Settings) -> Path:
    """Keys, log and policy under the test's own folder; nothing is written yet."""
    settings.REMIT_LOG_DIR = tmp_path / "log"
    settings.REMIT_KEYS_DIR = tmp_path / "keys"
    settings.REMIT_WITNESS_POLICY = str(tmp_path / "log" / "policy")
    return tmp_path


@pytest.fixture
def write_many(db: None) -> Callable[[int], list[Entry]]:
    """Commit many entries about nobody in one statement: trees want leaves, not people."""

    def many(count: int) -> list[Entry]:
        now = timezone.now()
        rows = []
        for _ in range(count):
            clear = leaf.Clear(uuid=uuid7(now), at=now, action=Action.ACCESS_DENIED)
            body = leaf.build(clear, disclosures=(), tag=leaf.no_tag())
            rows.append(Entry(uuid=clear.uuid, leaf=body, leaf_hash=leaf_hash(body)))
        return Entry.objects.bulk_create(rows)

    return many
