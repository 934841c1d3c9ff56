"""The doors of the pages: they ask who is here, in which role, and whether that role may.

Promises: no page without a named permission; the permission is a row of the access matrix, which
denies what it does not name; a refused door is an audit entry; the role is one at a time and is
checked against the table of assignments on each request, so a role taken away ends at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Final, TypeAlias, TypeVar
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import activate, get_language

from audit import journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from governance.accounts import matrix, selectors
from governance.accounts.roles import Role
from governance.web import failures, proof

Answer = TypeVar("Answer", bound=HttpResponseBase)

ROLE_IN_SESSION: Final = "role"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person in one of their roles."""

    subject: str
    name: str
    language: str
    role: Role
    roles: tuple[Role, ...]
    request_id: UUID | None

    @property
    def actor(self) -> Actor:
        """The same person as the log names them."""
        return Actor(self.subject, str(self.role))

    def may(self, action: str) -> bool:
        """Tell whether the active role may do this, so that pages offer no dead control."""
        return matrix.allowed(self.role, action)


def visitor_of(request: HttpRequest) -> Visitor | None:
    """Return who is here, or None. The active role falls back to employee when it was revoked."""
    user = request.user
    if not user.is_authenticated or not user.is_active:
        return None
    roles = tuple(selectors.roles_of(subject=user.subject_key))
    if any(role is not Role.EMPLOYEE for role in roles) and proof.is_idle(request):
        return None
    chosen = request.session.get(ROLE_IN_SESSION, "")
    role = Role(chosen) if chosen in roles else Role.EMPLOYEE
    return Visitor(
        subject=user.subject_key,
        name=user.display_name,
        language=user.language or get_language() or settings.LANGUAGE_CODE,
        role=role,
        roles=roles,
        request_id=request.META.get("remit.request_id"),
    )


def speak(visitor: Visitor) -> None:
    """Answer in the language that the person chose, wherever they chose it; else the browser's."""
    if visitor.language in dict(settings.LANGUAGES):
        activate(visitor.language)


Page: TypeAlias = Callable[Concatenate[HttpRequest, Visitor, ...], HttpResponseBase]


def page(action: str) -> Callable[[Page], Callable[..., HttpResponseBase]]:
    """Open a view only to a signed-in person whose active role may do `action`."""

    def decorate(view: Page) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ANN401
            visitor = visitor_of(request)
            if visitor is None:
                return _to_sign_in(request)
            speak(visitor)
            if not visitor.may(action):
                return refuse(request, visitor, action)
            if proof.is_missing(request, action):
                return _to_proof(request)
            return view(request, visitor, *args, **kwargs)

        door.action = action  # type: ignore[attr-defined]  # Read by tests/house/test_doors.py.
        return door

    return decorate


def public(view: Callable[..., Answer]) -> Callable[..., Answer]:
    """Mark a view as open to anyone, so that an unmarked one is a mistake a test finds."""
    view.action = "public"  # type: ignore[attr-defined]  # Read by tests/house/test_doors.py.
    return view


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    target = request.get_full_path() if request.method == "GET" else "/"
    return HttpResponseRedirect(f"{settings.LOGIN_URL}?{urlencode({'next': target})}")


def _to_proof(request: HttpRequest) -> HttpResponse:
    """Ask for a second factor, and lead back to the page that the form stood on."""
    came = urlsplit(request.headers.get("Referer", ""))
    back = came.path if came.netloc == request.get_host() else "/office/"
    query = urlencode({"next": back, "factor": "1"})
    return HttpResponseRedirect(f"/account/confirm/?{query}")


def refuse(request: HttpRequest, visitor: Visitor, action: str) -> HttpResponse:
    """Answer an act that the active role may not do; the refusal is an entry first.

    Also for views whose page is open to more roles than what is sent to it.
    """
    journal.append_now(
        Action.ACCESS_DENIED,
        actor=visitor.actor,
        verdict=Verdict.DENY,
        act=action,
        private={"reason": "role"},
        request_id=visitor.request_id,
    )
    return failures.forbidden(request)
