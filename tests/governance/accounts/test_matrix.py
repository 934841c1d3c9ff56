"""The one table of permissions: deny by default, and the lines that must never be crossed."""

import pytest

from governance.accounts import matrix
from governance.accounts.errors import MatrixError
from governance.accounts.matrix import Reach
from governance.accounts.roles import PERSON_ROLES, Role


@pytest.mark.parametrize("role", [*Role, "public", "internal", "manager", "", None])
def test_what_the_table_does_not_name_is_denied(role: str | None) -> None:
    assert not matrix.allowed(role, "audit.disable")
    assert not matrix.allowed(role, "consent.decide_for_another")
    assert not matrix.allowed(role, "")


def test_a_public_row_is_open_to_all_and_no_word_opens_another() -> None:
    assert all(matrix.allowed(role, "log.read") for role in (*Role, None))
    assert not matrix.allowed("public", "consent.decide")
    assert not matrix.allowed("manager", "purpose.read")


@pytest.mark.parametrize(
    "action",
    ["consent.read", "consent.decide", "capture.list", "capture.view", "access.read"],
)
def test_only_the_person_reads_their_consent_and_their_records(action: str) -> None:
    assert {role for role in PERSON_ROLES if matrix.allowed(role, action)} == {Role.EMPLOYEE}
    assert matrix.reach(Role.EMPLOYEE, action) is Reach.OWN


def test_who_approves_policies_writes_none_and_who_administers_reads_no_data() -> None:
    for action in ("policy.draft", "policy.submit", "policy.activate"):
        assert not matrix.allowed(Role.POLICY_APPROVER, action)
    for action in ("policy.approve", "policy.reject"):
        assert {role for role in PERSON_ROLES if matrix.allowed(role, action)} == {
            Role.POLICY_APPROVER
        }
    for action in ("request.create", "request.approve", "release.download", "log.search"):
        assert not matrix.allowed(Role.SERVICE_ADMIN, action)
    assert {role for role in PERSON_ROLES if matrix.allowed(role, "release.download")} == {
        Role.DATA_REQUESTER
    }


@pytest.mark.parametrize(
    "text",
    ['[a]\nb = { manager = "all" }', '[a]\nb = { auditor = "everything" }'],
)
def test_an_unknown_role_or_word_is_an_error(text: str) -> None:
    with pytest.raises(MatrixError):
        matrix.parse(text)
