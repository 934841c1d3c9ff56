"""Slows down who guesses, and keeps nobody out of their own account.

Promise: a computer that has signed in to an account before is counted for itself, so that no
stranger's wrong passwords stand in its way. Everybody else gets five failures for an account from
one network and twenty for it from everywhere, and fifty from one network over all accounts, in five
minutes. Each try is a row before anything is checked, so tries that come all at once count as well.
Neither names nor addresses are stored, only keyed digests of them; the table has a largest size.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final

from django.db import transaction
from django.utils.crypto import salted_hmac

from governance.accounts.errors import TooManyAttemptsError
from governance.accounts.models import SignInAttempt

WINDOW: Final = timedelta(minutes=5)
FAILURES: Final = 5
STRANGERS_FAILURES: Final = 20
ADDRESS_FAILURES: Final = 50
# More tries than that in five minutes are an attack; the oldest of them are forgotten first.
MOST_ROWS: Final = 100_000
_BUCKET_BYTES: Final = 16
_NETWORK_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Source:
    """Where a try comes from: a network address, and the known computer's mark if it has one."""

    address: str
    computer: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """A try that was let through: its own rows, and the bucket that a success empties."""

    rows: tuple[int, ...]
    own: bytes


def begin(*, kind: str, account: str, source: Source, now: datetime) -> Try:
    """Count a try before it is looked at. TooManyAttemptsError when there were too many before.

    `source.computer` is only what a signed mark of this service vouches for, for this account.
    """
    if source.computer:
        own = _bucket(kind, account, source.computer)
        bounds = {own: FAILURES}
    else:
        network = network_of(source.address)
        own = _bucket(kind, account, network)
        bounds = {
            own: FAILURES,
            _bucket(kind, account, "strangers"): STRANGERS_FAILURES,
            _bucket(kind, "anyone", network): ADDRESS_FAILURES,
        }
    rows = _count_in(bounds, now)
    for bucket, most in bounds.items():
        recent = SignInAttempt.objects.filter(bucket=bucket, at__gte=now - WINDOW)
        if recent.count() > most:
            # A try that was refused unread does not count: nobody locks another out for good.
            SignInAttempt.objects.filter(pk__in=rows).delete()
            oldest = recent.order_by("at").values_list("at", flat=True).first() or now
            wait = int((oldest + WINDOW - now).total_seconds()) + 1
            raise TooManyAttemptsError(retry_after=max(1, wait))
    return Try(rows, own)


def succeed(tried: Try) -> None:
    """Take a try back that was right, and with it the failures before it from the same place."""
    SignInAttempt.objects.filter(pk__in=tried.rows).delete()
    SignInAttempt.objects.filter(bucket=tried.own).delete()


def _count_in(buckets: Iterable[bytes], now: datetime) -> tuple[int, ...]:
    with transaction.atomic():
        SignInAttempt.objects.filter(at__lt=now - WINDOW).delete()
        rows = tuple(SignInAttempt.objects.create(bucket=b, at=now).pk for b in buckets)
        SignInAttempt.objects.filter(pk__lte=max(rows) - MOST_ROWS).delete()
    return rows


def network_of(address: str) -> str:
    """Return the network of an address: who has one IPv6 address has 2^64 of them."""
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        return f"6:{int(found) >> _NETWORK_BITS:x}"
    return f"4:{found}"


def _bucket(kind: str, account: str, place: str) -> bytes:
    value = f"{kind}\0{account.casefold()}\0{place}"
    mac = salted_hmac("remit.accounts.sign-in", value, algorithm="sha256")
    return mac.digest()[:_BUCKET_BYTES]


def is_first(value: str, *, now: datetime) -> bool:
    """Say whether a value, good for five minutes at most, is seen for the first time.

    Its row stands before it looks for another: of tries that come all at once, one passes at most.
    """
    bucket = _bucket("once", value, "")
    own = SignInAttempt.objects.create(bucket=bucket, at=now).pk
    others = SignInAttempt.objects.filter(bucket=bucket, at__gte=now - WINDOW).exclude(pk=own)
    return not others.exists()
