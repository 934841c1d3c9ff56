"""States of the log against acts over HTTP: a stalled log closes access, and no exit."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit import health
from audit.models import Entry, Outbox, TreeState
from tests import make
from tests.governance.api.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def patience() -> None:
    """Close the log as the service does."""


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def _set(**values: Any) -> None:
    TreeState.objects.update(**values)


def _wait() -> None:
    """Let one entry wait for its place longer than it may."""
    oldest = Outbox.objects.order_by("entry_id").first()
    assert oldest is not None
    Outbox.objects.filter(pk=oldest.pk).update(not_before=ago(61), queued_at=ago(61))


STATES: dict[str, tuple[Callable[[], None], bool]] = {
    "open": (lambda: None, True),
    "an entry has waited for 61 s": (_wait, False),
    "no heartbeat for 31 s": (lambda: _set(heartbeat_at=ago(31)), False),
    "no sequencer ever": (lambda: _set(heartbeat_at=None), False),
    "halted": (lambda: _set(halted="the database ends at 3, 9 were signed"), False),
    "unpublished for 121 s": (lambda: _set(behind_since=ago(121)), False),
    "no quorum for a day": (lambda: _set(quorum_at=ago(86401)), False),
    "never a quorum": (lambda: _set(quorum_at=None, created_at=ago(86401)), False),
}


def last() -> Entry:
    return Entry.objects.latest("id")


@pytest.mark.parametrize("state", sorted(STATES))
def test_a_stalled_log_closes_access_and_no_exit(nordhafen: make.House, state: str) -> None:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    mira = Api()
    assert mira.sign_in("mira").status_code == 201
    bring_about, is_open = STATES[state]
    bring_about()
    health.forget()

    access = mira.get("/api/v1/me/captures")
    if is_open:
        assert access.status_code == 200
        assert last().event == "access:allowed"
    else:
        assert access.status_code == 503
        assert access.json()["type"] == "/problems/log-unavailable"
        assert int(access.headers["Retry-After"]) > 0
        assert not Entry.objects.filter(event="access:allowed").exists()

    withdrawn = mira.post("/api/v1/me/consents/withdraw-all")
    assert withdrawn.status_code in {200, 201}, withdrawn.content
    assert Entry.objects.filter(event="consent:decided").count() >= 2

    denied = mira.get("/api/v1/audit/entries")
    assert denied.status_code == 403
    assert denied.headers["Audit-Entry"] == last().header
    assert (last().event, last().verdict) == ("access:denied", "deny")

    erased = mira.post("/api/v1/me/requests", {"kind": "erasure"})
    assert erased.status_code in {200, 201, 202}, erased.content
    assert Entry.objects.filter(event="private:told").exists()
