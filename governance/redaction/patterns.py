"""The pattern table: identifiers a number, a shape or a word nearby gives away.

Patterns see the plain form (`normalize`). Each is bounded or possessive, so that no text makes one
run away; the accept functions confirm by checksum or by the words around the match. Credentials and
places have tables of their own (`secrets`, `places`).
"""

import re
from collections.abc import Callable
from typing import Final

from governance.redaction import validators as valid
from governance.redaction.context import Surroundings
from governance.redaction.findings import Accept, Range, Rule, Where, rule

_PHONE_DIGITS: Final = range(7, 16)
_CARD_DIGITS: Final = range(12, 20)
_MASKED_GROUPS: Final = re.compile(
    r"[3-6]\d{3}[ .-]\d{4}[ .-]\d{4}[ .-]\d{4}|3\d{3}[ .-]\d{6}[ .-]\d{5}"
)


def value(group: str = "v", *, unless: Callable[[str], bool] | None = None) -> Accept:
    """Accept only a named part of the match, unless a test of it says no."""

    def accept(match: re.Match[str], _: Surroundings) -> Range:
        return None if unless and unless(match[group]) else match.span(group)

    return accept


def where(*names: str, but: str | None = None, digits: int = 0) -> Where:
    """Accept the match where the words before it say what it is."""
    return Where(names, but, digits)


def checked(
    *checks: Callable[[str], bool], names: tuple[str, ...] = (), spaced: bool = False
) -> Accept:
    """Accept a number that passes a check; `names` must stand before it, unless it is spaced."""

    def accept(match: re.Match[str], around: Surroundings) -> Range:
        if not any(check(match[0]) for check in checks):
            return None
        if names and not around.says(*names) and not (spaced and " " in match[0]):
            return None
        return match.span()

    return accept


def _card(match: re.Match[str], around: Surroundings) -> Range:
    text = match[0]
    if window := valid.card_window(text):
        return match.start() + window[0], match.start() + window[1]
    if _MASKED_GROUPS.fullmatch(text):
        return match.span()
    return match.span() if len(valid.digits(text)) in _CARD_DIGITS and around.says("card") else None


def _iban(match: re.Match[str], _: Surroundings) -> Range:
    window = valid.iban_window(match[0])
    return (match.start() + window[0], match.start() + window[1]) if window else None


def _phone(match: re.Match[str], around: Surroundings) -> Range:
    if len(valid.digits(match[0])) not in _PHONE_DIGITS or around.says("not_phone"):
        return None
    return match.span()


def _phone_national(match: re.Match[str], around: Surroundings) -> Range:
    """Accept a number without a country code where someone says so, or the numbering plan does."""
    text = match[0]
    if len(valid.digits(text)) not in range(8, 13) or around.says("not_phone"):
        return None
    if around.says("phone"):
        return match.span()
    separated = re.search(r"[ ()/-]", text) is not None
    return (
        match.span()
        if separated and not around.says("count") and valid.is_national_phone(text)
        else None
    )


def _ip6(match: re.Match[str], _: Surroundings) -> Range:
    text = match[0]
    whole = text.count(":") == 7  # noqa: PLR2004  eight groups, RFC 4291
    return match.span() if "::" in text or (whole and re.search("[a-fA-F]", text)) else None


def _crypto(match: re.Match[str], _: Surroundings) -> Range:
    text = match[0]
    return match.span() if text[0] in "0b" or valid.character_classes(text) >= 3 else None  # noqa: PLR2004


_MONTHS: Final = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mai|okt|dez|juil|aout|janv|fevr|avr|ene|ago"
    r"|dic|gen|giu|lug|set|ott|mag)[a-z]{0,8}"
)
DATE: Final = (
    r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}"
    rf"|\d{{1,2}}\.? {_MONTHS}\.?,? \d{{4}}|{_MONTHS} \d{{1,2}},? \d{{4}})"
)
_MAIL_NAME: Final = r"[A-Za-z0-9_+-]{1,64}"
_DOT: Final = r"(?:\.| ?\[dot\] ?| ?\(dot\) ?| dot )"
_BYTE: Final = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_VAT: Final = (
    r"(?:ATU|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)"
)

