"""A person is forgotten whole, whoever writes about them at that moment."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction

from audit import erasure, journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from audit.models import Disclosure, SubjectCounter, SubjectIndex

SUBJECT = "7d6f1d9e-1111-4222-8333-444455556666"


def _in_a_thread(act: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            act()
        finally:
            for alias in ("default", "keys"):
                connections[alias].close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time.")
@pytest.mark.parametrize("earlier", [0, 1])
def test_an_entry_that_is_being_written_is_forgotten_as_well(
    real_transactions: None, earlier: int
) -> None:
    is_written, may_commit = threading.Event(), threading.Event()

    def append() -> None:
        actor = Actor("0a0b0c0d-9999-4888-8777-666655554444", "data_requester")
        journal.append(Action.ACCESS_ALLOWED, actor=actor, subject=SUBJECT, verdict=Verdict.ALLOW)

    def write() -> None:
        with transaction.atomic():
            append()
            is_written.set()
            may_commit.wait(30)

    for _ in range(earlier):
        with transaction.atomic():
            append()
    writer = _in_a_thread(write)
    assert is_written.wait(30)
    forgetter = _in_a_thread(lambda: erasure.forget(subject=SUBJECT))
    forgetter.join(1)
    may_commit.set()
    for thread in (writer, forgetter):
        thread.join(30)
    for model in (SubjectIndex, SubjectCounter, Disclosure):
        assert not model.objects.exists(), model
