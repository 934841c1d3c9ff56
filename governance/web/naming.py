"""The names of what has a key everywhere: kinds of data and places, in the reader's language."""

from typing import Final

from django.utils.translation import gettext_lazy as _

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
