"""Signing in, changing the active role, signing out. Each start and each refusal is an entry."""

from typing import TYPE_CHECKING, Final, cast

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.conf import settings
from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST

from audit import journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from governance.accounts import selectors
from governance.accounts import sessions as held
from governance.accounts import sign_in as passwords
from governance.accounts.errors import TooManyAttemptsError, UnknownPersonError
from governance.accounts.roles import Role
from governance.web import doors, freshness, personas, source, ways_in
from governance.web.preferences import remember_language

if TYPE_CHECKING:
    from audit.models import Entry
    from governance.accounts.models import Person

HOMES: Final[dict[Role, str]] = {Role.EMPLOYEE: "/"}
OFFICE: Final = "/office/"
_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"


def home_of(role: Role) -> str:
    """Return the first page of a role."""
    return HOMES.get(role, OFFICE)


def begin(
    request: HttpRequest, *, subject: str, role: Role | None = None, way: str = "password"
) -> Role:
    """Start a session for a person in one role; the entry is committed before the session is.

    Without a wish, the role is the person's office when there is one, else employee. `way` says
    by what they came in.
    """
    person = _person(subject)
    role = _role_for(subject, role)
    entry = _write_down(request, subject, role)
    before = request.session.session_key or ""
    login(request, person, backend=_BACKEND)
    request.session.cycle_key()
    held.forget(session_key=before)
    request.session.set_expiry(None)
    request.session[doors.ROLE_IN_SESSION] = str(role)
    freshness.note(request, way=way)
    request.session.save()
    known = source.vouch(request, username=person.username)
    held.keep(
        subject=subject,
        session_key=request.session.session_key or "",
        computer=known.mark,
        label=source.label_of(request),
        way=way,
        entry=entry,
    )
    return role


def act_as(request: HttpRequest, *, subject: str, role: Role) -> None:
    """Go on with the session in another role of the same person, under a fresh key."""
    _write_down(request, subject, role)
    before = request.session.session_key or ""
    request.session.cycle_key()
    request.session[doors.ROLE_IN_SESSION] = str(role)
    request.session.save()
    held.move(old_key=before, new_key=request.session.session_key or "")


def _person(subject: str) -> "Person":
    person = selectors.person_by_subject(subject)
    if person is None:
        raise UnknownPersonError("Nobody has this subject key.")
    return person


def _role_for(subject: str, wished: Role | None) -> Role:
    roles = selectors.roles_of(subject=subject)
    if wished is not None and wished in roles:
        return wished
    return next((each for each in roles if each is not Role.EMPLOYEE), Role.EMPLOYEE)


def _write_down(request: HttpRequest, subject: str, role: Role) -> "Entry":
    entry = journal.append_now(
        Action.SESSION_STARTED,
        actor=Actor(subject, str(role)),
        verdict=Verdict.ALLOW,
        request_id=request.META.get("remit.request_id"),
    )
    request.META["remit.entry"] = entry.header  # The API names it in its answer.
    return entry


def leave(request: HttpRequest) -> None:
    """End the session on the server, not only in the browser."""
    if key := request.session.session_key:
        held.forget(session_key=key)
    logout(request)


def entered(request: HttpRequest, person: "Person", *, wished: str) -> HttpResponse:
    """Lead on to the wished page when it is one of ours, else to the first page of the role."""
    if wished in {"", "/"} or not url_has_allowed_host_and_scheme(wished, allowed_hosts=None):
        wished = home_of(Role(request.session[doors.ROLE_IN_SESSION]))
    response = HttpResponseRedirect(wished)
    remember_language(response, person.language)
    return response


@doors.public
@ensure_csrf_cookie
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the ways in, or take a password; who has a second factor is asked for it next."""
    if request.method == "GET":
        return ways_in.ask(request)
    if not settings.REMIT_PASSWORD_LOGIN:
        raise Http404
    username = request.POST.get("username", "")
    try:
        person = passwords.verify(
            username=username,
            password=request.POST.get("password", ""),
            source=source.source_of(request, username=username),
        )
    except TooManyAttemptsError as error:
        ways_in.refuse(request)
        wait = ways_in.ask(request, error=ways_in.waiting(error), status=ways_in.TOO_MANY)
        return ways_in.later(wait, error)
    if person is None:
        ways_in.refuse(request)
        wrong = _("User name and password do not belong together.")
        return ways_in.ask(request, error=wrong, status=ways_in.UNPROCESSABLE)
    return go_on(request, person, method="password", wished=request.POST.get("next", ""))


def go_on(request: HttpRequest, person: "Person", *, method: str, wished: str) -> HttpResponse:
    """Take one proven factor through the stages that are left: a second one, or none."""
    record_authentication(request, person, method=method)
    return cast("HttpResponse", perform_login(request, Login(user=person, redirect_url=wished)))


@doors.public
@require_POST
def look_through(request: HttpRequest) -> HttpResponse:
    """Become one of the fictional people with one click. Does not exist outside the demo."""
    wished = request.POST.get("persona", "")
    if not settings.REMIT_DEMO or wished not in {one.username for one in personas.EVERYONE}:
        raise Http404
    person = selectors.person_by_username(wished)
    if person is None:
        return render(request, "web/sign-in.html", {"not_seeded": True}, status=503)
    leave(request)
    begin(request, subject=person.subject_key, way="demo")
    return entered(request, person, wished=request.POST.get("next", ""))


@doors.public
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    leave(request)
    return HttpResponseRedirect("/")


@doors.public
@require_POST
def change_role(request: HttpRequest) -> HttpResponse:
    """Act in another role that the person holds; one at a time, so that a log entry has one."""
    visitor = doors.visitor_of(request)
    wished = request.POST.get("role", "")
    if visitor is None or wished not in visitor.roles:
        raise Http404
    act_as(request, subject=visitor.subject, role=Role(wished))
    return HttpResponseRedirect(home_of(Role(wished)))
