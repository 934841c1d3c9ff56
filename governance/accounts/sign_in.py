"""Checks a user name and a password, and slows down who guesses.

Promise: at most five failures an account and fifty an address in five minutes, also when the tries
come all at once: each try is a row before the password is looked at. Neither the name nor the
address is stored, only keyed digests of them. An unknown name costs the same time as a wrong word.
"""

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth import authenticate
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from governance.accounts.errors import TooManyAttemptsError
from governance.accounts.models import Person, SignInAttempt

WINDOW: Final = timedelta(minutes=5)
ACCOUNT_FAILURES: Final = 5
ADDRESS_FAILURES: Final = 50
_BUCKET_BYTES: Final = 16


def verify(
    *, username: str, password: str, address: str, now: datetime | None = None
) -> Person | None:
    """Return the person who knows the password, or None. TooManyAttemptsError.

    `address` is the network address of the caller, as text.
    """
    now = now or timezone.now()
    account = _bucket("account", username.casefold())
    tries = _count_in(account, _bucket("address", address), now)
    person = authenticate(username=username, password=password)
    if not isinstance(person, Person):
        return None
    SignInAttempt.objects.filter(pk__in=tries).delete()
    SignInAttempt.objects.filter(bucket=account).delete()
    return person


def _bucket(kind: str, value: str) -> bytes:
    mac = salted_hmac("remit.accounts.sign-in", f"{kind}:{value}", algorithm="sha256")
    return mac.digest()[:_BUCKET_BYTES]


def _count_in(account: bytes, address: bytes, now: datetime) -> list[int]:
    """Write this try down and return its rows; refuse it when there were too many before."""
    since = now - WINDOW
    with transaction.atomic():
        SignInAttempt.objects.filter(at__lt=since).delete()
        tries = [SignInAttempt.objects.create(bucket=b, at=now).pk for b in (account, address)]
    for bucket, most in ((account, ACCOUNT_FAILURES), (address, ADDRESS_FAILURES)):
        recent = SignInAttempt.objects.filter(bucket=bucket, at__gte=since)
        if recent.count() > most:
            # A try that was refused unread does not count: nobody locks another out for good.
            SignInAttempt.objects.filter(pk__in=tries).delete()
            oldest = recent.order_by("at").values_list("at", flat=True).first() or now
            wait = int((oldest + WINDOW - now).total_seconds()) + 1
            raise TooManyAttemptsError(retry_after=max(1, wait))
    return tries
