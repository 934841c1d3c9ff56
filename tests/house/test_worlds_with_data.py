"""Choice secrecy (R18) where something was captured and released: what follows from a withdrawal
(files called back, keys destroyed, records deleted) tells nobody else that it was one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import Settings

from audit import daily, journal, sequencer, telling
from audit.models import Outbox
from consent.selectors import Cell
from consent.status import ConsentStatus
from governance.jobs import services as jobs
from governance.rights import services as rights
from tests import make
from tests.governance.releases.conftest import CONTRIBUTORS, Office
from tests.house.worlds import (  # noqa: F401
    EVERYBODY,
    ROUTES,
    SECRET,
    STRANGER,
    World,
    address,
    differences,
    world,
)

ENTRIES = "/api/v1/audit/entries"
# Where an officer, an auditor, a representative and the one who got the data look all day.
WATCHED = [
    ENTRIES,
    f"{ENTRIES}/{STRANGER}",
    "/office/",
    "/office/log/",
    f"/office/log/{STRANGER}/",
    "/office/releases/",
    "/log/checkpoint",
    "/public/log/",
    "/healthz/ready",
]
WATCHERS = ["wanda", "petra", "jonas"]
Happening = Callable[[make.House], object]
Act = Callable[[Office], object]
POINTER, CLICK = (Cell(make.TRAIN, make.DESK, kind) for kind in ("pointer", "click"))


@pytest.fixture(autouse=True)
def production(settings: Settings) -> None:
    settings.REMIT_RECALL_SECONDS = 86_400
    settings.REMIT_MIN_CONTRIBUTORS = len(CONTRIBUTORS)


def after(act: Act) -> Happening:
    """Let three people contribute and a release be made of it, then let one of them act."""

    def happens(nordhafen: make.House) -> object:
        office = Office(nordhafen)
        for name in CONTRIBUTORS:
            office.contribute(name, "pointer")
        office.release()
        return act(office)

    return happens


def withdraws(office: Office) -> None:
    office.choose(SECRET, ConsentStatus.WITHDRAWN, POINTER)


def gives_more(office: Office) -> None:
    office.choose(SECRET, ConsentStatus.GIVEN, CLICK)


def looks(office: Office) -> object:
    return office.frames(SECRET)


def deletes(office: Office) -> object:
    return rights.delete_capture(
        subject=office.subject(SECRET),
        frames=office.frames(SECRET),
        actor=office.house.actor(SECRET),
    )


def a_day_later(happens: Happening) -> Happening:
    """Let the period end as well, and the log tell what it kept."""

    def both(nordhafen: make.House) -> object:
        happens(nordhafen)
        jobs.run_due()
        with sequencer.opened() as log:
            log.turn()
        telling.tell(now=daily.end_of(timezone.now()) + timedelta(minutes=5))
        return Outbox.objects.update(not_before=Now())

    return both


def alike(world: World, *acts: Happening, **how: Any) -> None:  # noqa: F811
    one, other = (world(act, **how) for act in acts)
    assert sum(seen.status == 200 for seen in one.values()) > len(WATCHED)
    found = differences(one, other)
    assert not found, "\n".join(found)


def test_r18_withdrawing_and_giving_more_look_alike_where_data_was_released(
    world: World,  # noqa: F811
) -> None:
    alike(world, after(withdraws), after(gives_more), viewers=WATCHERS, paths=WATCHED)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("acts", [(withdraws, gives_more), (deletes, looks)])
@pytest.mark.parametrize("then", [after, lambda act: a_day_later(after(act))])
def test_r18_what_follows_from_a_withdrawal_and_a_deletion_tells_nobody(
    world: World,  # noqa: F811
    acts: tuple[Act, Act],
    then: Callable[[Act], Happening],
) -> None:
    """Everybody asks everything, on the same day and when the log has told of it.

    But the contributors: keys of their own were made in each world, and their pages show them. So
    does the list of computers.
    """
    viewers = [name for name in EVERYBODY if name not in CONTRIBUTORS]
    paths = [address(door) for door in ROUTES if "/computers" not in door.address]
    alike(world, *map(then, acts), viewers=viewers, paths=paths)


@pytest.mark.soak
def test_r18_the_comparison_sees_what_stands_in_clear(
    world: World,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without this the tests above could pass by comparing nothing."""
    monkeypatch.setattr(journal, "PRIVATE", frozenset())
    one, other = (world(after(act), WATCHERS, paths=WATCHED) for act in (withdraws, gives_more))
    assert {"wanda /office/log/ body", f"wanda {ENTRIES} body"} <= set(differences(one, other))
