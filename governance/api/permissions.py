"""Who may knock at a door of the API. Deny by default; the matrix decides; refusals are entries.

This module is named in DEFAULT_PERMISSION_CLASSES and so must not import `rest_framework.views`.
"""

from typing import TYPE_CHECKING, Final

from rest_framework.permissions import BasePermission

from audit import journal
from audit.actions import Action, Verdict
from governance.accounts import matrix
from governance.accounts.errors import ConfirmationRequiredError
from governance.api.device_authentication import DevicePrincipal
from governance.web import proof
from governance.web.doors import Visitor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request
    from rest_framework.views import APIView

_READS: Final = {"HEAD": "GET"}


class Nobody(BasePermission):
    """The default: a view that names no permission is closed."""

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        del request, view
        return False


class Anyone(BasePermission):
    """Open to all; for the few doors the matrix calls public and for those that sign."""

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        del request, view
        return True


class IsDevice(BasePermission):
    """An enrolled device that signed the request."""

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        del view
        return isinstance(request.user, DevicePrincipal)


class ByMatrix(BasePermission):
    """The active role may do the view's `action_name`: one name, or one for each method."""

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        action = action_of(view, request.method or "")
        visitor = request.user if isinstance(request.user, Visitor) else None
        if action is None:
            return False
        if matrix.allowed(visitor.role if visitor else None, action):
            if proof.is_missing(request._request, action):  # noqa: SLF001 - the pages' own question.
                raise ConfirmationRequiredError("Confirm by a passkey or a code, then send again.")
            return True
        if visitor is not None:
            _write_down(request, visitor, action)
        return False


def action_of(view: object, method: str) -> str | None:
    """Return the matrix action a method of a view needs, or None: the method has no door."""
    named: str | Mapping[str, str] = getattr(view, "action_name", {})
    if isinstance(named, str):
        return named
    return named.get(_READS.get(method, method))


def _write_down(request: "Request", visitor: Visitor, action: str) -> None:
    entry = journal.append_now(
        Action.ACCESS_DENIED,
        actor=visitor.actor,
        verdict=Verdict.DENY,
        act=action,
        private={"reason": "role"},
        request_id=visitor.request_id,
    )
    request.META["remit.entry"] = entry.header
