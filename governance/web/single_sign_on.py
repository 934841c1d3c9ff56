"""Single sign-on: the organisation's own OpenID Connect provider says who somebody is.

Promise: code flow with PKCE; a person is bound to (issuer, `sub`), never to an e-mail address; the
first time, the directory must have named them (`externalId`), or the claim that the operator trusts
their user name. Nothing else of the token is kept, and nobody gets an account by signing in.
"""

import time
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.openid_connect import views as library
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from governance.accounts import selectors
from governance.accounts.roles import Role
from governance.web import doors, freshness, ways_in

if TYPE_CHECKING:
    from governance.accounts.models import Person

PROVIDER: Final = "sso"
# A provider's clock may be a little off.
_CLOCK_SKEW_SECONDS: Final = 60
_CLAIMS: Final = "remit.claims"


def is_bound(person: "Person") -> bool:
    """Say whether a person has signed in by single sign-on before."""
    return bool(ways_in.providers()) and SocialAccount.objects.filter(user=person).exists()


class _Known(SocialLogin):
    """A sign-in that is looked up and leaves nothing: no time, no claims."""

    account: SocialAccount

    def lookup(self) -> None:
        """Find who is bound; an e-mail address never finds anybody."""
        self._did_authenticate_by_email = None
        bound = SocialAccount.objects.filter(provider=self.account.provider, uid=self.account.uid)
        if account := bound.select_related("user").first():
            self.account = account
            # Whom the directory removed and took in again is somebody new under the same `sub`.
            self.user = None if account.user.is_gone else account.user


class Provider(OpenIDConnectProvider):
    """The configured provider; of its token only `sub` goes on."""

    def wk_server_url(self, url: str) -> str:
        """Return where an issuer describes itself (OpenID Connect Discovery §4)."""
        return f"{url.rstrip('/')}/.well-known/openid-configuration"

    def sociallogin_from_response(self, request: HttpRequest, response: dict[str, Any]) -> _Known:
        """Return who the token names, after a look at who issued it."""
        claims = response.get("id_token") or {}
        if claims.get("iss") != self.app.settings["server_url"]:
            fail(request)
        request.META[_CLAIMS] = claims
        account = SocialAccount(provider=PROVIDER, uid=str(claims["sub"]), extra_data={})
        return _Known(account=account, provider=self)


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """Whom a token lets in."""

    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> Provider:
        """Return the configured provider."""
        return Provider(request, app=self.get_app(request, provider=provider, client_id=client_id))

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Return what the settings name, and look for nothing in the database."""
        del request, client_id
        return [
            SocialApp(provider="openid_connect", **app)
            for app in settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
            if provider in {None, "openid_connect", app["provider_id"]}
        ]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Say no: accounts come from the personnel directory."""
        del request, sociallogin
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Bind a person who comes for the first time; refuse whom nobody named."""
        if request.META[_CLAIMS].get("nonce") != sociallogin.state["data"]["nonce"]:
            fail(request)
        if sociallogin.state.get("process") == AuthProcess.REDIRECT:
            _confirm(request, sociallogin)
        elif sociallogin.user is None or sociallogin.user.pk is None:
            sociallogin.user = _bind(request, sociallogin.account)

    def on_authentication_error(self, request: HttpRequest, *args: object, **hints: object) -> None:
        """Lead back to the ways in; the reason is the provider's and stays out of the page."""
        del args, hints
        fail(request)


def fail(request: HttpRequest) -> NoReturn:
    """Answer a single sign-on that did not succeed; the refusal is an entry."""
    ways_in.refuse(request)
    wrong = _("Single sign-on did not succeed. Try again, or ask the service administrator.")
    raise ImmediateHttpResponse(ways_in.ask(request, error=wrong, status=ways_in.UNPROCESSABLE))


def _bind(request: HttpRequest, account: SocialAccount) -> "Person":
    claims = request.META[_CLAIMS]
    value = str(claims.get(settings.REMIT_OIDC_CLAIM, ""))
    person = selectors.person_by_external_id(value)
    if person is None and settings.REMIT_OIDC_CLAIM != "sub":
        person = selectors.person_by_username(value)
    if person is None or not person.is_active or SocialAccount.objects.filter(user=person).exists():
        fail(request)
    subject = person.subject_key
    with transaction.atomic():
        journal.append(
            Action.CREDENTIAL_ADDED,
            actor=Actor(subject, str(Role.EMPLOYEE)),
            subject=subject,
            private={"way": "single-sign-on"},
        )
        account.user = person
        account.save()
    return person


def _confirm(request: HttpRequest, sociallogin: SocialLogin) -> None:
    """Take a fresh sign-in at the provider as a confirmation, when it is the same person's."""
    asked_at = int(sociallogin.state["data"]["asked_at"])
    signed_in_at = request.META[_CLAIMS].get("auth_time")
    # Whoever is asked with `max_age` must say when (OpenID Connect Core §2).
    is_fresh = signed_in_at is not None and int(signed_in_at) >= asked_at - _CLOCK_SKEW_SECONDS
    visitor = doors.visitor_of(request)
    if visitor is None or sociallogin.user != request.user or not is_fresh:
        fail(request)
    freshness.confirm(request, visitor, way="single-sign-on")


@doors.public
@require_POST
def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send somebody to the provider; who is signed in already is to show it once more there."""
    if provider_id not in {one.id for one in ways_in.providers()}:
        raise Http404
    wished = request.POST.get("next", "")
    provider = cast("Provider", get_adapter(request).get_provider(request, provider_id))
    again = request.user.is_authenticated
    nonce = token_urlsafe(16)
    if not again:
        request.session.set_expiry(600)  # A stranger's session is for the way there and back.
    try:
        answer = provider.redirect(
            request,
            process=AuthProcess.REDIRECT if again else AuthProcess.LOGIN,
            next_url=wished if url_has_allowed_host_and_scheme(wished, allowed_hosts=None) else "/",
            data={"asked_at": int(time.time()), "nonce": nonce},
            auth_params={"nonce": nonce} | ({"prompt": "login", "max_age": "0"} if again else {}),
        )
    except RequestException:
        fail(request)
    # Not a redirect: a form of ours may lead to ours alone (form-action), and stays so.
    return render(request, "web/leaving.html", {"address": answer["Location"]})


@doors.public
@require_GET
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take who comes back from the provider."""
    if provider_id not in {one.id for one in ways_in.providers()}:
        raise Http404
    return cast("HttpResponse", library.callback(request, provider_id))
