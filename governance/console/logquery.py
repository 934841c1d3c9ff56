"""The explorer's search as an address: read strictly, written in one canonical order.

Promises: whatever an address holds is either searched for or refused by name; two addresses of one
search are one after `canonical`, so that it can be kept, sent and compared.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.actions import Action, Verdict
from audit.search import SearchFilters

# In the order of the address.
MANY: Final = ("events", "verdicts", "roles", "purposes")
ONCE: Final = ("text", "since", "until")
_NAMES: Final = (*ONCE, *MANY, "format", "after")
_WORD: Final = re.compile(r"[a-z0-9_-]{1,64}")
_CURSOR: Final = re.compile(r"[0-9]{1,18}")
_LONGEST_TEXT: Final = 100
_FIRST_YEAR, _LAST_YEAR = 1970, 9000


class QueryError(Exception):
    """An address that cannot be read; `words` say which part."""

    def __init__(self, words: str | Promise) -> None:
        super().__init__(str(words))
        self.words = words


@dataclass(frozen=True, slots=True)
class Query:
    """A search with the values that its address holds."""

    filters: SearchFilters
    sent: dict[str, list[str]]

    def address(self, *, without: tuple[str, str] | None = None, **instead: str) -> str:
        """Return the address of this search, one value left out or others put in, page one."""
        kept = {name: values for name, values in self.sent.items() if name in (*ONCE, *MANY)}
        if without:
            kept[without[0]] = [each for each in kept[without[0]] if each != without[1]]
        return address(kept | {name: [value] for name, value in instead.items()})


def address(values: dict[str, list[str]]) -> str:
    """Return a canonical query string, with its question mark."""
    return f"?{urlencode(_pairs(values), safe=':/')}"


def _pairs(values: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name in _NAMES
        for value in sorted(set(values.get(name, ())))
        if value.strip()
    ]


def is_canonical(given: QueryDict) -> bool:
    """Tell whether an address is the one that `address` would write."""
    values = {name: given.getlist(name) for name in given}
    return [(name, each) for name in values for each in values[name]] == _pairs(values)


def read(given: QueryDict) -> Query:
    """Return the search of an address. Raises QueryError for what it does not understand."""
    if strangers := sorted(set(given) - set(_NAMES)):
        raise QueryError(_("This search knows no “%s”.") % strangers[0][:40])
    sent = {name: [each for each in given.getlist(name) if each.strip()] for name in given}
    for name in (*ONCE, "format", "after"):
        if len(sent.get(name, ())) > 1:
            raise QueryError(_("“%s” stands there twice.") % name)
    for value in sent.get("after", ()):
        if not _CURSOR.fullmatch(value):
            raise QueryError(_("There is no such page."))
    filters = SearchFilters(
        events=_known(sent, "events", frozenset(Action)),
        verdicts=_known(sent, "verdicts", frozenset(Verdict)),
        purposes=_words(sent, "purposes"),
        roles=_words(sent, "roles"),
        since=_day(sent, "since"),
        until=_day(sent, "until", later=1),
        text=_text(sent),
    )
    return Query(filters, sent)


def _known(sent: dict[str, list[str]], name: str, known: frozenset[str]) -> frozenset[str]:
    values = frozenset(sent.get(name, ()))
    if strangers := sorted(values - known):
        raise QueryError(_("There is no “%s” to filter by.") % strangers[0][:40])
    return values


def _words(sent: dict[str, list[str]], name: str) -> frozenset[str]:
    values = frozenset(sent.get(name, ()))
    for value in sorted(values):
        if not _WORD.fullmatch(value):
            raise QueryError(_("There is no “%s” to filter by.") % value[:40])
    return values


def _text(sent: dict[str, list[str]]) -> str:
    for value in sent.get("text", ()):
        if len(value) > _LONGEST_TEXT:
            raise QueryError(_("What you look for is too long for a number, an id or a hash."))
        return value.strip()
    return ""


def _day(sent: dict[str, list[str]], name: str, *, later: int = 0) -> datetime | None:
    """Return the start of a day (UTC), or of one `later`; years far off are no limit."""
    for value in sent.get(name, ()):
        try:
            found = date.fromisoformat(value)
        except ValueError as error:
            raise QueryError(_("“%s” is no day.") % value[:40]) from error
        if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
            found = date(min(max(found.year, _FIRST_YEAR), _LAST_YEAR), 1, 1)
        return datetime.combine(found + timedelta(days=later), time(), tzinfo=UTC)
    return None
