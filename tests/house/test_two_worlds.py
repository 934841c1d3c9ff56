"""Choice secrecy (R18): two worlds that differ in one person's choice look alike to all others.

`make test` asks every route as those whose answers could differ; `make soak` asks every route as
everybody, in 48 pairs of worlds.
"""

import json
import logging
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from pytest_django import Settings

from consent.models import ConsentState
from consent.status import ConsentStatus
from governance.policies.categories import WITHOUT_PICTURES
from tests import make
from tests.house.worlds import (  # noqa: F401
    CELLS,
    ROUTES,
    SECRET,
    Answers,
    World,
    differences,
    world,
)
from tests.standing import StandingHouse

PAIRS = 48


def gives(nordhafen: make.House) -> object:
    return make.decide(nordhafen, SECRET, CELLS)


def refuses(nordhafen: make.House) -> object:
    return make.decide(nordhafen, SECRET, CELLS, ConsentStatus.REFUSED)


def stays_silent(nordhafen: make.House) -> object:
    return nordhafen


_given: dict[int, Answers] = {}


def world_of_consent(world: World, house: StandingHouse) -> Answers:  # noqa: F811
    """Return the world in which carla said yes; two tests look at it, so a house is asked once."""
    if house.built not in _given:
        _given[house.built] = world(gives)
    return _given[house.built]


def test_r18_giving_and_refusing_look_alike_to_everyone_else(
    world: World,  # noqa: F811
    _standing_house: StandingHouse,  # noqa: PT019
) -> None:
    given = world_of_consent(world, _standing_house)
    assert {path for _, path in given} == {path for who, path in given if who == "petra"}
    assert len(ROUTES) > 90
    assert sum(seen.status == 200 for seen in given.values()) > 60
    assert not [key for key, seen in given.items() if seen.status >= 500 and seen.status != 503]
    assert differences(given, world(refuses)) == []


def test_r18_answering_and_staying_silent_look_alike_but_for_the_length_of_the_log(
    world: World,  # noqa: F811
    _standing_house: StandingHouse,  # noqa: PT019
) -> None:
    given = world_of_consent(world, _standing_house)
    assert differences(given, world(stays_silent), silent=True) == []


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


def test_r18_a_leak_in_a_page_a_field_a_header_a_metric_a_time_and_a_log_line_is_seen(
    world: World,  # noqa: F811
    settings: Settings,
) -> None:
    """Without this the tests above could pass by comparing nothing."""
    settings.MIDDLEWARE = [f"{__name__}.leaks", *settings.MIDDLEWARE]
    doors = [*LEAKS, "/", "/api/v1/applications"]
    one, other = (world(happens, ["petra"], paths=doors) for happens in (gives, refuses))
    assert set(differences(one, other)) == PLANTED


def sequence(of: random.Random, length: int) -> list[ConsentStatus]:
    """Return a way through the states in which every step changes something."""
    steps: list[ConsentStatus] = []
    for _ in range(length):
        valid = bool(steps) and steps[-1] is ConsentStatus.GIVEN
        first = not steps
        if valid:
            steps.append(ConsentStatus.WITHDRAWN)
        elif first and of.random() < 0.5:
            steps.append(ConsentStatus.REFUSED)
        else:
            steps.append(ConsentStatus.GIVEN)
    return steps


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.django_db
@pytest.mark.parametrize("number", range(PAIRS))
def test_r18_many_pairs_of_worlds_look_alike(world: World, number: int) -> None:  # noqa: F811
    """Another person, other cells, another way through the states: everybody asks everything."""
    draw = random.Random(number)
    secret = draw.choice([SECRET, "tariq", "lea", "jonas"])
    viewers = [name for name in ("petra", "ines", "wanda", "adam", "mira", None) if name != secret]
    categories = draw.sample([each.value for each in WITHOUT_PICTURES], draw.randint(1, 3))
    length = draw.randint(1, 3)
    ways = [sequence(random.Random(draw.random()), length) for _ in range(2)]

    def walks(way: list[ConsentStatus]) -> Callable[[make.House], object]:
        def happens(nordhafen: make.House) -> object:
            start = timezone.now() - timedelta(minutes=length)
            for minute, status in enumerate(way):
                make.decide(
                    nordhafen,
                    secret,
                    [(make.TRAIN, make.DESK, category) for category in categories],
                    status,
                    now=start + timedelta(minutes=minute),
                )
            return nordhafen

        return happens

    one, other = (world(walks(way), viewers, whole=True) for way in ways)
    assert differences(one, other) == []
