"""Stopping and bringing back: one person stops, two bring back, and the database counts people."""

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit.models import Entry
from governance.accounts.models import Device
from governance.compliance import selectors as compliance
from governance.compliance.errors import AgreementMissingError
from governance.policies import groundwork, propagation, selectors, services, suspending
from governance.policies.errors import (
    FourEyesError,
    InvalidStateError,
    StoppedError,
    StopUnfinishedError,
    UnknownStopError,
)
from governance.policies.models import Resumption, Stop
from tests.governance.policies.house import (
    APPLICATION,
    INES,
    LEA,
    WANDA,
    activated,
    approved,
    furnish,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
VERSION: dict[str, Any] = {"application": APPLICATION, "number": 1}


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def active(moment: datetime) -> datetime | None:
    found = selectors.active_version(APPLICATION, moment)
    return found.activated_at if found else None


def suspended() -> None:
    furnish()
    activated(NOW)
    suspending.suspend(**VERSION, reason="A field was overlooked.", actor=WANDA, now=at(1))


def test_a_suspended_version_comes_back_with_two_people_and_not_with_one() -> None:
    suspended()
    suspending.resume(**VERSION, actor=INES, now=at(2))
    assert active(at(2)) is None
    with pytest.raises(FourEyesError):
        suspending.resume(**VERSION, actor=INES, now=at(3))
    with pytest.raises(InvalidStateError):
        services.activate(**VERSION, actor=INES, now=at(3))
    assert active(at(3)) is None
    suspending.resume(**VERSION, actor=LEA, now=at(4))
    # What was recorded while it was suspended stays refused.
    assert (active(at(3)), active(at(4))) == (None, at(4))
    with pytest.raises(InvalidStateError):
        suspending.resume(**VERSION, actor=WANDA, now=at(5))


def test_two_people_are_wanted_for_each_suspension_anew() -> None:
    suspended()
    suspending.resume(**VERSION, actor=INES, now=at(2))
    suspending.resume(**VERSION, actor=LEA, now=at(3))
    suspending.suspend(**VERSION, reason="Again.", actor=INES, now=at(4))
    suspending.resume(**VERSION, actor=LEA, now=at(5))
    assert active(at(6)) is None


def test_what_must_hold_is_asked_again_when_a_version_comes_back() -> None:
    furnish()
    activated(NOW)
    (agreed,) = compliance.agreements(APPLICATION)
    groundwork.end_agreement(agreement_id=agreed.id, reason="Ended.", actor=WANDA, now=at(1))
    assert active(at(1)) is None
    with pytest.raises(AgreementMissingError):
        suspending.resume(**VERSION, actor=INES, now=at(2))


def test_what_ran_out_is_suspended_by_itself() -> None:
    furnish()
    number = approved(NOW)
    services.activate(application=APPLICATION, number=number, actor=INES, now=NOW)
    late = datetime(2100, 1, 2, tzinfo=UTC)
    assert groundwork.suspend_unguarded(actor=INES, now=NOW + timedelta(days=1)) == []
    assert groundwork.suspend_unguarded(actor=INES, now=late) == [f"{APPLICATION}@1"]
    assert active(late) is None


def test_r80_a_stop_empties_every_policy_and_two_people_lift_it() -> None:
    furnish()
    activated(NOW)
    epoch = selectors.generation()
    made = suspending.stop(reason="Drill.", actor=WANDA, now=at(1))
    assert made.epoch == epoch + 1
    assert suspending.stop(reason="Twice.", actor=INES, now=at(2)).pk == made.pk
    assert (active(at(0)), active(at(1))) == (NOW, None)
    assert selectors.offered_cells(at(1)) == []
    with pytest.raises(UnknownStopError):
        suspending.lift(number=2, actor=INES)
    suspending.lift(number=1, actor=INES, now=at(3))
    with pytest.raises(FourEyesError):
        suspending.lift(number=1, actor=INES, now=at(4))
    assert active(at(4)) is None
    suspending.lift(number=1, actor=LEA, now=at(5))
    # What was recorded while all was stopped stays refused.
    assert (active(at(4)), active(at(5))) == (None, at(5))
    with pytest.raises(UnknownStopError):
        suspending.lift(number=1, actor=WANDA)


def test_while_all_is_stopped_no_suspended_policy_comes_back() -> None:
    suspended()
    suspending.stop(reason="Drill.", actor=WANDA, now=at(2))
    with pytest.raises(StoppedError):
        suspending.resume(**VERSION, actor=INES, now=at(3))


def an_agent_that_never_answers() -> None:
    Device.objects.create(
        id="01932f00-0000-7000-8000-000000000001",
        subject="x",
        public_key=b"k",
        enrolled_at=NOW,
        policy_epoch=0,
        entry=Entry.objects.latest("id"),
    )


def test_a_stop_certifies_itself_once_every_agent_must_have_stopped() -> None:
    furnish()
    suspending.stop(reason="Drill.", actor=WANDA, now=NOW)
    gauge = propagation.gauge(now=NOW)
    assert gauge is not None
    assert (gauge.agents, gauge.confirmed, gauge.is_complete) == (0, 0, True)
    an_agent_that_never_answers()
    with pytest.raises(StopUnfinishedError):
        propagation.certificate(number=1, now=at(14))
    envelope = propagation.certificate(number=1, now=at(15))
    said = json.loads(b64decode(str(envelope["payload"])))
    assert (said["agents"], said["agents_that_confirmed"]) == (1, 0)
    assert said["ended_everywhere_by"] == "2026-11-21T12:15:00.000Z"
    Device.objects.update(policy_epoch=Stop.objects.get().epoch)
    done = propagation.gauge(now=NOW)
    assert done is not None
    assert done.is_complete


def test_a_stop_certifies_nothing_before_the_last_agent_without_a_network_must_have_stopped() -> (
    None
):
    """An agent may go on alone for as long as the policies of the last day let it."""
    furnish()
    activated(now=NOW, budgets={"offline_hours": 3})
    assert propagation.longest_alone(at=at(0)) == timedelta(hours=3)
    suspending.suspend(**VERSION, reason="Wrong.", actor=LEA, now=at(1))
    suspending.stop(reason="Drill.", actor=WANDA, now=at(2))
    an_agent_that_never_answers()
    with pytest.raises(StopUnfinishedError):
        propagation.certificate(number=1, now=at(181))
    assert propagation.certificate(number=1, now=at(182))
    later = at(1) + timedelta(hours=24)
    assert propagation.longest_alone(at=later) == timedelta(minutes=15)


def test_the_database_counts_one_person_once_and_forgets_no_stop() -> None:
    suspended()
    suspending.resume(**VERSION, actor=INES)
    row = Resumption.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Resumption.objects.create(
            suspension=row.suspension, actor=row.actor, at=NOW, entry=row.entry
        )
    suspending.stop(reason="Drill.", actor=WANDA)
    for statement in (
        "UPDATE policies_stop SET reason = 'none'",
        "DELETE FROM policies_stop",
        "UPDATE policies_resumption SET actor = 'somebody'",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
