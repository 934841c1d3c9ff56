"""Every state, every actor, every event: what §3.1 does not list is `invalid-transition`.

The list is written by hand here and in tests/consent/test_status.py; this one goes through the
service, so that nothing beside the table lets a change through.
"""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from audit.actors import Actor
from audit.models import Entry
from consent import services
from consent.errors import InvalidTransitionError, NotTheSubjectError
from consent.models import ConsentEvent
from consent.services import Choice
from consent.status import ConsentStatus as S
from governance.api import problem_table
from tests.consent.conftest import INES, PURPOSE, mira, notice  # noqa: F401
from tests.consent.test_status import ALLOWED

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLOCK = Actor.system("clock")
CELL = (PURPOSE, "freight-desk", "pointer")
# How each state is reached from nothing, by whom.
WAYS: dict[S, tuple[tuple[str, S], ...]] = {
    S.UNKNOWN: (),
    S.REQUESTED: (("clock", S.REQUESTED),),
    S.DEFERRED: (("clock", S.REQUESTED), ("subject", S.DEFERRED)),
    S.REFUSED: (("subject", S.REFUSED),),
    S.GIVEN: (("subject", S.GIVEN),),
    S.RENEWED: (("subject", S.GIVEN), ("subject", S.RENEWED)),
    S.WITHDRAWN: (("subject", S.GIVEN), ("subject", S.WITHDRAWN)),
    S.REVOKED: (("subject", S.GIVEN), ("officer", S.REVOKED)),
    S.EXPIRED: (("subject", S.GIVEN), ("clock", S.EXPIRED)),
    S.INVALIDATED: (("subject", S.GIVEN), ("officer", S.INVALIDATED)),
}
# Only the person answers; whoever else tries is told so rather than that the step is unknown.
ANSWERS = {S.GIVEN, S.RENEWED, S.REFUSED, S.WITHDRAWN, S.DEFERRED}


def step(
    subject: Actor,
    party: str,
    target: S,
    reference: str,
    minute: int,
) -> bool:
    """Ask for a change; say whether anything changed."""
    actor = {"subject": subject, "clock": CLOCK, "officer": INES}[party]
    act = services.decide(
        subject=subject.key,
        # Each step names a scope of its own, so that a second yes renews.
        choices=[Choice(*CELL, target, notice_version=reference, scope_digest=f"scope-{minute}")],
        actor=actor,
        language="en",
        form_digest="0" * 64,
        now=NOON + timedelta(minutes=minute),
    )
    return bool(act.events)


def is_right(subject: Actor, source: S, party: str, target: S, reference: str) -> bool:
    """Try one change; say whether the service did what the table says."""
    entries, events = Entry.objects.count(), ConsentEvent.objects.count()
    # A second yes under another scope is a renewal, and the same answer again is the same act.
    renews = target is S.GIVEN and source in {S.GIVEN, S.RENEWED} and party == "subject"
    listed = renews or (source.value, target.value, party) in ALLOWED
    try:
        changed = step(subject, party, target, reference, 9)
    except (InvalidTransitionError, NotTheSubjectError) as error:
        is_foreign = party != "subject" and target in ANSWERS
        expected = NotTheSubjectError if is_foreign else InvalidTransitionError
        left = (Entry.objects.count(), ConsentEvent.objects.count())
        return not listed and type(error) is expected and left == (entries, events)
    return listed or (target is source and not changed)


def test_what_the_table_does_not_list_is_an_invalid_transition(
    mira: Actor,  # noqa: F811
    notice: str,  # noqa: F811
) -> None:
    wrong = []
    for source in S:
        reached = transaction.savepoint()
        for minute, (who, way) in enumerate(WAYS[source]):
            assert step(mira, who, way, notice, minute)
        for party, target in itertools.product(("subject", "clock", "officer"), S):
            point = transaction.savepoint()
            if not is_right(mira, source, party, target, notice):
                wrong.append((source.value, party, target.value))
            transaction.savepoint_rollback(point)
        transaction.savepoint_rollback(reached)
    assert wrong == []


def test_an_unlisted_change_is_answered_as_an_invalid_transition() -> None:
    row = problem_table.row_for(InvalidTransitionError)
    assert row is not None
    assert row.slug == "invalid-transition"
