"""What django-allauth asks of us: how a session begins, which stages it has, how secrets are kept.

Promise: whatever way somebody signs in, `web.sessions.begin` starts the session and writes its
entry; nothing of the library sends mail, opens an account or leaves a seed in clear.
"""

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from governance.accounts import sealed_secrets
from governance.web import passkey_host, sessions, source, ways_in

if TYPE_CHECKING:
    from governance.accounts.models import Person


class AccountAdapter(DefaultAccountAdapter):
    """Signing in as this house does it."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Say no: accounts come from the personnel directory or an administrator."""
        del request
        return False

    def get_login_stages(self) -> list[str]:
        """Ask for a second factor where one is set up, and for nothing else."""
        return ["allauth.mfa.stages.AuthenticateStage"]

    def login(self, request: HttpRequest, user: "Person") -> None:
        """Begin the session, with its entry."""
        sessions.begin(request, subject=user.subject_key, way=_way_of(request, user))

    def post_login(self, request: HttpRequest, user: "Person", **hints: Any) -> HttpResponse:  # noqa: ANN401 - the library's hook.
        """Lead on to the page that was asked for."""
        return sessions.entered(request, user, wished=hints.get("redirect_url") or "")

    def respond_user_inactive(self, request: HttpRequest, user: "Person") -> HttpResponse:
        """Lead whose employment ended to the same page as a stranger."""
        del user
        ways_in.refuse(request)
        return HttpResponseRedirect(settings.LOGIN_URL)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address past the proxies we trust."""
        return source.address_of(request)

    def add_message(self, *args: object, **hints: object) -> None:
        """Say nothing: our pages say what happened."""

    def send_mail(self, *args: object, **hints: object) -> None:
        """Send nothing: no address of anybody is known here."""


def _way_of(request: HttpRequest, person: "Person") -> str:
    """Return by what the person came in; the last of several is the stronger."""
    records = get_authentication_records(request, person)
    last = records[-1] if records else {}
    if last.get("method") == "mfa":
        return "passkey" if last.get("type") == "webauthn" else "code"
    return "single-sign-on" if last.get("method") == "socialaccount" else "password"


class SecondFactorAdapter(DefaultMFAAdapter):
    """Seeds are sealed; passkeys are bound to the host that people type."""

    def encrypt(self, text: str) -> str:
        """Seal a seed."""
        return sealed_secrets.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Open a sealed seed."""
        return sealed_secrets.unseal(encrypted_text)

    def get_totp_label(self, user: "Person") -> str:
        """Return what an authenticator app shows beside the code."""
        return user.username

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return whom a passkey is for."""
        return {"id": passkey_host.name(), "name": f"Remit {settings.REMIT_ORGANISATION}"}

    def get_public_key_credential_user_entity(self, user: "Person") -> dict[str, Any]:
        """Return how the passkey names its owner; its handle tells nothing."""
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return entity | {"name": user.username, "display_name": user.display_name}
