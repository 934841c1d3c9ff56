"""Stopping what a policy allows, and bringing it back: one person stops, two bring back.

Promises: a suspension and a stop hold from the transaction that wrote them; what was captured
meanwhile is refused even after they end; the database refuses to count one person as two.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from governance.policies import activation, transitions
from governance.policies import content as policy_content
from governance.policies.errors import (
    FourEyesError,
    InvalidStateError,
    StoppedError,
    UnknownStopError,
)
from governance.policies.models import CapturePolicyVersion, Resumption, Stop, StopLift
from governance.policies.services import bump_policy_epoch, hold_generation, refuse_consumer
from governance.policies.states import PolicyState

PEOPLE = 2


@transaction.atomic
def suspend(
    *, application: str, number: int, reason: str, actor: Actor, now: datetime | None = None
) -> CapturePolicyVersion:
    """Stop capture under a version at once; one person may, because it only narrows."""
    bump_policy_epoch()
    version = transitions.lock(application=application, number=number)
    transitions.require(version, PolicyState.SUSPENDED)
    entry = journal.append(
        Action.POLICY_SUSPENDED,
        actor=actor,
        policy=transitions.reference(version),
        private={"reason": reason},
    )
    at = now or timezone.now()
    transitions.step(version, PolicyState.SUSPENDED, actor=actor.key, at=at, entry=entry)
    return version


@transaction.atomic
def resume(
    *, application: str, number: int, actor: Actor, now: datetime | None = None
) -> CapturePolicyVersion:
    """Want a suspended version back; the second person who does brings it back in force.

    Every guard that must hold while a policy acts is evaluated again. FourEyesError for the same
    person twice, ConsumerError, StoppedError, InvalidStateError, and what a guard raises.
    """
    now = now or timezone.now()
    hold_generation()
    version = transitions.lock(application=application, number=number)
    current = transitions.state_of(version)
    if current is not PolicyState.SUSPENDED:
        raise InvalidStateError(current=current.value, wanted=PolicyState.ACTIVE.value)
    refuse_consumer(actor)
    if standing_stop() is not None:
        raise StoppedError("Capture is stopped everywhere; that ends first.")
    activation.check_again(version, now=now)
    suspension = version.transitions.latest("number")
    entry = journal.append(
        Action.POLICY_RESUMED, actor=actor, policy=transitions.reference(version)
    )
    wanted = Resumption(suspension=suspension, actor=actor.key, at=now, entry=entry)
    _insert(wanted, "A second person must want it back.")
    if suspension.resumptions.count() >= PEOPLE:
        bump_policy_epoch()
        transitions.step(version, PolicyState.ACTIVE, actor=actor.key, at=now, entry=entry)
        content = policy_content.from_bytes(bytes(version.content))
        activation.write_scopes(application, content=content, now=now, entry=entry)
    return version


@transaction.atomic
def stop(*, reason: str, actor: Actor, now: datetime | None = None) -> Stop:
    """End capture everywhere at once; one person may, because it only narrows (R80).

    A second stop while one holds is the same stop.
    """
    epoch = bump_policy_epoch()
    if (standing := standing_stop()) is not None:
        return standing
    entry = journal.append(Action.STOP_ORDERED, actor=actor, private={"reason": reason})
    return Stop.objects.create(
        number=Stop.objects.count() + 1,
        reason=reason,
        actor=actor.key,
        epoch=epoch,
        at=now or timezone.now(),
        entry=entry,
    )


@transaction.atomic
def lift(*, number: int, actor: Actor, now: datetime | None = None) -> Stop:
    """Want capture back; the second person who does ends the stop.

    FourEyesError for the same person twice, ConsumerError, UnknownStopError.
    """
    hold_generation()
    standing = standing_stop()
    if standing is None or standing.number != number:
        raise UnknownStopError("No stop of this number holds.")
    refuse_consumer(actor)
    entry = journal.append(Action.STOP_LIFTED, actor=actor, private={"stop": number})
    wanted = StopLift(stop=standing, actor=actor.key, at=now or timezone.now(), entry=entry)
    _insert(wanted, "A second person must want capture back.")
    if standing.lifts.count() >= PEOPLE:
        bump_policy_epoch()
    return standing


def standing_stop() -> Stop | None:
    """Return the stop that holds, or None."""
    newest = Stop.objects.order_by("-number").first()
    return newest if newest is not None and newest.lifts.count() < PEOPLE else None


def _insert(row: Resumption | StopLift, same_person: str) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise FourEyesError(same_person) from error
