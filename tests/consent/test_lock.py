"""The consent lock between real connections: who relies on consent shares, who decides waits."""

import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction

from audit.actors import Actor
from consent import selectors, services
from consent.services import Choice
from consent.status import ConsentStatus
from tests.consent.conftest import INES, PURPOSE
from tests.consent.notices import content
from tests.consent.test_decide import FORM, POINTER

pytestmark = pytest.mark.usefixtures("real_transactions", "row_locks")


@pytest.fixture
def row_locks() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no row locks: its IMMEDIATE transaction keeps every writer out.")


def _elsewhere(work: Callable[[], None]) -> threading.Thread:
    """Start work on a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_withdrawal_waits_for_whoever_relies_on_the_consent() -> None:
    subject = str(uuid4())
    mira = Actor(subject, "employee")
    services.publish_notice(purpose=PURPOSE, texts={"en": content()}, actor=INES)

    def decide(status: ConsentStatus) -> None:
        services.decide(
            subject=subject,
            choices=[Choice(*POINTER, status, f"{PURPOSE}@1", "scope-1")],
            actor=mira,
            language="en",
            form_digest=FORM,
        )

    decide(ConsentStatus.GIVEN)
    done = threading.Event()

    def withdraw() -> None:
        decide(ConsentStatus.WITHDRAWN)
        done.set()

    with transaction.atomic():
        selectors.lock(subject=subject, exclusive=False)
        thread = _elsewhere(withdraw)
        # It must not get through while this transaction relies on the yes.
        assert not done.wait(0.5)
        assert selectors.valid_at(subject=subject, **POINTER._asdict())
    thread.join(30)
    assert done.is_set()
    assert not selectors.valid_at(subject=subject, **POINTER._asdict())


def test_two_who_only_rely_do_not_wait_for_each_other() -> None:
    subject = str(uuid4())
    with transaction.atomic():
        selectors.lock(subject=subject, exclusive=False)
    shared = threading.Event()

    def rely() -> None:
        with transaction.atomic():
            selectors.lock(subject=subject, exclusive=False)
            shared.set()

    with transaction.atomic():
        selectors.lock(subject=subject, exclusive=False)
        thread = _elsewhere(rely)
        assert shared.wait(10)
    thread.join(10)


def test_two_first_comers_get_one_row() -> None:
    subject = str(uuid4())
    start = threading.Barrier(4)
    epochs: list[int] = []

    def first() -> None:
        start.wait(10)
        with transaction.atomic():
            epochs.append(selectors.lock(subject=subject, exclusive=True))

    threads = [_elsewhere(first) for _ in range(4)]
    for thread in threads:
        thread.join(30)
    assert epochs == [0, 0, 0, 0]
