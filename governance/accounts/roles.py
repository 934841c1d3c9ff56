"""The roles of the house. One is active in a session; nobody holds two offices; no role sees all.

There is no manager role: leading people gives no right over what is known about them.
"""

from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Role(StrEnum):
    """Who acts. The words are public: they stand in log entries and in the access matrix."""

    EMPLOYEE = "employee"
    PRIVACY_OFFICER = "privacy_officer"
    POLICY_APPROVER = "policy_approver"
    AUDITOR = "auditor"
    DATA_REQUESTER = "data_requester"
    SERVICE_ADMIN = "service_admin"
    CAPTURE_AGENT = "capture_agent"


# What a person may be beside an employee: one of these at most (security.md §5.1).
OFFICES = (
    Role.PRIVACY_OFFICER,
    Role.POLICY_APPROVER,
    Role.AUDITOR,
    Role.DATA_REQUESTER,
    Role.SERVICE_ADMIN,
)

# The roles a person's session may carry; devices sign their requests instead.
PERSON_ROLES = (Role.EMPLOYEE, *OFFICES)

ROLE_WORDS: dict[Role, Promise] = {
    Role.EMPLOYEE: _("Employee"),
    Role.PRIVACY_OFFICER: _("Privacy officer"),
    Role.POLICY_APPROVER: _("Policy approver"),
    Role.AUDITOR: _("Auditor"),
    Role.DATA_REQUESTER: _("Data requester"),
    Role.SERVICE_ADMIN: _("Service admin"),
    Role.CAPTURE_AGENT: _("Capture agent"),
}
