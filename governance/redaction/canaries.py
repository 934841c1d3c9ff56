"""Invented people planted in every run: what the detector does not find of them is counted.

A run's canaries follow from its seed, so that nobody can write rules for them and anybody can
repeat them. They never touch the record. The counts go into the frame's provenance; a release adds
them up and says how sure they make us (`recall`).
"""

import random
from collections.abc import Callable
from math import sqrt
from typing import Final, NamedTuple

from governance.redaction import lexicon
from governance.redaction.engine import Detector
from governance.redaction.errors import CanaryError

PLANTED: Final = 10
# Fewer than this share found is no bad luck but a broken detector.
_LEAST_SHARE: Final = 0.5
_Z_95: Final = 1.959964
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz"
_SYMBOLS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789"


class Canaries(NamedTuple):
    """How many were planted in a run, and how many of them were found whole."""

    planted: int
    found: int


class _Canary(NamedTuple):
    before: str
    value: str
    after: str


def run(detector: Detector, seed: str) -> Canaries:
    """Plant the canaries of a seed and look for them; `CanaryError` when too few are found."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret.
    kinds = chance.sample(_KINDS, PLANTED)
    found = sum(_is_found(detector, kind(chance)) for kind in kinds)
    if found < _LEAST_SHARE * PLANTED:
        raise CanaryError
    return Canaries(PLANTED, found)


def _is_found(detector: Detector, canary: _Canary) -> bool:
    """Tell whether every letter and digit of the planted value is covered."""
    text = "".join(canary)
    spans = detector.spans(text, role="document")
    start = len(canary.before)
    return all(
        any(span.start <= position < span.end for span in spans)
        for position in range(start, start + len(canary.value))
        if text[position].isalnum()
    )


def recall(planted: int, found: int) -> tuple[float, float]:
    """Return the share that was found and the lower bound of Wilson's 95 % interval."""
    if planted == 0:
        return 0.0, 0.0
    share, z = found / planted, _Z_95 * _Z_95 / planted
    middle = share + z / 2
    spread = _Z_95 * sqrt(share * (1 - share) / planted + z / (4 * planted))
    return share, max(0.0, (middle - spread) / (1 + z))


def _digits(chance: random.Random, number: int) -> str:
    return "".join(chance.choices("0123456789", k=number))


def _name(chance: random.Random) -> tuple[str, str]:
    given = chance.choice(lexicon.given_names())
    surname = chance.choice(_STEMS) + chance.choice(_ENDINGS)
    return given.capitalize(), surname


def _person(chance: random.Random) -> _Canary:
    given, surname = _name(chance)
    return _Canary(chance.choice(("Please ask ", "I spoke with ")), f"{given} {surname}", " again.")


def _email(chance: random.Random) -> _Canary:
    given, surname = _name(chance)
    mark = chance.choice((".", "_", "-"))
    host = "".join(chance.choices(_LETTERS, k=7))
    value = f"{given}{mark}{surname}{_digits(chance, 2)}@{host}.example".lower()
    return _Canary("write to ", value, " today")


def _phone(chance: random.Random) -> _Canary:
    return _Canary(
        "call ", f"+49 1{chance.choice('567')}{_digits(chance, 1)} 2{_digits(chance, 6)}", ""
    )


def _card(chance: random.Random) -> _Canary:
    number = "4" + _digits(chance, 14)
    doubled = [int(digit) for digit in number]
    doubled[::2] = [2 * digit - 9 * (digit > 4) for digit in doubled[::2]]  # noqa: PLR2004 - Luhn.
    number += str(-sum(doubled) % 10)
    return _Canary("card ", " ".join(number[i : i + 4] for i in range(0, 16, 4)), " expires soon")


def _iban(chance: random.Random) -> _Canary:
    account = "50010517" + _digits(chance, 10)
    check = 98 - int(account + "131400") % 97  # ISO 13616: D is 13, E is 14.
    return _Canary("transfer to ", f"DE{check:02d}{account}", " please")


def _address(chance: random.Random) -> _Canary:
    parts = (chance.randrange(11, 220) for _ in range(4))
    return _Canary("login from ", ".".join(str(part) for part in parts), " failed")


def _ssn(chance: random.Random) -> _Canary:
    value = (
        f"{chance.randrange(101, 600)}-{chance.randrange(11, 99)}-{chance.randrange(1001, 9999)}"
    )
    return _Canary("her SSN is ", value, " for the form")


def _secret(chance: random.Random) -> _Canary:
    return _Canary("token ", "ghp_" + "".join(chance.choices(_SYMBOLS, k=36)), " leaked")


def _birthday(chance: random.Random) -> _Canary:
    value = f"{chance.randrange(10, 28)}.0{chance.randrange(1, 9)}.{chance.randrange(1950, 2001)}"
    return _Canary("date of birth: ", value, "")


def _hardware(chance: random.Random) -> _Canary:
    return _Canary("adapter ", ":".join(f"{chance.randrange(256):02x}" for _ in range(6)), " is up")


_STEMS: Final = ("Wollen", "Falken", "Brander", "Steiner", "Linden", "Harten", "Morgen", "Alder")
_ENDINGS: Final = ("berg", "au", "hof", "stedt", "mann", "sen", "feld", "wald")
_KINDS: Final[tuple[Callable[[random.Random], _Canary], ...]] = (
    _person, _email, _phone, _card, _iban, _address, _ssn, _secret, _birthday, _hardware,
)  # fmt: skip
