"""Between the draft form and a policy's content: lines of text in, JSON values out, and back.

One line is one item: `name = pattern`. What the lines mean and whether it may stand is decided by
`governance.policies.content`; here they are only taken apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.http import QueryDict
from django.utils.translation import gettext as _

LISTS: Final = ("matchers", "titles", "urls", "fields", "masks")
SELECTORS: Final = frozenset({"fields", "masks"})


@dataclass(slots=True)
class Draft:
    """The form as sent: what goes back into it, and the content when it could be read."""

    application: str = ""
    purposes: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    labels: str = ""
    places: str = ""
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
        places=sent.get("places", ""),
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
        "rules": {},
        "places": draft.places.replace(",", " ").upper().split(),
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
    # A process is named without blanks or wildcards; anything else is a window's title.
    process = pattern.startswith("process:")
    return {
        "kind": "process" if process else "window-title",
        "id": key,
        "pattern": pattern.removeprefix("process:").strip(),
    }


def from_content(content: Mapping[str, object]) -> Draft:
    """Return the form filled with an earlier version, so that a change starts from what holds."""
    return Draft(
        application=str(content.get("application", "")),
        purposes=_strings(content.get("purposes")),
        categories=_strings(content.get("categories")),
        texts={name: "\n".join(_lines(content.get(name))) for name in LISTS},
        labels="\n".join(_strings(content.get("labels"))),
        places=", ".join(_strings(content.get("places"))),
    )


def _strings(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _lines(value: object) -> list[str]:
    lines = []
    for item in value if isinstance(value, list) else []:
        pattern = item.get("pattern", item.get("selector", ""))
        prefix = "process:" if item.get("kind") == "process" else ""
        lines.append(f"{item['id']} = {prefix}{pattern}")
    return lines


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of a comparison: what was added or removed, and where."""

    change: str
    part: str
    text: str


def compare(old: Mapping[str, object] | None, new: Mapping[str, object]) -> list[Difference]:
    """Return what a version adds and removes; a first version adds everything it holds."""
    before = {} if old is None else old
    found: list[Difference] = []
    for part in ("purposes", "categories", "places", *LISTS, "labels"):
        was, will = _as_lines(before.get(part)), _as_lines(new.get(part))
        found += [Difference("added", part, line) for line in will if line not in was]
        found += [Difference("removed", part, line) for line in was if line not in will]
    return found


def _as_lines(value: object) -> Sequence[str]:
    if not isinstance(value, list):
        return ()
    return _lines(value) if value and isinstance(value[0], dict) else [str(one) for one in value]
