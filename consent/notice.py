"""What a notice must say before anybody may be asked (GDPR Art. 13, one row per item).

A notice is a JSON object per language. Besides the words people read it carries the facts that
a receipt repeats, so that a receipt says exactly what was shown, whatever changes later.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import rfc8785

from consent.errors import NoticeIncompleteError

Content = Mapping[str, object]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_party(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        _is_text(value.get(field)) for field in ("name", "address", "contact")
    )


def _is_list_of(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and bool(value) and all(map(check, value))


def _is_vocabulary(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(_is_text(key) and _is_text(text) for key, text in value.items())
    )


def _is_period(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and _is_text(value.get("application"))
        and _is_text(value.get("category"))
        and isinstance(value.get("days"), int)
        and value["days"] > 0
    )


def _is_purpose(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and _is_text(value.get("title"))
        and _is_text(value.get("description"))
        and _is_list_of(_is_text)(value.get("broader"))
    )


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a notice has to say, where the law asks for it, and what counts as said."""

    field: str
    article: str
    is_said: Callable[[object], bool]


ITEMS = (
    Item("title", "12(1)", _is_text),
    Item("introduction", "12(1)", _is_text),
    Item("controller", "13(1)(a)", _is_party),
    Item("data_protection_officer", "13(1)(b)", _is_party),
    Item("purpose", "13(1)(c)", _is_purpose),
    Item("lawful_basis", "13(1)(c)", _is_text),
    Item("recipients", "13(1)(e)", _is_list_of(_is_party)),
    Item("transfers", "13(1)(f)", _is_text),
    Item("locations", "13(1)(f)", _is_list_of(_is_text)),
    Item("retention", "13(2)(a)", _is_list_of(_is_period)),
    Item("rights", "13(2)(b)", _is_text),
    Item("withdrawal", "13(2)(c)", _is_text),
    Item("authority", "13(2)(d)", _is_party),
    Item("complaint", "13(2)(d)", _is_text),
    Item("obligation", "13(2)(e)", _is_text),
    Item("automated_decisions", "13(2)(f)", _is_text),
    Item("applications", "13(1)(c)", _is_vocabulary),
    Item("categories", "13(1)(c)", _is_vocabulary),
)


def check(content: Content) -> None:
    """Raise NoticeIncompleteError naming every item that is missing, empty or malformed."""
    missing = [item.field for item in ITEMS if not item.is_said(content.get(item.field))]
    missing += sorted(set(content) - {item.field for item in ITEMS})
    if not missing:
        missing = [
            f"retention of {application}/{category}"
            for application, category in periods(content)
            if application not in _keys(content, "applications")
            or category not in _keys(content, "categories")
        ]
    if missing:
        raise NoticeIncompleteError(missing)


def _keys(content: Content, field: str) -> set[str]:
    vocabulary = content[field]
    return set(vocabulary) if isinstance(vocabulary, Mapping) else set()


def periods(content: Content) -> dict[tuple[str, str], int]:
    """Return the days that each (application, category) is kept, as the notice says."""
    rows = content.get("retention")
    if not isinstance(rows, list):
        return {}
    return {(row["application"], row["category"]): row["days"] for row in rows}


def covers(content: Content, *, application: str, category: str) -> bool:
    """Return whether the notice told people about this application and category."""
    return (application, category) in periods(content)


def digest(document: object) -> str:
    """Return the SHA-256 (hex) of the canonical JSON (RFC 8785) of a document."""
    # rfc8785 types its input as a closed union of JSON; a Mapping read from a field is that.
    return hashlib.sha256(rfc8785.dumps(document)).hexdigest()  # type: ignore[arg-type]
