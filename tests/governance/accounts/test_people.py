"""People and roles: one subject key, one office, nobody promotes themselves."""

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from audit.actors import Actor
from audit.models import Entry
from governance.accounts import selectors, services
from governance.accounts.errors import (
    RoleConflictError,
    RoleNotHeldError,
    UnknownPersonError,
    UsernameTakenError,
)
from governance.accounts.models import Person, RoleAssignment
from governance.accounts.roles import OFFICES, Role

pytestmark = pytest.mark.django_db
SEED = Actor.system("seed")


def person(username: str, manager: str | None = None) -> str:
    made = services.create_person(
        username=username, display_name=username.title(), actor=SEED, manager=manager
    )
    return made.subject_key


def test_a_new_person_is_an_employee_and_both_facts_are_entries() -> None:
    mira = person("mira")
    assert selectors.roles_of(subject=mira) == [Role.EMPLOYEE]
    assert list(Entry.objects.order_by("id").values_list("event", flat=True)) == [
        "account:created",
        "role:assigned",
    ]
    found = selectors.person_by_subject(mira)
    assert found is not None
    assert not found.has_usable_password()
    with pytest.raises(UsernameTakenError):
        person("mira")
    with pytest.raises(UnknownPersonError):
        person("tariq", manager="nobody")


def test_nothing_on_the_row_tells_working_time_or_gives_power() -> None:
    columns = {field.name for field in get_user_model()._meta.get_fields()}
    assert not columns & {"last_login", "is_staff", "is_superuser", "groups", "user_permissions"}


def test_a_person_holds_one_office_at_most_and_ending_it_frees_them() -> None:
    ines = person("ines")
    services.assign_role(subject=ines, role=Role.PRIVACY_OFFICER, actor=SEED)
    for office in OFFICES:
        with pytest.raises(RoleConflictError):
            services.assign_role(subject=ines, role=office, actor=SEED)
    with pytest.raises(RoleNotHeldError):
        services.end_role(subject=ines, role=Role.AUDITOR, actor=SEED)
    services.end_role(subject=ines, role=Role.PRIVACY_OFFICER, actor=SEED)
    services.assign_role(subject=ines, role=Role.AUDITOR, actor=SEED)
    assert selectors.roles_of(subject=ines) == [Role.EMPLOYEE, Role.AUDITOR]


def test_nobody_gives_a_role_to_themselves_and_nobody_is_an_agent() -> None:
    adam = person("adam")
    services.assign_role(subject=adam, role=Role.SERVICE_ADMIN, actor=SEED)
    with pytest.raises(RoleConflictError):
        services.assign_role(
            subject=adam, role=Role.EMPLOYEE, actor=Actor(adam, Role.SERVICE_ADMIN)
        )
    mira = person("mira")
    services.assign_role(subject=mira, role=Role.AUDITOR, actor=Actor(adam, Role.SERVICE_ADMIN))
    with pytest.raises(RoleConflictError):
        services.assign_role(subject=mira, role=Role.CAPTURE_AGENT, actor=SEED)


@pytest.mark.parametrize("role", ["data_requester", "capture_agent", "manager"])
def test_the_database_itself_refuses_a_second_office_and_unknown_roles(role: str) -> None:
    lea = person("lea")
    first = services.assign_role(subject=lea, role=Role.POLICY_APPROVER, actor=SEED)
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleAssignment.objects.create(
            person=first.person, role=role, assigned_at=first.assigned_at, entry=first.entry
        )


def test_the_database_refuses_a_person_without_an_entry() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.create(username="ghost", display_name="Ghost", subject_key="g" * 36)


def test_who_left_holds_no_role() -> None:
    mira = person("mira")
    Person.objects.filter(subject_key=mira).update(is_active=False)
    assert selectors.roles_of(subject=mira) == []
    assert selectors.active_subjects() == []
    assert [name for name, _ in selectors.directory()] == ["Mira"]


def test_the_chain_of_managers_is_followed_to_its_top_and_survives_a_ring() -> None:
    top = person("top")
    petra = person("petra", manager=top)
    mira = person("mira", manager=petra)
    assert selectors.manages(manager=petra, subject=mira)
    assert selectors.manages(manager=top, subject=mira)
    assert not selectors.manages(manager=mira, subject=petra)
    assert selectors.all_reports(manager=top) == {petra, mira}
    below = Person.objects.get(subject_key=mira)
    Person.objects.filter(subject_key=top).update(manager=below)
    assert selectors.chain_above(subject=mira) == [petra, top, mira]
    assert selectors.all_reports(manager=top) == {petra, mira}
