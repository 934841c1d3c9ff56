"""Two real connections meet over one person's consent and device: one waits, none slips through."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from audit import journal
from consent.status import ConsentStatus
from governance.accounts import services as accounts
from governance.capture import intake
from governance.capture.errors import (
    CaptureError,
    ConsentRequiredError,
    ConsentWithdrawnError,
    PolicyViolationError,
)
from governance.capture.models import CaptureBatch
from governance.decisions import Reason
from tests import make
from tests.governance.capture.test_path import MOVE, POINTER, now_events, upload

Act = Callable[[], object]
rows_are_locked = pytest.mark.skipif(
    connection.vendor != "postgresql",
    reason="SQLite locks no rows: its IMMEDIATE transaction keeps every other writer out.",
)
_CELL = [(make.TRAIN, make.DESK, "pointer")]


class Held:
    """A function that stops in the middle of its first call until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: object, name: str) -> None:
        self.is_there, self._go_on = threading.Event(), threading.Event()
        self._real: Callable[..., Any] = getattr(place, name)
        self.let_go = self._go_on.set
        monkeypatch.setattr(place, name, self._call)

    def _call(self, *given: Any, **named: Any) -> Any:
        answer = self._real(*given, **named)
        self.is_there.set()
        assert self._go_on.wait(20)
        return answer


class Apart(threading.Thread):
    """An act on a connection of its own; `error` is what it ended in."""

    def __init__(self, act: Act) -> None:
        super().__init__(daemon=True)
        self._act = act
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._act()
        except CaptureError as error:
            self.error = error
        finally:
            connections.close_all()

    def has_ended(self, *, within: float) -> bool:
        self.join(within)
        return not self.is_alive()


def revocation(nordhafen: make.House, agent: make.Endpoint) -> Act:
    actor = nordhafen.actor("mira")
    return lambda: accounts.revoke_device(device_id=agent.device.id, actor=actor)


def withdrawal(nordhafen: make.House, _: make.Endpoint) -> Act:
    return lambda: make.decide(nordhafen, "mira", _CELL, ConsentStatus.WITHDRAWN)


@rows_are_locked
@pytest.mark.usefixtures("real_transactions")
@pytest.mark.parametrize("ending", [revocation, withdrawal])
def test_who_ends_the_right_waits_for_an_upload_that_relied_on_it(
    nordhafen: make.House,
    agent: make.Endpoint,
    ending: Callable[[make.House, make.Endpoint], Act],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = ending(nordhafen, agent)
    held = Held(monkeypatch, intake, "_check")
    header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    sender = Apart(lambda: upload(agent, header, wire))
    assert held.is_there.wait(10)
    ender = Apart(end)
    assert not ender.has_ended(within=0.3)
    held.let_go()
    assert sender.has_ended(within=20)
    assert ender.has_ended(within=20)
    assert sender.error is None
    assert CaptureBatch.objects.count() == 1
    with pytest.raises((PolicyViolationError, ConsentRequiredError, ConsentWithdrawnError)):
        upload(agent, *make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER))


@rows_are_locked
@pytest.mark.usefixtures("real_transactions")
def test_an_upload_waits_for_a_revocation_and_is_refused_by_it(
    nordhafen: make.House, agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signature was checked before; only the row under the lock knows better."""
    held = Held(monkeypatch, journal, "append")
    ender = Apart(revocation(nordhafen, agent))
    assert held.is_there.wait(10)
    header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    sender = Apart(lambda: upload(agent, header, wire))
    assert not sender.has_ended(within=0.3)
    held.let_go()
    assert ender.has_ended(within=20)
    assert sender.has_ended(within=20)
    assert isinstance(sender.error, PolicyViolationError)
    assert sender.error.reason is Reason.DEVICE_REVOKED
    assert not CaptureBatch.objects.exists()


@pytest.mark.django_db
def test_an_upload_locks_in_the_fixed_order(agent: make.Endpoint) -> None:
    tables = ["consent_epoch", "accounts_device", "capture_capturesession", "capture_deviceuse"]
    seen: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        seen.extend(name for name in (*tables, "audit_subjectcounter") if name in sql)
        return execute(sql, *rest)

    header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    with connection.execute_wrapper(note):
        upload(agent, header, wire)
    assert list(dict.fromkeys(seen)) == [*tables, "audit_subjectcounter"]
