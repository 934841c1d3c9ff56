"""Whether a number is what it looks like: checksums, entropy, national numbering plans."""

import math
import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache

import phonenumbers
from stdnum import iban, luhn, verhoeff
from stdnum.br import cpf
from stdnum.de import idnr
from stdnum.es import nie, nif
from stdnum.eu import vat
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel

_NO_DIGIT = re.compile("[^0-9]")
_SEPARATORS = re.compile(r"[\s./-]")
# The countries whose people write numbers without a country code in the pages we see.
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "PL", "NL", "SE", "CH", "IE", "BR", "IN", "AU")
_CARD_LENGTHS = (16, 15, 14, 13, 19)
_IBAN_LENGTHS = range(34, 14, -1)


def compact(text: str) -> str:
    """Return the text without the separators people put into numbers."""
    return _SEPARATORS.sub("", text)


def digits(text: str) -> str:
    return _NO_DIGIT.sub("", text)


def entropy(text: str) -> float:
    """Return Shannon entropy in bits a character."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())


def character_classes(text: str) -> int:
    """Return how many of lower, upper, digit and other occur."""
    return (
        any(c.islower() for c in text)
        + any(c.isupper() for c in text)
        + any(c.isdigit() for c in text)
        + any(not c.isalnum() for c in text)
    )


def _checked(check: Callable[[str], object]) -> Callable[[str], bool]:
    """Make a stdnum check total: a number it cannot read is simply not valid."""

    def is_valid(text: str) -> bool:
        try:
            return bool(check(compact(text)))
        except Exception:  # noqa: BLE001  stdnum raises what the odd input happens to trip over.
            return False

    return is_valid


is_luhn = _checked(luhn.is_valid)
is_verhoeff = _checked(verhoeff.is_valid)
is_nhs = _checked(nhs.is_valid)
is_idnr = _checked(idnr.is_valid)
is_nir = _checked(nir.is_valid)
is_nif = _checked(nif.is_valid)
is_nie = _checked(nie.is_valid)
is_pesel = _checked(pesel.is_valid)
is_bsn = _checked(bsn.is_valid)
is_cpf = _checked(cpf.is_valid)
is_codice_fiscale = _checked(codicefiscale.is_valid)
is_vat = _checked(vat.is_valid)
_is_iban = _checked(lambda text: iban.is_valid(text, check_country=False))


def card_window(text: str) -> tuple[int, int] | None:
    """Return where a valid card number stands in a run of digits and separators, if one does.

    A run may hold more than the card (a shelf number before it): windows start and end where the
    separators do.
    """
    number = digits(text)
    if len(set(number)) < 3:  # noqa: PLR2004  0000 0000 0000 0000 is a placeholder, not a card.
        return None
    if 12 < len(number) < 20 and number[0] in "23456" and is_luhn(number):  # noqa: PLR2004
        return 0, len(text)
    places = [index for index, character in enumerate(text) if character.isdigit()]
    ends = {n for n in range(1, len(places)) if places[n] > places[n - 1] + 1} | {len(places)}
    for first in range(len(places) - min(_CARD_LENGTHS) + 1):
        if number[first] not in "3456" or (first and first not in ends):
            continue
        for last in (first + size for size in _CARD_LENGTHS):
            if last in ends and is_luhn(number[first:last]):
                return places[first], places[last - 1] + 1
    return None


def iban_window(text: str) -> tuple[int, int] | None:
    """Return the longest prefix of the text that is an IBAN by its check digits."""
    ends = [index + 1 for index, c in enumerate(text) if c.isalnum()]
    for size in _IBAN_LENGTHS:
        if size <= len(ends) and _is_iban(text[: ends[size - 1]]):
            return 0, ends[size - 1]
    return None


@lru_cache(maxsize=16384)
def is_national_phone(text: str) -> bool:
    """Tell whether a number without a country code is valid in one of our countries."""
    for region in _REGIONS:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(text, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
