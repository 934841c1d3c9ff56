"""My sign-in: the ways in, and the sessions that are open. For every role.

Adding or removing a way in asks for a fresh proof of who it is, and is an entry before it is done;
ending sessions asks for nothing: it only ever makes an account safer.
"""

from base64 import b32encode
from secrets import token_bytes
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn.internal import auth as webauthn
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit import journal
from audit.actions import Action
from governance.accounts import sealed_secrets
from governance.accounts import sessions as held
from governance.web import freshness, passkey_host, passkeys, second_factor, single_sign_on, ways_in
from governance.web.doors import Visitor, page

if TYPE_CHECKING:
    from governance.accounts.models import Person

HERE: Final = "/account/"
MOST_PASSKEYS: Final = 10
_NAME_LENGTH: Final = 40
_SEED_BYTES: Final = 20
# In the session, sealed: the seed that is on the page, until a code of it was typed.
_PENDING_SEED: Final = "pending_seed"


def _person(request: HttpRequest) -> "Person":
    return cast("Person", request.user)


@page("account.secure")
@require_GET
def index(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show the ways in and the open sessions."""
    return _index(request, visitor)


def _index(
    request: HttpRequest, visitor: Visitor, *, codes: list[str] | None = None
) -> HttpResponse:
    person = _person(request)
    kinds = second_factor.kinds_of(person)
    recovery = Authenticator.objects.filter(user=person, type=second_factor.RECOVERY).first()
    context = {
        "visitor": visitor,
        "passkeys": passkeys.names_of(person),
        "fits": passkey_host.fits(request),
        "passkey_address": passkey_host.address(),
        "has_app": second_factor.TOTP in kinds,
        "has_factor": bool(kinds & {second_factor.TOTP, second_factor.PASSKEY}),
        "codes_left": len(RecoveryCodes(recovery).get_unused_codes()) if recovery else None,
        "codes": codes,
        "is_bound": single_sign_on.is_bound(person),
        "providers": ways_in.providers(),
        "sessions": held.of(subject=visitor.subject, session_key=request.session.session_key or ""),
    }
    return render(request, "web/security.html", context)


@page("account.secure")
@require_http_methods(["GET", "POST"])
def add_app(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Set up an authenticator app: show a seed, and keep it once a code of it was typed."""
    if not freshness.is_fresh(request):
        return freshness.ask(request.path)
    person = _person(request)
    if second_factor.TOTP in second_factor.kinds_of(person):
        return HttpResponseRedirect(HERE)
    seed = _pending_seed(request)
    if request.method == "GET":
        return _show_seed(request, person, seed)
    if not totp.validate_totp_code(seed, request.POST.get("code", "")):
        wrong = _("This code does not belong to the picture. Type the newest one.")
        return _show_seed(request, person, seed, error=wrong, status=ways_in.UNPROCESSABLE)
    with transaction.atomic():
        _note(visitor, Action.CREDENTIAL_ADDED, "authenticator-app")
        second_factor.spend(totp.TOTP.activate(person, seed).instance, request.POST["code"])
    del request.session[_PENDING_SEED]
    messages.success(request, _("Your authenticator app is set up. Now make recovery codes."))
    return HttpResponseRedirect(HERE)


def _pending_seed(request: HttpRequest) -> str:
    if sealed := request.session.get(_PENDING_SEED):
        return sealed_secrets.unseal(sealed)
    seed = b32encode(token_bytes(_SEED_BYTES)).decode()
    request.session[_PENDING_SEED] = sealed_secrets.seal(seed)
    return seed


def _show_seed(
    request: HttpRequest, person: "Person", seed: str, *, error: str = "", status: int = 200
) -> HttpResponse:
    adapter = get_adapter()
    picture = adapter.build_totp_svg(adapter.build_totp_url(person, seed))
    context = {
        "picture": picture[picture.index("<svg") :],
        "seed": " ".join(seed[at : at + 4] for at in range(0, len(seed), 4)),
        "error": error,
    }
    return render(request, "web/add-app.html", context, status=status)


@page("account.secure")
@require_http_methods(["GET", "POST"])
def add_passkey(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Keep a passkey that the person's device makes."""
    if not freshness.is_fresh(request):
        return freshness.ask(request.path)
    person = _person(request)
    if len(passkeys.names_of(person)) >= MOST_PASSKEYS:
        messages.error(request, _("You have as many passkeys as one account may have."))
        return HttpResponseRedirect(HERE)
    if request.method == "GET":
        return _offer_passkey(request, person)
    name = request.POST.get("name", "").strip()[:_NAME_LENGTH] or _("My passkey")
    try:
        with transaction.atomic():
            _note(visitor, Action.CREDENTIAL_ADDED, "passkey")
            passkeys.add(person=person, name=name, sent=request.POST.get("credential", ""))
    except passkeys.PasskeyRefusedError:
        wrong = _("Your device did not make a passkey that is accepted here.")
        return _offer_passkey(request, person, error=wrong, status=ways_in.UNPROCESSABLE)
    messages.success(request, _("The passkey is kept. You can sign in with it from now on."))
    return HttpResponseRedirect(HERE)


def _offer_passkey(
    request: HttpRequest, person: "Person", *, error: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "options": webauthn.begin_registration(person, passwordless=True),
        "fits": passkey_host.fits(request),
        "passkey_address": passkey_host.address(),
        "error": error,
    }
    return render(request, "web/add-passkey.html", context, status=status)


@page("account.secure")
@require_POST
def make_codes(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Make recovery codes and show them, once; the ones before them end."""
    if not freshness.is_fresh(request):
        return freshness.ask(HERE)
    person = _person(request)
    if not second_factor.is_asked_of(person):
        return HttpResponseRedirect(HERE)
    with transaction.atomic():
        _note(visitor, Action.CREDENTIAL_ADDED, "recovery-codes")
        Authenticator.objects.filter(user=person, type=second_factor.RECOVERY).delete()
        codes = RecoveryCodes.activate(person)
    return _index(request, visitor, codes=codes.get_unused_codes())


@page("account.secure")
@require_POST
def remove(request: HttpRequest, visitor: Visitor, number: int) -> HttpResponse:
    """Remove a passkey or the authenticator app; recovery codes go with the last of them."""
    if not freshness.is_fresh(request):
        return freshness.ask(HERE)
    person = _person(request)
    kinds = [second_factor.TOTP, second_factor.PASSKEY]
    own = Authenticator.objects.filter(user=person, type__in=kinds)
    found = own.filter(type=second_factor.TOTP) if number == 0 else own.filter(pk=number)
    one = found.first()
    if one is None:
        raise Http404
    way = "passkey" if one.type == second_factor.PASSKEY else "authenticator-app"
    with transaction.atomic():
        _note(visitor, Action.CREDENTIAL_REMOVED, way)
        one.delete()
        if not own.exists():
            Authenticator.objects.filter(user=person).delete()
    messages.info(request, _("It is removed. Nobody signs in with it any more."))
    return HttpResponseRedirect(HERE)


@page("account.secure")
@require_POST
def end_session(request: HttpRequest, visitor: Visitor, session_id: UUID) -> HttpResponse:
    """End one of the person's sessions."""
    held.end(session_id=session_id, owner=visitor.subject, actor=visitor.actor)
    messages.info(request, _("That session is ended. Its browser has to sign in again."))
    return HttpResponseRedirect(HERE)


@page("account.secure")
@require_POST
def end_others(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """End every session but this one."""
    own = request.session.session_key or ""
    held.end_all(subject=visitor.subject, actor=visitor.actor, but=own)
    messages.info(request, _("You are signed out everywhere else."))
    return HttpResponseRedirect(HERE)


def _note(visitor: Visitor, action: Action, way: str) -> None:
    journal.append(
        action,
        actor=visitor.actor,
        subject=visitor.subject,
        private={"way": way},
        request_id=visitor.request_id,
    )
