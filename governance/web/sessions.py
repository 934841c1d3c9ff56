"""Signing in, changing the active role, signing out. Each start and each refusal is an entry."""

from typing import Final

from django.conf import settings
from django.contrib.auth import get_user_model, login, logout
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
from governance.accounts import sign_in as passwords
from governance.accounts.errors import TooManyAttemptsError
from governance.accounts.roles import Role
from governance.web import doors, personas
from governance.web.preferences import remember_language

HOMES: Final[dict[Role, str]] = {Role.EMPLOYEE: "/"}
OFFICE: Final = "/office/"
UNPROCESSABLE: Final = 422
TOO_MANY: Final = 429


def home_of(role: Role) -> str:
    """Return the first page of a role."""
    return HOMES.get(role, OFFICE)


def begin(request: HttpRequest, *, subject: str, role: Role | None = None) -> Role:
    """Start a session for a person in one role; the entry is committed before the session is.

    Without a wish, the role is the person's office when there is one, else employee.
    """
    person = get_user_model()._default_manager.get(subject_key=subject)  # noqa: SLF001
    roles = selectors.roles_of(subject=subject)
    offices = [held for held in roles if held is not Role.EMPLOYEE]
    if role is None or role not in roles:
        role = offices[0] if offices else Role.EMPLOYEE
    entry = journal.append_now(
        Action.SESSION_STARTED,
        actor=Actor(subject, str(role)),
        verdict=Verdict.ALLOW,
        request_id=request.META.get("remit.request_id"),
    )
    request.META["remit.entry"] = entry.header  # The API names it in its answer.
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    request.session[doors.ROLE_IN_SESSION] = str(role)
    return role


def refuse(request: HttpRequest) -> None:
    """Write down a refused sign-in; neither the name nor the password is part of the entry."""
    journal.append_now(
        Action.SESSION_REFUSED,
        actor=Actor.system("sign-in"),
        verdict=Verdict.DENY,
        private={"reason": "credentials"},
        request_id=request.META.get("remit.request_id"),
    )


def _target(request: HttpRequest, role: Role) -> str:
    wished = request.POST.get("next", "")
    if wished not in {"", "/"} and url_has_allowed_host_and_scheme(wished, allowed_hosts=None):
        return wished
    return home_of(role)


def _entered(request: HttpRequest, role: Role) -> HttpResponse:
    response = HttpResponseRedirect(_target(request, role))
    remember_language(response, getattr(request.user, "language", ""))
    return response


@doors.public
@ensure_csrf_cookie
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form, or let a person in who knows their password."""
    asked = request.POST if request.method == "POST" else request.GET
    context: dict[str, object] = {
        "next": asked.get("next", ""),
        "username": request.POST.get("username", ""),
        "password_login": settings.REMIT_PASSWORD_LOGIN,
    }
    if request.method == "GET":
        return render(request, "web/sign-in.html", context)
    if not settings.REMIT_PASSWORD_LOGIN:
        raise Http404
    try:
        person = passwords.verify(
            username=request.POST.get("username", ""),
            password=request.POST.get("password", ""),
            address=request.META.get("REMOTE_ADDR", ""),
        )
    except TooManyAttemptsError as error:
        refuse(request)
        context["error"] = _("Too many attempts. Wait %d seconds.") % error.retry_after
        response = render(request, "web/sign-in.html", context, status=TOO_MANY)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    if person is None:
        refuse(request)
        context["error"] = _("User name and password do not belong together.")
        return render(request, "web/sign-in.html", context, status=UNPROCESSABLE)
    return _entered(request, begin(request, subject=person.subject_key))


@doors.public
@require_POST
def look_through(request: HttpRequest) -> HttpResponse:
    """Become one of the fictional people with one click. Does not exist outside the demo."""
    wished = request.POST.get("persona", "")
    if not settings.REMIT_DEMO or wished not in {one.username for one in personas.EVERYONE}:
        raise Http404
    person = get_user_model()._default_manager.filter(username=wished).first()  # noqa: SLF001
    if person is None:
        return render(request, "web/sign-in.html", {"not_seeded": True}, status=503)
    logout(request)
    return _entered(request, begin(request, subject=person.subject_key))


@doors.public
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session on the server, not only in the browser."""
    logout(request)
    return HttpResponseRedirect("/")


@doors.public
@require_POST
def change_role(request: HttpRequest) -> HttpResponse:
    """Act in another role that the person holds; one at a time, so that a log entry has one."""
    visitor = doors.visitor_of(request)
    wished = request.POST.get("role", "")
    if visitor is None or wished not in visitor.roles:
        raise Http404
    role = begin(request, subject=visitor.subject, role=Role(wished))
    return HttpResponseRedirect(home_of(role))
