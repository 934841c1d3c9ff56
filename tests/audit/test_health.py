"""Access closes when the log stalls, each limit on its own, and opens again by itself."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from audit import health, selectors
from audit.errors import LogUnavailableError
from audit.models import Entry, Outbox, TreeState

pytestmark = pytest.mark.django_db

Write = Callable[..., Entry]


@pytest.fixture
def patience() -> None:
    """Close the log as the service does."""


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    health.forget()
    yield
    health.forget()


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("change", "inside", "outside", "reason"),
    [
        (lambda s: {"heartbeat_at": ago(s)}, 25, 31, "silent"),
        (lambda s: {"behind_since": ago(s)}, 110, 121, "not published"),
        (lambda s: {"quorum_at": ago(s)}, 86000, 86401, "quorum"),
        (lambda s: {"quorum_at": None, "created_at": ago(s)}, 86000, 86401, "quorum"),
        (lambda s: {"halted": "x" if s else ""}, 0, 1, "halted"),
        (lambda s: {"heartbeat_at": timezone.now() if not s else None}, 0, 1, "no sequencer"),
    ],
)
def test_each_limit_closes_access(
    open_log: Any,
    change: Callable[[float], dict[str, Any]],
    inside: float,
    outside: float,
    reason: str,
) -> None:
    TreeState.objects.update(**change(inside))
    health.forget()
    health.require_open()
    TreeState.objects.update(**change(outside))
    health.require_open()  # A judgement is reused for a second.
    health.forget()
    with pytest.raises(LogUnavailableError, match=reason) as raised:
        health.require_open()
    assert raised.value.reason == selectors.log_state().why_closed
    assert not selectors.log_state().is_open


def test_entries_that_wait_too_long_close_access_and_shy_ones_may_wait(
    open_log: Any, write: Write
) -> None:
    write()
    for not_before, queued, is_open in (
        (ago(50), ago(50), True),
        (ago(61), ago(61), False),
        (ago(-20), ago(100), True),
        (None, ago(61), False),
    ):
        Outbox.objects.update(not_before=not_before, queued_at=queued)
        health.forget()
        assert (health.why_closed() is None) is is_open
    open_log()
    assert health.why_closed() is None


def test_without_a_sequencer_or_a_database_access_is_closed(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert health.why_closed() == "no sequencer has run"

    def broken(*_: Any, **__: Any) -> Any:
        raise DatabaseError

    monkeypatch.setattr("audit.health.TreeState.objects.annotate", broken)
    health.forget()
    assert health.why_closed() == "the database does not answer"
