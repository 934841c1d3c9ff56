"""A pause is at once, needs no reason, and is nobody else's business."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from audit.actions import Action
from audit.actors import Actor
from consent import selectors, services
from consent.errors import InvalidTransitionError, NotTheSubjectError
from consent.models import CapturePause
from tests.consent.conftest import INES
from tests.consent.test_decide import NOON

pytestmark = pytest.mark.django_db


def test_a_pause_of_all_devices_covers_each_and_one_of_a_device_only_that(mira: Actor) -> None:
    laptop, tablet = uuid4(), uuid4()
    services.pause(subject=mira.key, device_id=laptop, until=None, actor=mira, now=NOON)
    held = selectors.pauses(subject=mira.key, device_id=laptop)
    assert [pause.covers(NOON) for pause in held] == [True]
    assert selectors.pauses(subject=mira.key, device_id=tablet) == []
    until = NOON + timedelta(minutes=15)
    entry = services.pause(subject=mira.key, device_id=None, until=until, actor=mira, now=NOON)
    assert entry.event == Action.CONSENT_DECIDED
    (pause,) = selectors.pauses(subject=mira.key, device_id=tablet)
    assert pause.covers(until - timedelta(microseconds=1))
    assert not pause.covers(until)


def test_resuming_ends_every_pause_and_a_second_time_does_nothing(mira: Actor) -> None:
    laptop = uuid4()
    services.pause(subject=mira.key, device_id=laptop, until=None, actor=mira, now=NOON)
    services.pause(subject=mira.key, device_id=None, until=None, actor=mira, now=NOON)
    later = NOON + timedelta(minutes=5)
    assert services.resume(subject=mira.key, device_id=None, actor=mira, now=later) is not None
    assert services.resume(subject=mira.key, device_id=None, actor=mira, now=later) is None
    assert {pause.end for pause in selectors.pauses(subject=mira.key)} == {later}


def test_pausing_what_is_paused_for_as_long_changes_nothing_and_for_longer_goes_on(
    mira: Actor,
) -> None:
    minute, until = NOON + timedelta(minutes=1), NOON + timedelta(minutes=30)

    def pause(end: datetime | None) -> object:
        return services.pause(subject=mira.key, device_id=None, until=end, actor=mira, now=minute)

    first = services.pause(subject=mira.key, device_id=None, until=until, actor=mira, now=NOON)
    assert first == pause(until) == pause(until - timedelta(minutes=15))
    assert CapturePause.objects.count() == 1
    open_end = pause(None)
    assert open_end != first
    assert open_end == pause(None) == pause(until), "A second window does not shorten it."
    assert [(p.start, p.end) for p in selectors.pauses(subject=mira.key)] == [
        (NOON, minute),
        (minute, None),
    ]


def test_only_the_person_or_the_persons_device_pauses(mira: Actor) -> None:
    with pytest.raises(NotTheSubjectError):
        services.pause(subject=mira.key, device_id=None, until=None, actor=INES)
    with pytest.raises(NotTheSubjectError):
        services.resume(subject=mira.key, device_id=None, actor=INES)
    laptop = uuid4()
    device = Actor(f"device:{laptop}", "capture_agent")
    services.pause(subject=mira.key, device_id=laptop, until=None, actor=device)
    assert selectors.pauses(subject=mira.key, device_id=laptop)
    with pytest.raises(InvalidTransitionError):
        services.pause(subject=mira.key, device_id=None, until=NOON, actor=mira, now=NOON)
