"""Where a request comes from: its network address, and the mark of a computer that is known.

Promise: the mark is a signed cookie that says "somebody signed in to this account from here"; it
signs nobody in. An address that a request claims is believed only from REMIT_TRUSTED_PROXIES.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from secrets import token_hex
from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from governance.accounts.limits import Source

_SALT: Final = "remit.web.computer"
_KEPT: Final = "remit.computer"
_MOST_ACCOUNTS: Final = 8
_ONE_YEAR_SECONDS: Final = 31_536_000


@dataclass(frozen=True, slots=True)
class Computer:
    """A browser that keeps our cookie: a random mark, and the accounts it signed in to."""

    mark: str
    accounts: tuple[str, ...]


def _account(username: str) -> str:
    return salted_hmac(_SALT, username.casefold(), algorithm="sha256").hexdigest()[:16]


def computer_of(request: HttpRequest) -> Computer:
    """Return the known computer, or a fresh one for a browser that has shown no mark."""
    if isinstance(kept := request.META.get(_KEPT), Computer):
        return kept
    try:
        held = signing.loads(
            request.COOKIES.get(settings.REMIT_COMPUTER_COOKIE, ""),
            salt=_SALT,
            max_age=_ONE_YEAR_SECONDS,
        )
        return Computer(str(held["mark"]), tuple(held["accounts"]))
    except (signing.BadSignature, KeyError, TypeError):
        return Computer(token_hex(16), ())


def vouch(request: HttpRequest, *, username: str) -> Computer:
    """Note that this account was signed in to from here; the answer carries the mark away."""
    known = computer_of(request)
    own = _account(username)
    accounts = (own, *(each for each in known.accounts if each != own))[:_MOST_ACCOUNTS]
    request.META[_KEPT] = vouched = Computer(known.mark, accounts)
    return vouched


def keep(request: HttpRequest, response: HttpResponse) -> None:
    """Set the cookie when `vouch` changed it."""
    kept = request.META.get(_KEPT)
    if not isinstance(kept, Computer):
        return
    response.set_cookie(
        settings.REMIT_COMPUTER_COOKIE,
        signing.dumps({"mark": kept.mark, "accounts": kept.accounts}, salt=_SALT),
        max_age=_ONE_YEAR_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def source_of(request: HttpRequest, *, username: str) -> Source:
    """Return where a try to sign in to an account comes from."""
    known = computer_of(request)
    mark = known.mark if _account(username) in known.accounts else ""
    return Source(address=address_of(request), computer=mark)


def address_of(request: HttpRequest) -> str:
    """Return the address of the client, past the proxies that the operator trusts."""
    hops = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    return _nearest_stranger([*hops, request.META.get("REMOTE_ADDR", "")])


def _nearest_stranger(hops: Sequence[str]) -> str:
    for hop in reversed(hops):
        if not _is_trusted(hop):
            return hop
    return hops[0]


def _is_trusted(hop: str) -> bool:
    try:
        address = ip_address(hop)
    except ValueError:
        return False
    return any(address in network for network in settings.REMIT_TRUSTED_PROXIES)


_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def label_of(request: HttpRequest) -> str:
    """Return the kind of browser and system, without a version: enough to know one's own."""
    agent = request.headers.get("User-Agent", "")
    found = [
        next((name for token, name in names if token in agent), "")
        for names in (_BROWSERS, _SYSTEMS)
    ]
    return " · ".join(filter(None, found))
