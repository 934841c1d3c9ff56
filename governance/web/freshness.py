"""How long ago the person of a session showed who they are, and showing it once more.

Giving consent and changing the ways to sign in ask for a fresh proof. Withdrawing, pausing and
deleting never do: a way out is as short as the way in, or shorter (R4).
"""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.http import urlencode

from audit import journal
from audit.actions import Action, Verdict
from governance.accounts.roles import Role
from governance.web import doors, proof

# In the session.
CONFIRMED_AT: Final = "confirmed_at"
PAGE: Final = "/account/confirm/"


def note(request: HttpRequest, *, way: str) -> None:
    """Remember that the person has just shown who they are, and by what."""
    proof.note(request, way=way)
    request.session[CONFIRMED_AT] = int(timezone.now().timestamp())


def is_fresh(request: HttpRequest) -> bool:
    """Say whether they did so recently enough; always where nothing is asked twice."""
    if not settings.REMIT_STEP_UP_SECONDS:
        return True
    age = int(timezone.now().timestamp()) - int(request.session.get(CONFIRMED_AT, 0))
    return 0 <= age < settings.REMIT_STEP_UP_SECONDS


def confirm(request: HttpRequest, visitor: doors.Visitor, *, way: str) -> None:
    """Write down that the person showed it once more, and remember it.

    Of somebody without an office it is their own matter: beside a decision it would tell a yes.
    """
    is_own = visitor.actor.role == Role.EMPLOYEE.value
    entry = journal.append_now(
        Action.SESSION_CONFIRMED,
        actor=visitor.actor,
        subject=visitor.actor.key if is_own else None,
        verdict=Verdict.ALLOW,
        private={"way": way},
        request_id=visitor.request_id,
    )
    request.META["remit.entry"] = entry.header
    note(request, way=way)


def ask(then: str) -> HttpResponse:
    """Send the person to the page that asks once more, and from there to `then`."""
    return HttpResponseRedirect(f"{PAGE}?{urlencode({'next': then})}")
