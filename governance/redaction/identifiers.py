"""By what somebody may be recognised again: mail addresses, phone numbers, account names.

Promise: however an identifier is written, it has one form; a name is none, and neither is a secret:
of what redaction found, only what is known to be one of the three has a form at all. Pure.
"""

import re
from collections.abc import Collection
from typing import Final

from governance.redaction.findings import Shown
from governance.redaction.normalize import plain

Cell = tuple[str, str]  # An application and a category.
Forms = dict[Cell, set[str]]
LONGEST: Final = 254
# Bounded, so that no text costs more than its length.
_LETTER: Final = r"[^\s<>\"(),;:=?&/@\[\]{}]"
_MAIL: Final = re.compile(
    rf"{_LETTER}{{1,64}}@{_LETTER}{{1,189}}\.[^\s<>\"(),;:=?&/@.\[\]{{}}]{{2,63}}"
)
_AT: Final = re.compile(r" ?[(\[{] ?at ?[)\]}] ?")
_DOT: Final = re.compile(r" ?[(\[{] ?dot ?[)\]}] ?| dot ")
_PHONE: Final = re.compile(r"[\d\s+().,/-]+")
_EXTENSION: Final = re.compile(r"\s*(?:x|ext\.?|extension)\s*\d{1,6}$")
_PHONE_DIGITS: Final = range(7, 16)
# What follows the prefixes of country and area is the same however a number is written.
_TELLING_DIGITS: Final = 9
_SHORTEST: Final = 4
_REPEATED: Final = "REPEATED"
# Where the end of a country's domains is not its code.
_ENDS: Final = {"GB": "uk"}


def form_of(identifier: str) -> str | None:
    """Return the one form of a mail address, phone number or account name; None for all else."""
    text = _plain(identifier)
    if len(identifier) > LONGEST:
        return None
    if "@" in text.removeprefix("@"):
        found = _mails(text)
        return found.pop() if len(found) == 1 else None
    if _PHONE.fullmatch(text):
        return _phone(text)
    return _account(text)


def is_mail_itself(text: str) -> bool:
    """Return whether a text is one mail address and nothing beside, written as its form is.

    Only such an address reaches the mailbox that its form stands for: `"jane@x.org" <joe@y.org>`
    reaches another one, and so does one with a letter that only looks like those of `jane@x.org`.
    """
    is_plain = len(text) <= LONGEST and text.isascii() and text.isprintable()
    return is_plain and form_of(text) == f"mail:{text.casefold()}"


def forms(shown: Collection[Shown]) -> Forms:
    """Return the forms of what redaction found, by the cell that showed it."""
    typed = {one.value.casefold().strip(): one.type for one in shown if one.type != _REPEATED}
    found: Forms = {}
    for application, category, kind, value in shown:
        known = typed.get(value.casefold().strip(), "") if kind == _REPEATED else kind
        if of_value := _forms(known, _plain(value)):
            found.setdefault((application, category), set()).update(of_value)
    return found


def is_from(form: str, covered: Collection[str]) -> bool:
    """Tell whether a form is of a covered domain, or of a covered country by its domain's end.

    Only a mail address says where somebody is; every other form is from anywhere.
    """
    kind, _colon, identifier = form.partition(":")
    domain = identifier.rpartition("@")[2]
    ends = [_ENDS.get(one, one.casefold()) for one in covered]
    return kind != "mail" or any(f".{domain}".endswith(f".{end}") for end in ends)


def _forms(kind: str, text: str) -> set[str]:
    match kind:
        case "PASSWORD" | "SECRET" | "OTP" | "CVV":
            return set()
        case "PHONE":
            form = _phone(text)
        case "USERNAME":
            form = None if "@" in text.removeprefix("@") else _account(text)
        case _:
            form = None
    return _mails(text) | ({form} if form else set())


def _plain(text: str) -> str:
    """Return a text as it is compared: folded, without blanks around it, at and dot as signs."""
    folded = plain(text).text.casefold().strip().removeprefix("mailto:")
    return _DOT.sub(".", _AT.sub("@", folded))


def _mails(text: str) -> set[str]:
    # A text may stand in quotes, and end a sentence.
    return {"mail:" + found.strip(".'") for found in _MAIL.findall(text)}


def _phone(text: str) -> str | None:
    digits = "".join(filter(str.isdigit, _EXTENSION.sub("", text)))
    return f"phone:{digits[-_TELLING_DIGITS:]}" if len(digits) in _PHONE_DIGITS else None


def _account(text: str) -> str | None:
    name = text.strip("@")
    return f"account:{name}" if len(name) >= _SHORTEST and not re.search(r"\s", name) else None