_CONTACT: Final = (
    rule(
        "EMAIL",
        r"(?<![A-Za-z0-9._%+'-])[A-Za-z0-9._%+'-]++@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b",
        needs="@",
    ),
    rule(
        "EMAIL",
        rf"\b{_MAIL_NAME}(?:{_DOT}{_MAIL_NAME}){{0,4}} ?(?:\(at\)|\[at\]|\{{at\}}) ?"
        rf"[A-Za-z0-9-]{{1,63}}(?:{_DOT}[A-Za-z0-9-]{{1,63}}){{1,4}}",
        needs="(at) [at] {at}",
        fold=True,
    ),
    rule(
        "PHONE",
        r"(?<![\w+])\+\d{1,3}[ .()/-]{0,3}\d(?:[ .()/-]{0,2}\d){6,13}(?!\d)",
        _phone,
        needs="+",
    ),
    rule(
        "PHONE",
        r"(?<![\d.-])(?:1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}(?![\d-])"
        r"(?: ?(?:x|ext\.?|extension) ?\d{1,6}\b)?",
        _phone,
        needs="\\d",
    ),
    rule(
        "PHONE",
        r"(?<![\d.,+])\(?0\d{1,5}\)?[ ./-]?\d{1,6}(?:[ .-]?\d{1,6}){0,5}(?!\d)",
        _phone_national,
        needs="0",
    ),
    rule(
        "PHONE",
        r"(?<![\d.])\d{3} \d{2} \d{2} \d{2}(?!\d)|(?<![\d.])\d{2}(?: \d{2,3}){3,4}(?!\d)"
        r"|(?<![\d.])\d{3} \d{3} \d{3}(?! ?\d)",
        _phone_national,
        needs="\\d",
    ),
    rule("PHONE", r"(?<!\d)\d(?: \d){8,10}(?! ?\d)", needs="\\d"),
    rule(
        "PHONE",
        r"(?<![\w.])(?P<v>[+(]?\d[\d .()/-]{4,17}\d(?:x\d{1,6})?)[ -]{1,2}\(?"
        r"(?:office|fax|mobile|cell|desk|work|home|phone|tel|landline|voicemail|buro|mobil|privat|handy|bureau|oficina)\b",
        value(),
        needs="office fax mobile cell desk work home phone tel landline voicemail buro mobil privat"
        " handy bureau oficina",
        fold=True,
    ),
    rule(
        "PHONE",
        r"(?<![\w.-])\(?[2-9]\d{2}\)?[ .-]?\d{3}[ .-]?\d{4} ?(?:x|ext\.?) ?\d{1,6}\b",
        needs="x",
        fold=True,
    ),
    rule(
        "PHONE",
        r"(?<![\w.])\(?\d[\d .()/-]{5,17}\d(?!\w)",
        where("phone", but="not_phone", digits=min(_PHONE_DIGITS)),
        needs="\\d",
    ),
)
_MONEY: Final = (
    rule("CREDIT_CARD", r"(?<![\w.])\d(?:[ ./\n-]?\d){11,18}(?!\d)", _card, needs="\\d"),
    rule(
        "CVV",
        r"\b(?:cvv2?|cvc2?|cid|security code)\W{0,3}(?P<v>\d{3,4})\b",
        value(),
        needs="cv cid security",
        fold=True,
    ),
    rule(
        "IBAN",
        r"\b[A-Za-z]{2}\d{2}[ -]?(?:[A-Za-z0-9]{4}[ -]?){2,7}[A-Za-z0-9]{0,4}\b",
        _iban,
        needs="\\d",
    ),
    rule("BANK_ACCOUNT", r"(?<![\w-])\d{2}-\d{2}-\d{2}(?![\d-])", where("account"), needs="-"),
    rule(
        "BANK_ACCOUNT",
        r"(?<![\d.])\d{6,14}(?!\d)",
        where("account", but="not_phone"),
        needs="\\d",
    ),
    rule(
        "CRYPTO",
        r"\b0x[0-9a-fA-F]{40}\b|\bbc1[02-9ac-hj-np-z]{25,60}\b"
        r"|\b[13][1-9A-HJ-NP-Za-km-z]{27,34}\b",
        _crypto,
        needs="\\d",
    ),
)
_NATIONAL: Final = (
    rule(
        "US_SSN",
        r"(?<![\d-])(?!000|666|9)\d{3}(?P<x>[- ])(?!00)\d{2}(?P=x)(?!0000)\d{4}(?![\d-])",
        needs="\\d",
    ),
    rule("US_SSN", r"(?<!\d)\d{9}(?!\d)", where("social"), needs="\\d"),
    rule(
        "NATIONAL_ID",
        r"\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2}"
        r" ?[A-D]\b",
        needs="\\d",
    ),
    rule("NATIONAL_ID", r"(?<!\d)\d{3} \d{3} \d{4}(?!\d)", checked(valid.is_nhs), needs="\\d"),
    rule(
        "NATIONAL_ID",
        r"(?<!\d)\d{2} ?\d{3} ?\d{3} ?\d{3}(?!\d)",
        checked(valid.is_idnr, names=("national", "social"), spaced=True),
        needs="\\d",
    ),
    rule(
        "NATIONAL_ID",
        r"(?<!\d)[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"
        r"(?!\d)",
        checked(valid.is_nir),
        needs="\\d",
    ),
    rule(
        "NATIONAL_ID",
        r"\b(?:\d{8}-?[A-Z]|[XYZ]-?\d{7}-?[A-Z])\b",
        checked(valid.is_nif, valid.is_nie),
        needs="\\d",
    ),
    rule("NATIONAL_ID", r"\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b", needs="\\d"),
    rule(
        "NATIONAL_ID",
        r"(?<!\d)\d{2}(?:[02468][1-9]|[13579][0-2])[0-3]\d{6}(?!\d)",
        checked(valid.is_pesel),
        needs="\\d",
    ),
    rule(
        "NATIONAL_ID",
        r"(?<!\d)\d{9}(?!\d)",
        checked(valid.is_bsn, names=("national", "social")),
        needs="\\d",
    ),
    rule("NATIONAL_ID", r"(?<!\d)\d{6}[-+]\d{4}(?!\d)", checked(valid.is_luhn), needs="\\d"),
    rule(
        "NATIONAL_ID",
        r"(?<!\d)[2-9]\d{3} \d{4} \d{4}(?! ?\d)",
        checked(valid.is_verhoeff),
        needs="\\d",
    ),
    rule("NATIONAL_ID", r"\b[A-Z]{3}[PCHFATBLJG][A-Z]\d{4}[A-Z]\b", needs="\\d"),
    rule("NATIONAL_ID", r"(?<!\d)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)", needs="\\d"),
    rule(
        "NATIONAL_ID",
        r"(?<!\d)[1-79]\d{2}[ -]\d{3}[ -]\d{3}(?![ -]?\d)",
        checked(valid.is_luhn, names=("national", "social")),
        needs="\\d",
    ),
    rule(
        "NATIONAL_ID",
        r"(?<![\d.])\d{2}[ -]?\d{2,4}[ -]?\d{2,5}[ -]?\d{2,5}(?!\d)",
        where("national_here"),
        needs="\\d",
    ),
    rule(
        "TAX_ID",
        rf"\b{_VAT}[ -]?(?:\d[ .-]?){{7,11}}\d\b",
        checked(valid.is_vat),
        needs="\\d",
    ),
)
_DOCUMENTS: Final = (
    rule(
        "PASSPORT",
        r"\b[A-Z]{0,2}\d{1,2}[A-Z0-9]{6,8}\b|\b[A-Z][A-Z0-9]{7,8}\b",
        where("passport", digits=1),
        needs="\\d",
    ),
    rule(
        "DRIVER_LICENSE",
        r"\b(?:[A-Z]{1,5}[A-Z0-9]{6,15}|\d{6,12}[A-Z]{0,2})\b",
        where("licence", digits=4),
        needs="\\d",
    ),
    rule("MEDICAL_ID", r"\bMRN:?-?\d{5,10}\b", needs="mrn"),
    rule("MEDICAL_ID", r"\b[A-Z]{0,3}\d{6,10}\b", where("medical"), needs="\\d"),
    rule("EMPLOYEE_ID", r"\b[A-Z]{0,3}-?\d{4,8}\b", where("employee"), needs="\\d"),
    rule(
        "OTP",
        r"(?<![\w.-])(?:\d{3}[ -]?\d{3}|\d{4,8})(?![\w-])",
        where("code"),
        needs="\\d",
    ),
    rule("DATE_OF_BIRTH", rf"(?<!\d){DATE}(?!\d)", where("birth"), needs="\\d", fold=True),
)
_NETWORK: Final = (
    rule(
        "IP_ADDRESS",
        rf"(?<![\w.-])(?:{_BYTE}\.){{3}}{_BYTE}(?![\w]|\.\d)",
        lambda match, around: None if around.says("version") else match.span(),
        needs="\\d",
    ),
    rule(
        "IP_ADDRESS",
        r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){1,7}:?(?:[0-9a-fA-F]{1,4}:){0,6}[0-9a-fA-F]{1,4}"
        r"(?![\w]|:[0-9a-fA-F])",
        _ip6,
        needs=":",
    ),
    rule("MAC_ADDRESS", r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b", needs=": -"),
    rule("GEO", r"(?<![\d.])-?\d{1,2}\.\d{4,12},[ +]?-?\d{1,3}\.\d{4,12}", needs=","),
    rule(
        "GEO",
        r"\b(?:lat|lon|lng|latitude|longitude)[\"']?\s?[=:]\s?[\"']?(?P<v>-?\d{1,3}\.\d{3,12})",
        value(),
        needs="lat lon lng",
        fold=True,
    ),
)
RULES: Final[tuple[Rule, ...]] = (*_CONTACT, *_MONEY, *_NATIONAL, *_DOCUMENTS, *_NETWORK)


def employee_number_rule(pattern: str) -> Rule:
    """Return the rule for an organisation's own employee numbers."""
    return rule("EMPLOYEE_ID", pattern)
