"""Choice secrecy (R18): two worlds that differ in one person's choice look alike to all others.

`make test` asks every route as those whose answers could differ; `make soak` asks every route as
everybody, in 48 pairs of worlds.
"""

import json
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from pytest_django import Settings

from consent.models import ConsentState
from consent.status import ConsentStatus
from governance.accounts.roles import Role
from governance.policies.categories import WITHOUT_PICTURES
from governance.rights import services as rights
from tests import make
from tests.house.test_doors import COLUMNS, TABLE
from tests.house.worlds import (  # noqa: F401
    CELLS,
    DIRECTORY,
    EVERYBODY,
    ROUTES,
    SECRET,
    STRANGER,
    TURNED_AWAY,
    Answers,
    World,
    address,
    alike,
    differences,
    role_of,
    world,
)
from tests.standing import StandingHouse

GROUPS, PAIRS_A_GROUP = 8, 6
# Of what somebody does; a pause is nobody else's business either (R14).
PAUSES = 0.2


def gives(nordhafen: make.House) -> object:
    return make.decide(nordhafen, SECRET, CELLS)


def refuses(nordhafen: make.House) -> object:
    return make.decide(nordhafen, SECRET, CELLS, ConsentStatus.REFUSED)


def stays_silent(nordhafen: make.House) -> object:
    return nordhafen


# Pages about one thing, which is there: the entry of the choice among them.
REALLY_THERE = [
    ("wanda", f"/office/log/{STRANGER}/"),
    ("wanda", f"/office/log/{STRANGER}/proof"),
    ("ines", f"/api/v1/audit/entries/{STRANGER}"),
    ("petra", f"/api/v1/audit/entries/{STRANGER}/proof"),
    ("ines", f"/office/requests/{STRANGER}/"),
    ("jonas", f"/api/v1/access-requests/{STRANGER}"),
    ("ines", f"/office/asking/{STRANGER}/"),
    ("wanda", f"/api/v1/impact-assessments/{make.DESK}-v1/versions/1"),
    ("petra", "/log/checkpoint"),
    (DIRECTORY, "/api/v1/scim/v2/Users"),
    (DIRECTORY, "/api/v1/scim/v2/Users/1"),
]


def unasked(answers: Answers) -> list[str]:
    """Return each route, from the resolver itself, that a role may enter and was not asked as it.

    Doors open to everybody are asked as one who is signed in and one who is not.
    """
    asked = {
        (who if who == "anyone" else role_of(who), path)
        for who, path in answers
        if who != DIRECTORY
    }
    return [
        f"{role or 'anyone'} {door.key}"
        for door in ROUTES
        for role, status in zip(COLUMNS, TABLE[door.key].split(), strict=True)
        if status not in TURNED_AWAY and (door.action != "public" or role in {None, Role.EMPLOYEE})
        if (role or "anyone", address(door)) not in asked
    ]


_given: dict[int, Answers] = {}


def world_of_consent(world: World, house: StandingHouse) -> Answers:  # noqa: F811
    """Return the world in which carla said yes; two tests look at it, so a house is asked once."""
    if house.built not in _given:
        _given[house.built] = world(gives)
    return _given[house.built]


@pytest.mark.once
def test_r18_giving_and_refusing_look_alike_to_everyone_else(
    world: World,  # noqa: F811
    _standing_house: StandingHouse,  # noqa: PT019
) -> None:
    given = world_of_consent(world, _standing_house)
    assert unasked(given) == []
    assert len(ROUTES) > 90
    assert sum(seen.status == 200 for seen in given.values()) > 60
    for person, path in REALLY_THERE:
        assert given[person, path].status == 200, path
    assert not [key for key, seen in given.items() if seen.status >= 500 and seen.status != 503]
    assert differences(given, world(refuses)) == {}


@pytest.mark.once
def test_r18_answering_and_staying_silent_look_alike_but_for_the_length_of_the_log(
    world: World,  # noqa: F811
    _standing_house: StandingHouse,  # noqa: PT019
) -> None:
    given = world_of_consent(world, _standing_house)
    assert differences(given, world(stays_silent), silent=True) == {}


@pytest.mark.once
def test_two_form_tokens_are_alike_whatever_they_look_like() -> None:
    tokens = ("WyJ" + "a" * 61, "b" * 64)
    fields = (f'<input name="csrfmiddlewaretoken" value="{token}">' for token in tokens)
    assert len({alike(field, "/", silent=False) for field in fields}) == 1


def in_page(response: HttpResponse, valid: int) -> None:
    response.content += f"<!-- {valid} -->".encode()


def in_field(response: HttpResponse, valid: int) -> None:
    response.content = json.dumps(json.loads(response.content) | {"count": valid}).encode()


def in_header(response: HttpResponse, valid: int) -> None:
    response.headers["Server-Timing"] = f"consents;desc={valid}"


def in_metric(response: HttpResponse, valid: int) -> None:
    response.content = json.dumps({"metrics": {"consents_valid": valid}}).encode()


