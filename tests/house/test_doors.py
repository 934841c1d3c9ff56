"""Every door, tried by everybody: the URL resolver crossed with methods and roles.

`doors.toml` holds the expected status of each, one line a door. A door without a line fails, a line
without a door fails, and the lines themselves must agree with the access matrix: who may not is
turned away (401 or 302, then 403), who may is not.
"""

import copy
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from audit.actors import Actor
from governance.accounts import services
from governance.accounts.models import Person
from governance.accounts.roles import OFFICES, PERSON_ROLES, Role

HERE = Path(__file__).parent
TABLE: dict[str, str] = tomllib.loads((HERE / "doors.toml").read_text(encoding="utf-8"))["doors"]
MATRIX = tomllib.loads(
    (HERE.parents[1] / "governance/accounts/access_matrix.toml").read_text(encoding="utf-8")
)
COLUMNS: tuple[Role | None, ...] = (None, *PERSON_ROLES)
SAMPLES = {
    "uuid": "01932f00-0000-7000-8000-000000000001",
    "int": "1",
    "slug": "nothing",
    "str": "nothing",
    "path": "nothing",
}
TURNED_AWAY = {"401", "403"}


@dataclass(frozen=True, slots=True)
class Door:
    """One address and one method; `action` is the matrix row it asks for, or "public"."""

    method: str
    address: str
    action: str | None

    @property
    def key(self) -> str:
        return f"{self.method} {self.address}"

    @property
    def target(self) -> str:
        return re.sub(r"<(\w+):\w+>", lambda kind: SAMPLES[kind[1]], self.address)


def walk(patterns: list[Any], prefix: str = "/") -> Iterator[tuple[str, Any]]:
    for each in patterns:
        address = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from walk(each.url_patterns, address)
        elif isinstance(each, URLPattern):
            yield address, each.callback


def doors() -> list[Door]:
    found: dict[str, Door] = {}
    for address, view in walk(get_resolver().url_patterns):
        for method, action in openings(view):
            door = Door(method, address, action)
            found.setdefault(door.key, door)
    return sorted(found.values(), key=lambda door: (door.address, door.method))


def openings(view: Any) -> list[tuple[str, str | None]]:
    """Return the methods of a view with the action each needs; pages are tried with both."""
    kind = getattr(view, "cls", None)
    if kind is None:
        return [(method, getattr(view, "action", None)) for method in ("GET", "POST")]
    named = getattr(kind, "action_name", None)
    return [
        (
            method.upper(),
            named if named is None or isinstance(named, str) else named[method.upper()],
        )
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(kind, method)
    ]


DOORS = doors()


@pytest.fixture
def staff(db: None) -> dict[Role, Person]:
    """One person a role."""
    seed = Actor.system("seed")
    people: dict[Role, Person] = {}
    for role in PERSON_ROLES:
        people[role] = services.create_person(
            username=role.value, display_name=role.value, actor=seed
        )
        if role in OFFICES:
            services.assign_role(subject=people[role].subject_key, role=role, actor=seed)
    return people


@pytest.fixture
def visitors(staff: dict[Role, Person]) -> dict[Role | None, Client]:
    """One browser a role, signed in, and one of a stranger."""
    visitors: dict[Role | None, Client] = {None: Client(raise_request_exception=False)}
    for role, person in staff.items():
        client = visitors[role] = Client(raise_request_exception=False)
        client.force_login(person)
        session = client.session
        session["role"] = role
        session.save()
    return visitors


def knock(door: Door, client: Client) -> str:
    """Send an empty request and undo what it did, in the database and in the browser."""
    kept = copy.deepcopy(client.cookies)
    saved = {alias: transaction.savepoint(using=alias) for alias in ("default", "keys")}
    try:
        answer = client.generic(
            door.method, door.target, b"" if door.method == "GET" else b"{}", "application/json"
        )
        if answer.streaming:  # Read to its end: closing it by hand would close the connection.
            b"".join(answer.streaming_content)  # type: ignore[attr-defined]  # It streams.
        return str(answer.status_code)
    finally:
        client.cookies = kept
        for alias, point in saved.items():
            transaction.savepoint_rollback(point, using=alias)


def test_the_walk_finds_the_house() -> None:
    assert len(DOORS) > 60
    assert {"GET /api/v1/purposes", "POST /sign-in/", "GET /healthz/live"} <= {
        door.key for door in DOORS
    }


def test_no_line_names_a_door_that_is_gone() -> None:
    assert TABLE.keys() - {door.key for door in DOORS} == set()


@pytest.mark.once
@pytest.mark.django_db
def test_each_door_answers_each_role_as_the_table_says(
    visitors: dict[Role | None, Client],
) -> None:
    said = {door.key: " ".join(knock(door, visitors[role]) for role in COLUMNS) for door in DOORS}
    assert [key for key, statuses in said.items() if "500" in statuses] == []
    wrong = [f'"{key}" = "{said[key]}"' for key in said if TABLE.get(key) != said[key]]
    assert wrong == [], "Check each line, then write it into doors.toml:\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    "door",
    [door for door in DOORS if door.action not in {None, "public"} and door.key in TABLE],
    ids=lambda door: door.key,
)
def test_the_table_agrees_with_the_access_matrix(door: Door) -> None:
    resource, _, action = str(door.action).partition(".")
    allowed = MATRIX[resource][action]
    for role, status in zip(COLUMNS, TABLE[door.key].split(), strict=True):
        # A page that many may read and few may change asks again before it changes.
        asks_again = action == "read" and door.method == "POST" and status == "403"
        if status == "405" or asks_again:
            continue
        if "public" in allowed or (role is not None and role in allowed):
            assert status not in TURNED_AWAY, f"{role} may {door.action}, but gets {status}"
        elif role is None:
            assert status in {"401", "302"}, f"Nobody may {door.action}, but gets {status}"
        else:
            assert status == "403", f"{role} may not {door.action}, but gets {status}"


def test_a_door_without_an_action_is_open_on_purpose() -> None:
    """Agents sign instead of signing in; everything else names its row of the matrix."""
    unnamed = {door.key for door in DOORS if door.action is None}
    assert all(" /api/v1/agent/" in key or key.endswith(" /api/v1/schema") for key in unnamed), (
        unnamed
    )
