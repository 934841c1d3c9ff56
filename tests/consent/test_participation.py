"""The rule for figures about participation, and what somebody could prove from them: nothing.

The simulation plays companies through twelve weeks. The adversary knows the roster, each
publication and who acted when, and asks of each person whether any other world explains all that
he saw.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from consent.participation import Published, band, publish

RUNS = 30
WEEKS = 12
CHANGES = 0.01  # Of all people, in a week.
COMPANIONS = 60
PARTIES = 300

Figures = Callable[[list[list[bool]], "Company"], object]


@dataclass
class Company:
    """Who agreed in each week, and in which weeks each person acted."""

    agreed: list[list[bool]]
    acted: list[frozenset[int]]
    teams: list[int]


def company(draw: random.Random, people: int = 0) -> Company:
    people = people or draw.randint(25, 250)
    share = draw.uniform(0.1, 0.9)
    now = [draw.random() < share for _ in range(people)]
    agreed: list[list[bool]] = []
    acted: list[set[int]] = [set() for _ in range(people)]
    for week in range(WEEKS):
        for person in range(people):
            if draw.random() < CHANGES:
                now[person] = not now[person]
                acted[person].add(week)
        agreed.append(list(now))
    teams = [draw.randrange(max(1, people // 10)) for _ in range(people)]
    return Company(agreed, [frozenset(weeks) for weeks in acted], teams)


def by_the_rule(agreed: list[list[bool]], world: Company) -> object:
    stands: Published | None = None
    since = 0
    told = []
    for week in range(0, WEEKS, 4):
        acted = sum(any(since < at <= week for at in acts) for acts in world.acted)
        following = publish(stands, agreed=sum(agreed[week]), people=len(agreed[week]), acted=acted)
        since = week if following is not stands else since
        stands = following
        told.append(stands.band)
    return told


def by_counts(agreed: list[list[bool]], world: Company) -> object:
    """Exact counts of each team with five or more on it, as a dashboard has them."""
    sizes = Counter(world.teams)
    told = []
    for week in agreed:
        counts = Counter(team for is_yes, team in zip(week, world.teams, strict=True) if is_yes)
        told.append({team: counts[team] for team, size in sizes.items() if size >= 5})
    return told


def turned(world: Company, since: Mapping[int, int]) -> list[list[bool]]:
    """Return the world in which these people chose the opposite from a week on."""
    return [
        [
            is_yes != (person in since and since[person] <= week)
            for person, is_yes in enumerate(answers)
        ]
        for week, answers in enumerate(world.agreed)
    ]


def others_than(world: Company, person: int) -> Iterator[dict[int, int]]:
    """Yield worlds in which somebody's last choice is the opposite and nobody acted otherwise.

    A choice may have been another one from any act on, or all along; somebody else's with it.
    """
    last = world.agreed[-1]
    others = [one for one in range(len(last)) if last[one] != last[person]]
    others.sort(key=lambda one: len(world.acted[one] ^ world.acted[person]))
    for week in (0, *sorted(world.acted[person])):
        yield {person: week}
        for one in others[:COMPANIONS]:
            for from_week in (0, *sorted(world.acted[one])):
                yield {person: week, one: from_week}
    draw = random.Random(person)
    everybody = [one for one in range(len(last)) if one != person]
    for _ in range(PARTIES):
        party = [person, *draw.sample(everybody, draw.randint(2, 5))]
        yield {one: draw.choice((0, *sorted(world.acted[one]))) for one in party}


def exposed(world: Company, figures: Figures) -> int:
    """Count the people whose choice no other world leaves open."""
    seen = figures(world.agreed, world)
    return sum(
        not any(
            figures(turned(world, since), world) == seen for since in others_than(world, person)
        )
        for person in range(len(world.acted))
    )


def test_r19_what_is_published_proves_nobodys_choice() -> None:
    draw = random.Random(19)
    for _ in range(RUNS):
        world = company(draw)
        assert exposed(world, by_the_rule) == 0


def test_exact_counts_of_teams_prove_the_choices_of_many() -> None:
    """Without this the simulation could pass by finding nothing anywhere."""
    draw = random.Random(19)
    worlds = [company(draw, people=40) for _ in range(6)]
    assert sum(exposed(world, by_counts) for world in worlds) >= 5


@pytest.mark.parametrize(
    ("agreed", "people", "shown"),
    [
        (10, 19, None),
        (4, 40, None),
        (36, 40, None),
        (5, 100, "<20%"),
        (20, 100, "20-29%"),
        (29, 100, "20-29%"),
        (79, 100, "70-79%"),
        (80, 100, ">=80%"),
        (95, 100, ">=80%"),
        (96, 100, None),
    ],
)
def test_a_figure_is_a_band_or_none(agreed: int, people: int, shown: str | None) -> None:
    assert band(agreed=agreed, people=people) == shown


def test_a_figure_stays_until_five_people_moved_and_ten_acted() -> None:
    first = publish(None, agreed=29, people=100, acted=0)
    assert publish(first, agreed=33, people=100, acted=50) is first
    assert publish(first, agreed=34, people=100, acted=9) is first
    assert publish(first, agreed=34, people=100, acted=10).band == "30-39%"
    none = publish(None, agreed=4, people=100, acted=0)
    assert publish(none, agreed=8, people=100, acted=50).band is None