def in_time(response: HttpResponse, valid: int) -> None:
    for _ in range(valid):
        ConsentState.objects.first()


def in_log_line(response: HttpResponse, valid: int) -> None:
    logging.getLogger("remit").info("seen", extra={"count": valid})


# What a mistake would look like, each at a door of its own.
LEAKS = {
    "/uses/": in_page,
    "/api/v1/purposes": in_field,
    "/devices/": in_header,
    "/healthz/ready": in_metric,
    "/pause/": in_time,
    "/requests/": in_log_line,
}


def leaks(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path in LEAKS:
            valid = ConsentState.objects.filter(status=ConsentStatus.GIVEN.value).count()
            LEAKS[request.path](response, valid)
        return response

    return answer


PLANTED = {
    "petra /uses/ body",
    "petra /api/v1/purposes body",
    "petra /devices/ headers",
    "petra /healthz/ready body",
    "petra /pause/ time",
    "petra /requests/ log",
}


@pytest.mark.once
def test_r18_a_leak_in_a_page_a_field_a_header_a_metric_a_time_and_a_log_line_is_seen(
    world: World,  # noqa: F811
    settings: Settings,
) -> None:
    """Without this the tests above could pass by comparing nothing."""
    settings.MIDDLEWARE = [f"{__name__}.leaks", *settings.MIDDLEWARE]
    doors = [*LEAKS, "/", "/api/v1/applications"]
    one, other = (world(happens, ["petra"], paths=doors) for happens in (gives, refuses))
    assert set(differences(one, other)) == PLANTED


@pytest.mark.once
def test_r18_a_leak_around_a_choice_in_its_log_lines_or_in_a_mail_is_seen(
    world: World,  # noqa: F811
    settings: Settings,
) -> None:
    def told_by(status: ConsentStatus) -> Callable[[make.House], object]:
        def happens(nordhafen: make.House) -> object:
            make.decide(nordhafen, SECRET, CELLS, status)
            logging.getLogger("remit").info("decided", extra={"kind": status.value})
            return mail.send_mail("Somebody decided", status.value, None, ["hr@x.example"])

        return happens

    one, other = (
        world(told_by(status), ["petra"], paths=["/"])
        for status in (ConsentStatus.GIVEN, ConsentStatus.REFUSED)
    )
    place = "anyone around"
    assert set(differences(one, other)) == {f"{place} body", f"{place} log"}


@dataclass
class Life:
    """A way through the states: in each step one act, of one or several cells, or a pause."""

    draw: random.Random
    cells: Sequence[tuple[str, str, str]]
    states: dict[tuple[str, str, str], ConsentStatus] = field(default_factory=dict)
    paused: bool = False

    def act(self, nordhafen: make.House, name: str, now: datetime) -> None:
        """Let the person do the next thing; whatever it is, it writes one entry."""
        if self.draw.random() < PAUSES:
            do = rights.resume if self.paused else rights.pause
            do(subject=nordhafen.subject(name), actor=nordhafen.actor(name), now=now)
            self.paused = not self.paused
            return
        chosen = self.draw.sample(self.cells, self.draw.randint(1, len(self.cells)))
        for cell in chosen:
            self.states[cell] = self._next(self.states.get(cell))
        make.decide_each(nordhafen, name, {cell: self.states[cell] for cell in chosen}, now=now)

    def _next(self, status: ConsentStatus | None) -> ConsentStatus:
        if status is None:
            return self.draw.choice([ConsentStatus.GIVEN, ConsentStatus.REFUSED])
        valid = status is ConsentStatus.GIVEN
        return ConsentStatus.WITHDRAWN if valid else ConsentStatus.GIVEN


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.django_db
@pytest.mark.parametrize("number", range(GROUPS))
def test_r14_r18_many_pairs_of_worlds_look_alike(world: World, number: int) -> None:  # noqa: F811
    """Other people, other cells, other ways through the states: everybody asks everything.

    Each group is one person with as many acts in each world. The doors that turn somebody away
    are asked in its first pair.
    """
    draw = random.Random(number)
    secret = draw.choice([SECRET, "tariq", "lea", "jonas"])
    viewers = [name for name in EVERYBODY if name != secret]
    kinds = draw.sample([each.value for each in WITHOUT_PICTURES], draw.randint(2, 4))
    cells = [(purpose, make.DESK, kind) for purpose in make.PURPOSES for kind in kinds]
    length = draw.randint(1, 3)

    def lives(seed: float) -> Callable[[make.House], object]:
        def happens(nordhafen: make.House) -> object:
            life, start = Life(random.Random(seed), cells), timezone.now()
            for step in range(length):
                life.act(nordhafen, secret, start - timedelta(minutes=length - step))
            return nordhafen

        return happens

    # Each refusal is an entry: only worlds that were asked alike have logs alike.
    for pairs, whole in ((1, True), (PAIRS_A_GROUP - 1, False)):
        first, *others = (
            world(lives(draw.random()), viewers, whole=whole) for _ in range(pairs + 1)
        )
        for other in others:
            assert differences(first, other) == {}
