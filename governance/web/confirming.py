"""The page that asks once more who somebody is, before what must not be done by a passer-by."""

from typing import TYPE_CHECKING, cast

from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from governance.accounts import sign_in as passwords
from governance.accounts.errors import TooManyAttemptsError
from governance.web import freshness, passkey_host, second_factor, single_sign_on, source, ways_in
from governance.web.doors import Visitor, page
from governance.web.passkeys import PasskeyRefusedError, proven

if TYPE_CHECKING:
    from governance.accounts.models import Person


@page("account.secure")
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Ask once more, then lead on to what was wanted."""
    asked = request.POST if request.method == "POST" else request.GET
    wished = asked.get("next", "")
    if not wished or not url_has_allowed_host_and_scheme(wished, allowed_hosts=None):
        wished = "/account/"
    if request.method == "GET":
        return _ask(request, wished, by_factor=bool(request.GET.get("factor")))
    try:
        way = prove(request, _person(request), _sent(request))
    except TooManyAttemptsError as error:
        ways_in.refuse(request)
        words = ways_in.waiting(error)
        return ways_in.later(_ask(request, wished, error=words, status=ways_in.TOO_MANY), error)
    if not way:
        ways_in.refuse(request)
        wrong = _("This is not right. Nothing was changed.")
        return _ask(request, wished, error=wrong, status=ways_in.UNPROCESSABLE)
    freshness.confirm(request, visitor, way=way)
    return HttpResponseRedirect(wished)


def _person(request: HttpRequest) -> "Person":
    return cast("Person", request.user)


def _sent(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST.get(name, "") for name in ("credential", "code", "password")}


def prove(request: HttpRequest, person: "Person", sent: dict[str, str]) -> str:
    """Return by what the person showed who they are, or nothing. TooManyAttemptsError.

    Who has a second factor shows that one: a password alone is not enough to ask for more.
    """
    origin = source.source_of(request, username=person.username)
    if sent.get("credential"):
        try:
            return "passkey" if proven(sent["credential"], person=person) == person else ""
        except PasskeyRefusedError:
            return ""
    if sent.get("code"):
        right = second_factor.check_code(person=person, code=sent["code"], origin=origin)
        return "code" if right else ""
    if not takes_password(person):
        return ""
    known = passwords.verify(
        username=person.username, password=sent.get("password", ""), source=origin
    )
    return "password" if known == person else ""


def takes_password(person: "Person") -> bool:
    """Say whether this person confirms by password: nothing stronger is set up."""
    allowed = settings.REMIT_PASSWORD_LOGIN and person.has_usable_password()
    return allowed and not second_factor.is_asked_of(person)


def challenge(request: HttpRequest, person: "Person") -> dict[str, object] | None:
    """Return what a passkey of this person is asked in this session; None when there is none."""
    if second_factor.PASSKEY not in second_factor.kinds_of(person):
        return None
    if not passkey_host.fits(request):
        return None
    return cast("dict[str, object]", webauthn.begin_authentication(person))


def _ask(
    request: HttpRequest,
    wished: str,
    *,
    error: str = "",
    status: int = 200,
    by_factor: bool = False,
) -> HttpResponse:
    """Show the ways to confirm; `by_factor` leaves those out that an approval does not take."""
    person = _person(request)
    kinds = second_factor.kinds_of(person)
    context = {
        "next": wished,
        "error": error,
        "takes_password": takes_password(person) and not by_factor,
        "by_factor": by_factor,
        "lacks_factor": by_factor and not kinds,
        "has_codes": bool(kinds - {second_factor.PASSKEY}),
        "options": challenge(request, person),
        "providers": ways_in.providers()
        if single_sign_on.is_bound(person) and not by_factor
        else [],
    }
    return render(request, "web/confirm.html", context, status=status)
