"""Checks a user name and a password. An unknown name costs the same time as a wrong word."""

from datetime import datetime

from django.contrib.auth import authenticate
from django.utils import timezone

from governance.accounts import limits
from governance.accounts.limits import Source
from governance.accounts.models import Person


def verify(
    *, username: str, password: str, source: Source, now: datetime | None = None
) -> Person | None:
    """Return the person who knows the password, or None. TooManyAttemptsError."""
    tried = limits.begin(
        kind="password", account=username, source=source, now=now or timezone.now()
    )
    person = authenticate(username=username, password=password)
    if not isinstance(person, Person):
        return None
    limits.succeed(tried)
    return person
