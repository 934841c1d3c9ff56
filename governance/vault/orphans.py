"""Ciphertext objects that no row names: left by a crash between writing one and its row.

Promises: an object that somebody claims, or that is younger than a day, is never touched; without
every claim, or while the log is closed (as after a restored backup), nothing is.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from django.utils import timezone

from audit import health
from governance.vault import storage

Claim = Callable[[Collection[str]], set[str]]

GRACE: Final = timedelta(days=1)
_AT_ONCE: Final = 500
_claims: dict[str, Claim] = {}
# Whoever stores objects; a claim that is missing would look like nobody's objects.
CLAIMANTS: Final = frozenset({"captures", "releases", "exports"})


def claim(name: str) -> Callable[[Claim], Claim]:
    """Register the function that says which of some object keys its app still needs."""

    def register(function: Claim) -> Claim:
        _claims[name] = function
        return function

    return register


def collect(*, now: datetime | None = None) -> int:
    """Remove what nobody claims; return how many. LogUnavailableError while the log is closed."""
    health.require_open()
    if missing := CLAIMANTS - _claims.keys():
        raise LookupError(f"Nobody says what {', '.join(sorted(missing))} need.")
    before = (now or timezone.now()) - GRACE
    removed = 0
    for keys in _handfuls():
        for key in keys - _claimed(keys):
            if storage.stored_at(key) < before:
                storage.delete(key)
                removed += 1
    return removed


def _handfuls() -> Iterator[set[str]]:
    keys = storage.keys()
    while some := set(islice(keys, _AT_ONCE)):
        yield some


def _claimed(keys: Collection[str]) -> set[str]:
    return {key for needed in _claims.values() for key in needed(keys)}
