"""Nobody gets data by asking once, by approving themselves, or for what is prohibited."""

import pytest
from django.db import IntegrityError, connection, transaction

from audit.actions import Action
from audit.actors import Actor
from audit.models import Entry
from governance import authorizer
from governance.accounts.roles import Role
from governance.capture import approvals
from governance.policies.errors import PurposeProhibitedError, UnknownPurposeError
from governance.releases import selectors, services
from governance.releases.errors import (
    FourEyesError,
    RequestContentError,
    RequestNotFoundError,
    RequestStateError,
)
from governance.releases.models import AccessApproval, AccessRequest, DatasetRelease
from governance.releases.states import RequestState
from tests import make
from tests.governance.releases.conftest import Office


def test_two_people_approve_in_order_and_only_then_the_gate_knows_the_purpose(
    office: Office,
) -> None:
    house = office.house
    asked = office.ask()
    assert approvals.approved_purposes(house.jonas.key) == set()
    with pytest.raises(FourEyesError):
        services.approve(request_id=asked.id, actor=house.lea)
    services.approve(request_id=asked.id, actor=house.ines)
    assert approvals.approved_purposes(house.jonas.key) == set()
    assert not DatasetRelease.objects.exists()
    with pytest.raises(FourEyesError):
        services.approve(request_id=asked.id, actor=house.ines)
    services.approve(request_id=asked.id, actor=house.lea)
    assert approvals.approved_purposes(house.jonas.key) == {make.TRAIN}
    assert approvals.approved_purposes(house.ines.key) == set()
    view = selectors.request(request_id=asked.id, reader=house.jonas)
    assert view.state is RequestState.APPROVED
    assert [one.role for one in view.approvals] == ["privacy_officer", "policy_approver"]
    with pytest.raises(RequestStateError):
        services.approve(request_id=asked.id, actor=house.lea)


def test_who_asked_approves_nothing_whatever_office_they_claim(office: Office) -> None:
    asked = office.ask()
    jonas = office.subject("jonas")
    for actor in (
        Actor(jonas, Role.PRIVACY_OFFICER.value),
        Actor(jonas, Role.DATA_REQUESTER.value),
        Actor(office.subject("petra"), Role.PRIVACY_OFFICER.value),
        Actor(office.subject("ines"), Role.EMPLOYEE.value),
    ):
        with pytest.raises(FourEyesError):
            services.approve(request_id=asked.id, actor=actor)
    assert not AccessApproval.objects.exists()


@pytest.mark.parametrize("approver", ["jonas", "ines"])
def test_the_database_itself_refuses_an_approval_by_the_requester_or_twice_by_one(
    office: Office, approver: str
) -> None:
    asked = office.ask()
    services.approve(request_id=asked.id, actor=office.house.ines)
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessApproval.objects.create(
            request=asked,
            requester=asked.requester,
            approver=office.subject(approver),
            role="policy_approver",
            at=asked.requested_at,
            entry=asked.entry,
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessApproval.objects.create(
            request=asked,
            requester="somebody else, so that the check compares with a lie",
            approver=asked.requester,
            role="policy_approver",
            at=asked.requested_at,
            entry=asked.entry,
        )


def test_rows_are_never_changed_or_removed(office: Office) -> None:
    office.ask()
    for statement in (
        "UPDATE releases_access_request SET purpose = 'x'",
        "DELETE FROM releases_request_step",
    ):
        with (
            authorizer.lifted(connection),
            pytest.raises(IntegrityError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_a_prohibited_purpose_is_refused_and_the_refusal_is_an_entry(office: Office) -> None:
    for purpose in ("performance-evaluation", "promotion", "team-productivity"):
        with pytest.raises(PurposeProhibitedError):
            office.ask(purpose=purpose)
        entry = Entry.objects.order_by("-id").first()
        assert entry is not None
        assert (entry.event, entry.verdict, entry.act) == (Action.ACCESS_DENIED, "deny", "request")
    assert not AccessRequest.objects.exists()


def test_a_request_for_nothing_known_is_refused(office: Office) -> None:
    with pytest.raises(UnknownPurposeError):
        office.ask(purpose="something-else")
    for wish in (
        services.Wish(make.TRAIN, [], ["pointer"], "why"),
        services.Wish(make.TRAIN, ["nowhere"], ["pointer"], "why"),
        services.Wish(make.TRAIN, [make.DESK], ["screenshot"], "why"),
        services.Wish(make.TRAIN, [make.DESK], ["pointer"], "  "),
    ):
        with pytest.raises(RequestContentError):
            services.request_access(wish=wish, actor=office.house.jonas)


def test_a_no_ends_it_and_says_why_to_who_asked(office: Office) -> None:
    asked = office.ask()
    with pytest.raises(FourEyesError):
        services.reject(request_id=asked.id, actor=office.house.jonas, reason="x")
    services.reject(request_id=asked.id, actor=office.house.ines, reason="Too broad.")
    view = selectors.request(request_id=asked.id, reader=office.house.jonas)
    assert (view.state, view.note) == (RequestState.REJECTED, "Too broad.")
    for actor in (office.house.ines, office.house.lea):
        with pytest.raises(RequestStateError):
            services.approve(request_id=asked.id, actor=actor)


def test_requests_are_seen_by_who_asked_and_by_the_offices(office: Office) -> None:
    asked = office.ask()
    house = office.house
    for reader in (house.jonas, house.ines, house.lea):
        assert [one.id for one in selectors.requests(reader=reader)] == [asked.id]
    for reader in (house.actor("mira"), house.actor("mira", Role.DATA_REQUESTER)):
        assert selectors.requests(reader=reader) == []
        with pytest.raises(RequestNotFoundError):
            selectors.request(request_id=asked.id, reader=reader)
