"""The page of the ways to sign in, and how a refused try is answered and written down."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from audit import journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from governance.accounts.errors import TooManyAttemptsError
from governance.web import passkey_host

UNPROCESSABLE: Final = 422
TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True)
class Provider:
    """A single sign-on as the page offers it."""

    id: str
    name: str


def providers() -> list[Provider]:
    """Return the single sign-on that is configured, if one is."""
    apps = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    return [Provider(str(app["provider_id"]), str(app["name"])) for app in apps]


def ask(request: HttpRequest, *, error: str = "", status: int = 200) -> HttpResponse:
    """Show the ways to sign in."""
    asked = request.POST if request.method == "POST" else request.GET
    context = {
        "next": asked.get("next", ""),
        "username": request.POST.get("username", ""),
        "password_login": settings.REMIT_PASSWORD_LOGIN,
        "providers": providers(),
        "passkeys": passkey_host.fits(request),
        "passkey_address": passkey_host.address(),
        "error": error,
    }
    return render(request, "web/sign-in.html", context, status=status)


def waiting(error: TooManyAttemptsError) -> str:
    """Say in words after how many seconds to come back."""
    return _("Too many attempts. Wait %d seconds.") % error.retry_after


def later(response: HttpResponse, error: TooManyAttemptsError) -> HttpResponse:
    """Say it to programs too."""
    response.headers["Retry-After"] = str(error.retry_after)
    return response


def refuse(request: HttpRequest) -> None:
    """Write down a refused sign-in; neither the name nor the password is part of the entry."""
    journal.append_now(
        Action.SESSION_REFUSED,
        actor=Actor.system("sign-in"),
        verdict=Verdict.DENY,
        private={"reason": "credentials"},
        request_id=request.META.get("remit.request_id"),
    )
