"""Passkeys: signing in with a key that a phone, a stick or a computer keeps.

The ceremony itself is the one thing here that needs JavaScript; each page beside it offers another
way. Promise: a challenge is answered once and within five minutes. Before somebody has signed in it
lies in a signed cookie, so that strangers leave no rows.
"""

import json
import struct
from typing import TYPE_CHECKING, Final, cast

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from governance.accounts import limits
from governance.web import doors, ways_in

if TYPE_CHECKING:
    from governance.accounts.models import Person

_COOKIE: Final = "remit-ceremony"
_SALT: Final = "remit.web.passkeys"
_FIVE_MINUTES: Final = 300
_MOST_BYTES: Final = 20_000
# What the library's readers raise for bytes that are no answer of an authenticator.
_MALFORMED: Final = (
    ValidationError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


class PasskeyRefusedError(Exception):
    """The answer of a passkey is not right, not for this, or came too late."""


def parsed(sent: str) -> dict[str, object]:
    """Read what the browser sent. PasskeyRefusedError."""
    if len(sent) > _MOST_BYTES:
        raise PasskeyRefusedError
    try:
        answer = json.loads(sent)
    except ValueError as error:
        raise PasskeyRefusedError from error
    if not isinstance(answer, dict) or not isinstance(answer.get("response"), dict):
        raise PasskeyRefusedError
    return answer


def proven(sent: str, *, person: "Person | None" = None) -> "Person":
    """Return whose passkey answered the challenge of this session. PasskeyRefusedError.

    Without a person, the passkey itself names its owner.
    """
    answer = parsed(sent)
    try:
        webauthn.parse_authentication_response(answer)
        owner = person or cast("Person", webauthn.extract_user_from_response(answer))
        webauthn.complete_authentication(owner, answer)
    except _MALFORMED as error:
        webauthn.clear_state()  # Answered once, wrong answers too; and strangers leave no session.
        raise PasskeyRefusedError from error
    return owner


def add(*, person: "Person", name: str, sent: str) -> None:
    """Keep a new passkey that answered the challenge. PasskeyRefusedError."""
    answer = parsed(sent)
    try:
        webauthn.parse_registration_response(answer)
        made = webauthn.complete_registration(answer)
    except _MALFORMED as error:
        webauthn.clear_state()  # Answered once, wrong answers too; and strangers leave no session.
        raise PasskeyRefusedError from error
    if not made.is_user_verified():
        raise PasskeyRefusedError
    webauthn.WebAuthn.add(person, name, answer)


def names_of(person: "Person") -> list[Authenticator]:
    """Return the passkeys of a person, the oldest first."""
    kind = Authenticator.Type.WEBAUTHN
    return list(Authenticator.objects.filter(user=person, type=kind).order_by("pk"))


@doors.public
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Give a challenge to whoever asks; let in whose passkey answers it."""
    if request.method == "GET":
        return _challenge()
    try:
        _restore(request)
        person = proven(request.POST.get("credential", ""))
    except PasskeyRefusedError:
        ways_in.refuse(request)
        wrong = _("The passkey was not accepted. Try again, or sign in another way.")
        return ways_in.ask(request, error=wrong, status=ways_in.UNPROCESSABLE)
    record_authentication(request, person, "mfa", type="webauthn", passwordless=True)
    wished = request.POST.get("next", "")
    response = cast("HttpResponse", perform_login(request, Login(user=person, redirect_url=wished)))
    response.delete_cookie(_COOKIE)
    return response


def _challenge() -> HttpResponse:
    options = webauthn.begin_authentication(None)
    state = webauthn.get_state()
    webauthn.clear_state()
    response = JsonResponse(dict(options))
    response.set_cookie(
        _COOKIE,
        signing.dumps(state, salt=_SALT),
        max_age=_FIVE_MINUTES,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


def _restore(request: HttpRequest) -> None:
    """Take the challenge back from the cookie, once."""
    held = request.COOKIES.get(_COOKIE, "")
    try:
        state = signing.loads(held, salt=_SALT, max_age=_FIVE_MINUTES)
    except signing.BadSignature as error:
        raise PasskeyRefusedError from error
    if not limits.is_first(f"{state.get('challenge')}", now=timezone.now()):
        raise PasskeyRefusedError
    webauthn.set_state(state)
