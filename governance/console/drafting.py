"""Between the draft form and a policy's content: lines of text in, JSON values out, and back.

One line is one item: `name = pattern`, `kind-of-data: name = value` for a rule, `name = value` for
a limit of what a computer is asked for. What the lines mean and whether it may stand is decided by
`governance.policies.content`; here they are only taken apart. Whatever a version holds stands in
the form, so that a change drops nothing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from django.http import QueryDict
from django.utils.translation import gettext as _

LISTS: Final = ("matchers", "titles", "urls", "fields", "masks")
# What a program is called and what it is; a line without one of these is a window's title.
PREFIXED: Final = ("process", "identity")
SELECTORS: Final = frozenset({"fields", "masks"})
# A longer number is taken as text, which no rule takes as a number.
_MOST_DIGITS: Final = 17


@dataclass(slots=True)
class Draft:
    """The form as sent: what goes back into it, and the content when it could be read."""

    application: str = ""
    purposes: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    labels: str = ""
    rules: str = ""
    budgets: str = ""
    places: str = ""
    participants: str = ""
    recording: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    content: dict[str, object] = field(default_factory=dict)


def read(sent: QueryDict, *, kind: str) -> Draft:
    """Return the draft that a form holds; `errors` name the field that could not be read."""
    draft = Draft(
        application=sent.get("application", ""),
        purposes=sent.getlist("purposes"),
        categories=sent.getlist("categories"),
        texts={name: sent.get(name, "") for name in LISTS},
        labels=sent.get("labels", ""),
        rules=sent.get("rules", ""),
        budgets=sent.get("budgets", ""),
        places=sent.get("places", ""),
        participants=sent.get("participants", ""),
        recording=sent.get("recording", ""),
    )
    if not draft.purposes:
        draft.errors["purposes"] = _("Choose at least one purpose.")
    if not draft.categories:
        draft.errors["categories"] = _("Choose at least one kind of data.")
    items = {name: _items(name, draft, kind=kind) for name in LISTS}
    if not items["matchers"] and "matchers" not in draft.errors:
        draft.errors["matchers"] = _("Say how the application is recognised.")
    draft.content = {
        "application": draft.application,
        "kind": kind,
        "purposes": draft.purposes,
        "categories": draft.categories,
        **items,
        "labels": [line.strip() for line in draft.labels.splitlines() if line.strip()],
        "rules": _rules(draft),
        "budgets": _budgets(draft),
        "places": draft.places.replace(",", " ").upper().split(),
        "participants": draft.participants.replace(",", " ").split(),
    }
    return draft


def _items(name: str, draft: Draft, *, kind: str) -> list[dict[str, str]]:
    found = []
    for number, line in enumerate(draft.texts[name].splitlines(), start=1):
        if not line.strip():
            continue
        key, separator, pattern = line.partition("=")
        if not separator or not key.strip() or not pattern.strip():
            draft.errors[name] = _("Line %d does not read “name = pattern”.") % number
            return []
        found.append(_item(name, key.strip(), pattern.strip(), kind=kind))
    return found


def _item(name: str, key: str, pattern: str, *, kind: str) -> dict[str, str]:
    if name in SELECTORS:
        return {"id": key, "selector": pattern}
    if name != "matchers":
        return {"id": key, "pattern": pattern}
    if kind == "web":
        return {"kind": "origin", "id": key, "pattern": pattern}
    known = matcher_kind(pattern)
    pattern = pattern.removeprefix(f"{known}:").strip()
    return {"kind": known, "id": key, "pattern": pattern}


def matcher_kind(pattern: str) -> str:
    """Return the kind of a desktop matcher as a line has it; without a prefix it is a title."""
    return next((kind for kind in PREFIXED if pattern.startswith(f"{kind}:")), "window-title")


def _rules(draft: Draft) -> dict[str, dict[str, object]]:
    """Return the rules by kind of data; a rule that stands twice is a mistake, not a choice."""
    found: dict[str, dict[str, object]] = {}
    for number, line in enumerate(draft.rules.splitlines(), start=1):
        if not line.strip():
            continue
        name, separator, value = line.partition("=")
        category, colon, key = (part.strip() for part in name.partition(":"))
        if not (separator and colon and category and key and value.strip()):
            words = _("Line %d does not read “kind-of-data: name = value”.")
        elif key in found.get(category, {}):
            words = _("Line %d gives a rule that another line gives already.")
        else:
            found.setdefault(category, {})[key] = _value(value.strip())
            continue
        draft.errors["rules"] = words % number
        return {}
    return found


def _budgets(draft: Draft) -> dict[str, object]:
    """Return the limits by name; what no line gives is as `governance.policies.budgets` has it."""
    found: dict[str, object] = {}
    for number, line in enumerate(draft.budgets.splitlines(), start=1):
        if not line.strip():
            continue
        name, separator, value = (part.strip() for part in line.partition("="))
        if not (separator and name and value):
            words = _("Line %d does not read “name = pattern”.")
        elif name in found:
            words = _("Line %d gives a rule that another line gives already.")
        else:
            found[name] = _value(value)
            continue
        draft.errors["budgets"] = words % number
        return {}
    return found


def _value(text: str) -> bool | int | str:
    """Return a rule's value: true or false, a whole number, or text, in quotes where in doubt."""
    if text in {"true", "false"}:
        return text == "true"
    if len(text) <= _MOST_DIGITS and text.isascii() and text.removeprefix("-").isdecimal():
        return int(text)
    if text.startswith('"'):
        try:
            read_value = json.loads(text)
        except ValueError:
            return text
        return read_value if isinstance(read_value, str) else text
    return text


def written_value(value: object) -> str:
    """Return a rule's value as the form has it, so that reading it again gives the same."""
    if isinstance(value, str):
        is_plain = _value(value) == value and value.strip() == value and value.isprintable()
        return value if is_plain else json.dumps(value)
    return json.dumps(value)


def from_content(content: Mapping[str, object]) -> Draft:
    """Return the form filled with an earlier version, so that a change starts from what holds."""
    return Draft(
        application=str(content.get("application", "")),
        purposes=_strings(content.get("purposes")),
        categories=_strings(content.get("categories")),
        texts={name: "\n".join(lines(content.get(name))) for name in LISTS},
        labels="\n".join(_strings(content.get("labels"))),
        rules="\n".join(lines(content.get("rules"))),
        budgets="\n".join(lines(content.get("budgets"))),
        places=", ".join(_strings(content.get("places"))),
        participants=", ".join(_strings(content.get("participants"))),
        content=dict(content),
    )


def _strings(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def lines(value: object) -> list[str]:
    """Return one part of a content as lines of text: what the form and a comparison show."""
    if isinstance(value, dict):
        return [f"{name} = {written_value(each)}" for name, each in _named(value)]
    items = value if isinstance(value, list) else []
    return [_line(item) if isinstance(item, dict) else str(item) for item in items]


def _named(value: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Return each rule after its kind of data, each limit by its name."""
    for key, each in value.items():
        if isinstance(each, dict):
            yield from ((f"{key}: {name}", rule) for name, rule in each.items())
        else:
            yield key, each


def _line(item: Mapping[str, str]) -> str:
    prefix = f"{item['kind']}:" if item.get("kind") in PREFIXED else ""
    return f"{item['id']} = {prefix}{item.get('pattern', item.get('selector', ''))}"
