"""The names of what has a key everywhere: kinds of data and places, in the reader's language."""

import re
from datetime import timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from governance.policies import propagation
from governance.policies.categories import Category
from governance.web.wording import Words

# The places that a law is known for here, and their neighbours; others are shown by their code.
PLACES: Final[dict[str, Words]] = {
    "EU": _("European Union"),
    "AT": _("Austria"),
    "BE": _("Belgium"),
    "CH": _("Switzerland"),
    "DE": _("Germany"),
    "ES": _("Spain"),
    "FR": _("France"),
    "GB": _("United Kingdom"),
    "UK": _("United Kingdom"),
    "IE": _("Ireland"),
    "IT": _("Italy"),
    "LU": _("Luxembourg"),
    "NL": _("the Netherlands"),
    "PL": _("Poland"),
    "US": _("United States"),
    "US-CA": _("California"),
    "US-CT": _("Connecticut"),
    "US-DE": _("Delaware"),
    "US-ME": _("Maine"),
    "US-NY": _("New York"),
}


def category(key: object) -> Words:
    """Return the name of a data category, or the key itself."""
    try:
        return Category(str(key)).label
    except ValueError:
        return str(key)


def place(code: object) -> str:
    """Return a place with its code, such as “Germany (DE)”, or the code alone."""
    name = PLACES.get(str(code))
    return str(code) if name is None else f"{name} ({code})"


# The parts of a policy.
PARTS: Final[dict[str, Words]] = {
    "purposes": _("Purposes"),
    "categories": _("Kinds of data"),
    "places": _("Where people work"),
    "matchers": _("Recognised by"),
    "titles": _("Window titles that get a name"),
    "urls": _("Pages that get a name"),
    "fields": _("Fields whose text may be captured"),
    "masks": _("Places that are never captured"),
    "labels": _("Menu words that may be captured"),
    "rules": _("Rules for single kinds of data"),
    "budgets": _("What a computer may be asked for"),
}
KINDS: Final[dict[str, Words]] = {"web": _("web application"), "desktop": _("desktop program")}

# What a law asks for, as its profile has it.
DUTIES: Final[dict[str, Words]] = {
    "codetermination-none": _("none asked for"),
    "codetermination-consultation": _("they are consulted"),
    "codetermination-consent": _("they have to agree"),
    "notice-none": _("none asked for"),
    "notice-written": _("in writing"),
    "notice-acknowledged": _("in writing, and people say that they read it"),
    "repeat-none": "",
    "repeat-yearly": _("every year"),
    "repeat-daily": _("every day"),
    "checked-read": _("its text was read"),
    "checked-secondary": _("from a secondary source"),
    "checked-memory": _("not looked up yet"),
    "checked-own-rule": _("a rule of this product"),
}
BASES: Final[dict[str, Words]] = {
    "A6-1-a-explicit-consent": _("Explicit consent (GDPR 6(1)(a))"),
    "A6-1-f": _("Legitimate interests (GDPR 6(1)(f))"),
}
_SPAN: Final = re.compile(r"P([0-9]+)([YMWD])", re.ASCII)


def span(text: object) -> str:
    """Return a span of ISO 8601 in words, such as “1 month” for P1M; another as it stands."""
    match = _SPAN.fullmatch(str(text))
    if match is None:
        return str(text)
    number = int(match[1])
    match match[2]:
        case "Y":
            words = ngettext("%(number)d year", "%(number)d years", number)
        case "M":
            words = ngettext("%(number)d month", "%(number)d months", number)
        case "W":
            words = ngettext("%(number)d week", "%(number)d weeks", number)
        case _:
            words = ngettext("%(number)d day", "%(number)d days", number)
    return words % {"number": number}


def longest_alone() -> str:
    """Print how long a computer may go on that cannot reach this service; the same for everybody.

    The words stand after "after".
    """
    minutes = propagation.longest_alone(at=timezone.now()) // timedelta(minutes=1)
    if minutes % 60:
        return ngettext("%(number)d minute", "%(number)d minutes", minutes) % {"number": minutes}
    hours = minutes // 60
    return ngettext("%(number)d hour", "%(number)d hours", hours) % {"number": hours}
