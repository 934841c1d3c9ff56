"""The personnel directory provisions people, and takes them out again, over SCIM 2.0."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test import Client
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from audit.models import Entry
from consent.models import ConsentEvent
from governance.accounts import directory, selectors
from governance.accounts.models import Device, DirectoryToken, HeldSession, Person
from governance.accounts.roles import Role
from governance.api import scim_search
from governance.rights import employment
from tests import make

pytestmark = pytest.mark.django_db
BASE = "/api/v1/scim/v2"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def written(body: Any) -> bytes:
    if body is None:
        return b""
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


class Hr:
    """The directory, with its token."""

    def __init__(self, token: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.token = token

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"authorization": f"Bearer {self.token}"} | headers
        kind = "application/scim+json"
        return self.client.generic(
            method, f"{BASE}{path}", written(body), content_type=kind, headers=sent
        )

    def add(self, name: str, **more: Any) -> Any:
        body = {"schemas": [USER], "userName": name, "displayName": name.title(), "active": True}
        return self("POST", "/Users", body | more)

    def change(self, number: str, *operations: dict[str, Any], **headers: str) -> Any:
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return self("PATCH", f"/Users/{number}", body, **headers)


@pytest.fixture
def hr(db: None) -> Hr:
    return Hr(directory.issue_token(name="hr"))


def under(manager: str) -> dict[str, Any]:
    return {ENTERPRISE: {"department": "Freight", "manager": {"value": manager}}}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "active"},
        {"op": "replace", "path": "active", "value": None},
        {"op": "replace", "value": {"active": None}},
    ],
)
def test_nobody_is_neither_here_nor_gone(hr: Hr, operation: dict[str, Any]) -> None:
    number = hr.add("nils").json()["id"]
    answer = hr.change(number, operation)
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert hr("GET", f"/Users/{number}").json()["active"] is True


def test_a_person_is_added_read_found_and_changed(hr: Hr) -> None:
    petra = hr.add("petra").json()["id"]
    made = hr.add("nils", externalId="hr-7", **under(petra), emails=[{"value": "n@x.example"}])
    assert made.status_code == 201
    body = made.json()
    assert body["meta"]["version"] == made["ETag"]
    assert made["Location"].endswith(f"{BASE}/Users/{body['id']}")
    assert "emails" not in body
    nils = Person.objects.get(username="nils")
    assert (nils.external_id, nils.unit, str(nils.manager_id)) == ("hr-7", "Freight", petra)
    assert not nils.has_usable_password()
    found = hr("GET", '/Users?filter=userName eq "NILS"').json()
    assert [one["id"] for one in found["Resources"]] == [body["id"]]
    assert (
        hr("GET", '/Users?filter=externalId eq "hr-7" and active eq true').json()["totalResults"]
        == 1
    )
    assert hr("GET", "/Users?startIndex=2&count=1").json()["itemsPerPage"] == 1
    one = hr("GET", f"/Users/{body['id']}?attributes=userName").json()
    assert set(one) <= {"schemas", "id", "userName"}
    hr.change(body["id"], {"op": "replace", "path": "displayName", "value": "Nils N."})
    assert selectors.names_of([nils.subject_key]) == {nils.subject_key: "Nils N."}
    assert list(Entry.objects.order_by("id").values_list("event", flat=True))[-1] == (
        "account:changed"
    )


# How directories write that somebody has left: RFC 7644, Okta, Entra (three ways).
LEAVES = (
    {"op": "replace", "path": "active", "value": False},
    {"op": "replace", "value": {"active": False}},
    {"op": "Replace", "path": "active", "value": "False"},
    {"op": "replace", "value": {"active": "False"}},
    {"op": "Add", "path": "active", "value": False},
)


@pytest.mark.parametrize("operation", LEAVES, ids=str)
def test_each_way_of_writing_it_ends_the_account(hr: Hr, operation: dict[str, Any]) -> None:
    number = hr.add("nils").json()["id"]
    answer = hr.change(number, operation)
    assert answer.status_code == 200
    assert answer.json()["active"] is False
    assert not Person.objects.get(pk=number).is_active
    ended = Entry.objects.filter(event="account:ended")
    assert ended.count() == 1
    again = hr.change(number, operation)
    assert again["ETag"] == answer["ETag"]
    assert ended.count() == 1


def leave(hr: Hr, house: make.House, name: str) -> None:
    number = house.people[name].pk
    assert hr.change(str(number), LEAVES[0]).status_code == 200


def test_r75_leaving_ends_consents_sessions_devices_and_roles_at_once(
    nordhafen: make.House, hr: Hr, open_log: Callable[[], None]
) -> None:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    make.endpoint(nordhafen, "mira")
    subject = nordhafen.subject("mira")
    browser = Client()
    browser.post("/demo/persona/", {"persona": "mira"})
    assert browser.get("/consent/").status_code == 200
    leave(hr, nordhafen, "mira")
    last = ConsentEvent.objects.filter(record__subject=subject).order_by("id").last()
    assert last is not None
    assert last.status == "ConsentExpired"
    assert browser.get("/consent/").status_code == 302
    assert not HeldSession.objects.filter(subject=subject).exists()
    assert not Device.objects.filter(subject=subject, revoked_at=None).exists()
    assert selectors.roles_of(subject=subject) == []
    assert Client().post("/demo/persona/", {"persona": "mira"}).status_code == 302
    # Coming back brings the account, and no consent of before.
    hr.change(str(nordhafen.people["mira"].pk), {"op": "replace", "value": {"active": True}})
    assert selectors.roles_of(subject=subject) == [Role.EMPLOYEE]
    last.refresh_from_db()
    assert last.status == "ConsentExpired"


def test_r75_what_was_captured_is_ordered_to_be_erased(nordhafen: make.House, hr: Hr) -> None:
    from governance.rights.models import ErasureOrder

    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    leave(hr, nordhafen, "mira")
    order = ErasureOrder.objects.get(subject=nordhafen.subject("mira"))
    assert (order.reason, order.application) == ("employment-ended", make.DESK)


def test_r24_the_directory_s_line_decides_who_stands_above(nordhafen: make.House, hr: Hr) -> None:
    jonas, mira = nordhafen.people["jonas"], nordhafen.people["mira"]
    keys = {"manager": jonas.subject_key, "subject": mira.subject_key}
    assert not selectors.manages(**keys)
    for value in (str(jonas.pk), {"value": str(jonas.pk)}):
        operation = {"op": "replace", "path": f"{ENTERPRISE}:manager", "value": value}
        assert hr.change(str(mira.pk), operation).status_code == 200
        assert selectors.manages(**keys)
        hr.change(str(mira.pk), {"op": "remove", "path": f"{ENTERPRISE}:manager"})
        assert not selectors.manages(**keys)


def test_a_line_does_not_come_back_to_where_it_began(hr: Hr) -> None:
    first = hr.add("first").json()["id"]
    second = hr.add("second", **under(first)).json()["id"]
    operation = {"op": "add", "path": f"{ENTERPRISE}:manager.value", "value": second}
    refused = hr.change(first, operation)
    assert refused.status_code == 400
    assert refused.json()["scimType"] == "invalidValue"
    assert hr.add("third", **under("999999999")).status_code == 400


def test_removing_a_person_frees_the_name_and_keeps_the_row(hr: Hr) -> None:
    number = hr.add("nils", externalId="hr-7").json()["id"]
    assert hr("DELETE", f"/Users/{number}").status_code == 204
    for method in ("GET", "DELETE"):
        assert hr(method, f"/Users/{number}").status_code == 404
    assert hr("GET", "/Users").json()["totalResults"] == 0
    row = Person.objects.get(pk=number)
    assert (row.display_name, row.is_active, row.external_id) == ("Nils", False, None)
    assert hr.add("nils", externalId="hr-7").status_code == 201


def test_a_stale_change_is_refused(hr: Hr) -> None:
    made = hr.add("nils")
    number, tag = made.json()["id"], made["ETag"]
    operation = {"op": "replace", "path": "displayName", "value": "Nils N."}
    assert hr.change(number, operation, **{"if-match": tag}).status_code == 200
    stale = hr.change(number, operation | {"value": "N"}, **{"if-match": tag})
    assert (stale.status_code, stale.json()["schemas"]) == (412, [ERROR])
    assert hr("DELETE", f"/Users/{number}", **{"if-match": tag}).status_code == 412
    fresh = hr("GET", f"/Users/{number}")["ETag"]
    assert hr("GET", f"/Users/{number}", **{"if-none-match": fresh}).status_code == 304


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"schemas": [USER]}, "invalidValue"),
        ({"schemas": [USER], "userName": "  "}, "invalidValue"),
        ({"schemas": [USER], "userName": "nils"}, "invalidValue"),
        ({"schemas": [USER], "userName": "n" * 65, "displayName": "N"}, "invalidValue"),
        ({"schemas": [USER], "userName": 7}, "invalidValue"),
        ({"schemas": ["urn:other"], "userName": "nils"}, None),
        ([], "invalidSyntax"),
        ("{", "invalidSyntax"),
        ({"schemas": [USER], "userName": "nils", "x": [[[[[[[[[]]]]]]]]]}, "invalidSyntax"),
    ],
    ids=str,
)
def test_bad_input_is_a_clear_scim_error(hr: Hr, body: Any, kind: str | None) -> None:
    refused = hr("POST", "/Users", body)
    assert refused.status_code == 400, refused.content
    said = refused.json()
    assert said["schemas"] == [ERROR]
    assert said["status"] == "400"
    assert said["detail"]
    assert kind is None or said.get("scimType") == kind
    assert refused["Content-Type"].startswith("application/scim+json")


def test_bounds_and_conflicts(hr: Hr) -> None:
    number = hr.add("nils").json()["id"]
    assert hr.add("NILS").json()["scimType"] == "uniqueness"
    many = [{"op": "replace", "path": "displayName", "value": "N"}] * 51
    assert hr.change(number, *many).json()["scimType"] == "tooMany"
    assert hr("GET", f'/Users?filter=userName eq "{"n" * 2000}"').json()["scimType"] == (
        "invalidFilter"
    )
    assert hr("GET", "/Users?filter=userName xx 1").json()["scimType"] == "invalidFilter"
    assert hr("GET", "/Users?count=999999999").json()["itemsPerPage"] == 1
    assert hr("GET", f"/Users?startIndex={10**20}").json()["itemsPerPage"] == 0
    for escape in (r"\u0000", r"\ud800"):
        for name in ("userName", "externalId"):
            answer = hr("GET", f'/Users?filter={name} eq "{escape}"')
            assert (answer.status_code, answer.json()["totalResults"]) == (200, 0), escape
    assert hr("GET", "/Users/1234567890123456789012").status_code == 404
    assert hr("GET", "/Groups").status_code == 404
    assert hr("POST", "/Users", "x" * 300_000).status_code == 413


def test_the_token_opens_this_door_and_no_other(nordhafen: make.House, hr: Hr) -> None:
    kept = bytes(DirectoryToken.objects.get().mac)
    assert hr.token.encode() not in kept
    for token in ("", "guess", "ü"):
        refused = Hr(token)("GET", "/Users")
        assert refused.status_code == 401, token
        assert refused["WWW-Authenticate"].startswith("Bearer")
    sent = {"authorization": f"Bearer {hr.token}"}
    assert Client().get("/api/v1/me/consents", headers=sent).status_code == 401
    adam = Client()
    adam.force_login(nordhafen.people["adam"])
    assert adam.get(f"{BASE}/Users").status_code == 403
    call_command("directory_token", "hr", "--end")
    assert hr("GET", "/Users").status_code == 401
    with pytest.raises(CommandError):
        call_command("directory_token", "hr", "--end")


def test_a_change_made_from_an_older_copy_brings_nobody_back(hr: Hr) -> None:
    number = hr.add("nils").json()["id"]
    left = False

    def leave_after_reading(execute: Any, sql: str, *more: Any) -> Any:
        nonlocal left
        answer = execute(sql, *more)
        if not left and 'FROM "accounts_person"' in sql:
            left = True
            employment.end(number=int(number))
        return answer

    with connection.execute_wrapper(leave_after_reading):
        late = hr.change(number, {"op": "replace", "path": "displayName", "value": "Nils H."})
    assert left
    assert late.status_code == 412
    assert not Person.objects.get(pk=number).is_active


@pytest.mark.parametrize(
    "asked", ["(" * 900, "not (" * 150 + 'userName eq "a"' + ")" * 150, "emails[" * 120]
)
def test_a_filter_of_many_brackets_is_a_clear_error(hr: Hr, asked: str) -> None:
    assert hr("GET", f"/Users?filter={asked}").status_code in {200, 400}


def test_the_directory_cannot_tell_who_agreed(nordhafen: make.House, hr: Hr) -> None:
    def everything() -> list[Any]:
        paths = ("/Users", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig")
        return [hr("GET", path).content for path in paths]

    before = everything()
    make.decide(nordhafen, "tariq", [(make.TRAIN, make.DESK, "pointer")])
    assert everything() == before


def test_a_client_nobody_here_wrote_finds_nothing_to_complain_of(
    hr: Hr, kept_connections: None
) -> None:
    client = WSGISCIMClient(
        get_wsgi_application(),
        base_url=f"http://127.0.0.1{BASE}",
        environ={"HTTP_AUTHORIZATION": f"Bearer {hr.token}"},
    )
    results = check_server(client)
    wrong = [
        f"{one.title}: {one.reason}"
        for one in results
        # An account is open or it is not: to remove `active` says neither.
        if "remove attribute 'active'" not in str(one.reason)
        and one.status not in {Status.SUCCESS, Status.SKIPPED, Status.COMPLIANT, Status.ACCEPTABLE}
    ]
    assert wrong == [], "\n".join(wrong)
    assert len(results) > 20


def test_whoever_is_looked_up_is_found_by_index_among_many(
    hr: Hr, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Nils", "anna", "bert", "cora"):
        hr.add(name, externalId=f"hr-{name}")
    number = Person.objects.get(username="Nils").pk
    monkeypatch.setattr(scim_search, "MOST_READ", 2)
    for asked in (
        'userName eq "nILS"',
        'urn:ietf:params:scim:schemas:core:2.0:User:userName eq "nils"',
        'externalId eq "hr-Nils" and active eq true',
        f'id eq "{number}" or userName eq "nils"',
        '(userName eq "nils" or userName eq "nobody") and not (active eq false)',
    ):
        found = hr("GET", f"/Users?filter={quote(asked)}").json()
        assert [one["userName"] for one in found["Resources"]] == ["Nils"], asked
    for asked in ('externalId eq "hr-nils"', 'id eq "x"', f'id eq "{number}" and active eq false'):
        assert hr("GET", f"/Users?filter={quote(asked)}").json()["totalResults"] == 0
    for asked in ('userName sw "n"', 'userName eq "nils" or active eq true', "userName pr"):
        refused = hr("GET", f"/Users?filter={quote(asked)}")
        assert (refused.status_code, refused.json()["scimType"]) == (400, "tooMany"), asked
    # Without a filter nobody but the page is read.
    page = hr("GET", "/Users?count=2").json()
    assert (page["totalResults"], page["itemsPerPage"]) == (4, 2)


def test_a_look_up_by_name_uses_the_index(db: None) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # Few rows are read through; forbid it to see.
            cursor.execute("SET LOCAL enable_seqscan = off")
        plan = directory.people().order_by().filter(directory.named("nils")).explain()
    assert "accounts_person_name" in plan
