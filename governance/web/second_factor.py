"""Codes: the second thing besides a password that shows who somebody is.

Promise: a code of an authenticator app counts once, whichever process sees it first; guessing is
slowed for each place it is done from. The seed and the last code used are sealed.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.stagekit import clear_login
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn.internal import auth as webauthn
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from governance.accounts import limits, sealed_secrets
from governance.accounts.errors import TooManyAttemptsError
from governance.accounts.limits import Source
from governance.web import doors, source, ways_in
from governance.web.passkeys import PasskeyRefusedError, proven

if TYPE_CHECKING:
    from allauth.account.stages import LoginStage

    from governance.accounts.models import Person

TOTP: Final = Authenticator.Type.TOTP
PASSKEY: Final = Authenticator.Type.WEBAUTHN
RECOVERY: Final = Authenticator.Type.RECOVERY_CODES
_LAST: Final = "last"


def kinds_of(person: "Person") -> set[str]:
    """Return the kinds of factors that a person has set up."""
    return set(Authenticator.objects.filter(user=person).values_list("type", flat=True))


def is_asked_of(person: "Person") -> bool:
    """Say whether a password alone does not let this person in."""
    return bool(kinds_of(person) & {TOTP, PASSKEY})


def check_code(*, person: "Person", code: str, origin: Source, now: datetime | None = None) -> bool:
    """Say whether a code of the app or a recovery code is right. TooManyAttemptsError."""
    tried = limits.begin(
        kind="code", account=person.subject_key, source=origin, now=now or timezone.now()
    )
    for one in Authenticator.objects.filter(user=person).exclude(type=PASSKEY):
        if spend(one, code) if one.type == TOTP else one.wrap().validate_code(code):
            limits.succeed(tried)
            return True
    return False


@transaction.atomic
def spend(authenticator: Authenticator, code: str) -> bool:
    """Use a code of the app up: one that was used, or an older one, is refused (RFC 6238 §5.2)."""
    row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
    seed = sealed_secrets.unseal(row.data["secret"])
    last = int(sealed_secrets.unseal(row.data[_LAST])) if _LAST in row.data else -1
    for counter in totp.yield_hotp_counters_from_time():
        expected = totp.format_hotp_value(totp.hotp_value(seed, counter))
        if counter > last and compare_user_code(actual=code, expected=expected):
            row.data[_LAST] = sealed_secrets.seal(str(counter))
            row.save(update_fields=["data"])
            return True
    return False


@doors.public
@require_http_methods(["GET", "POST"])
@login_stage_required(stage=AuthenticateStage.key, redirect_urlname="account_login")
def second_step(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor of whoever gave the first, and let them in."""
    stage = cast("LoginStage", request._login_stage)  # type: ignore[attr-defined]  # noqa: SLF001 - the library's decorator leaves it there.
    person = cast("Person", stage.login.user)
    if request.POST.get("do") == "cancel":
        clear_login(request)
        return HttpResponseRedirect("/sign-in/")
    if request.method == "GET":
        return _ask(request, person)
    try:
        kind = _prove(request, person)
    except TooManyAttemptsError as error:
        ways_in.refuse(request)
        wait = ways_in.waiting(error)
        return ways_in.later(_ask(request, person, error=wait, status=ways_in.TOO_MANY), error)
    if not kind:
        ways_in.refuse(request)
        wrong = _("This is not right. A code works once and for a minute.")
        return _ask(request, person, error=wrong, status=ways_in.UNPROCESSABLE)
    record_authentication(request, person, "mfa", type=kind)
    return cast("HttpResponse", stage.exit())


def _prove(request: HttpRequest, person: "Person") -> str:
    """Return the kind of factor that was shown, or nothing."""
    if sent := request.POST.get("credential"):
        try:
            return PASSKEY if proven(sent, person=person) == person else ""
        except PasskeyRefusedError:
            return ""
    origin = source.source_of(request, username=person.username)
    code = request.POST.get("code", "")
    return TOTP if check_code(person=person, code=code, origin=origin) else ""


def _ask(
    request: HttpRequest, person: "Person", *, error: str = "", status: int = 200
) -> HttpResponse:
    kinds = kinds_of(person)
    context = {
        "has_codes": bool(kinds & {TOTP, RECOVERY}),
        "options": webauthn.begin_authentication(person) if PASSKEY in kinds else None,
        "error": error,
    }
    return render(request, "web/second-step.html", context, status=status)
