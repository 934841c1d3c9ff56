"""The same answer sent twice at the same moment: one decision, one entry, one receipt."""

import threading
from uuid import UUID, uuid4

import pytest
from django.db import connections

from audit.actions import Action
from audit.actors import Actor
from audit.models import Entry
from consent import services
from consent.models import ConsentEvent, ConsentReceipt
from consent.services import Choice
from consent.status import ConsentStatus
from tests.consent.conftest import INES, PURPOSE
from tests.consent.notices import content
from tests.consent.test_decide import FORM, POINTER
from tests.consent.test_lock import row_locks  # noqa: F401

pytestmark = pytest.mark.usefixtures("real_transactions", "row_locks")
AT_ONCE = 4


@pytest.mark.parametrize("status", [ConsentStatus.GIVEN, ConsentStatus.REFUSED])
def test_a_form_that_is_sent_several_times_at_once_is_one_decision(status: ConsentStatus) -> None:
    subject = str(uuid4())
    services.publish_notice(purpose=PURPOSE, texts={"en": content()}, actor=INES)
    start = threading.Barrier(AT_ONCE)
    acts: list[UUID] = []

    def send() -> None:
        try:
            start.wait(30)
            act = services.decide(
                subject=subject,
                choices=[Choice(*POINTER, status, f"{PURPOSE}@1", "scope-1")],
                actor=Actor(subject, "employee"),
                language="en",
                form_digest=FORM,
            )
            acts.append(act.decision_id)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(acts) == AT_ONCE
    assert len(set(acts)) == 1
    assert ConsentEvent.objects.filter(subject=subject).count() == 1
    assert ConsentReceipt.objects.filter(subject=subject).count() == 1
    assert Entry.objects.filter(event=Action.CONSENT_DECIDED).count() == 1
