"""What one version of a policy says that another does not: in sentences, each wider or narrower.

Wider means that more may be captured than before. What people allowed under the one version does
not cover it (`governance.policies.scopes` decides that; here it is only said).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.console.drafting import LISTS, lines, matcher_kind, written_value
from governance.policies import selectors
from governance.policies.budgets import Budgets
from governance.web import naming

_LISTED: Final = ("purposes", "categories", "places", "participants", *LISTS, "labels", "rules")
PARTS: Final = (*_LISTED, "budgets")
_OPEN_WHEN_EMPTY: Final = frozenset({"fields", "participants"})

_ADDED: Final[Mapping[str, str | Promise]] = {
    "purposes": gettext_lazy("It may be used for one purpose more: %(what)s."),
    "categories": gettext_lazy("It captures one kind of data more: %(what)s."),
    "places": gettext_lazy("People may be captured who work in one place more: %(what)s."),
    "participants": gettext_lazy("Work beside people from here may be captured: %(what)s."),
    "matchers": gettext_lazy("The application is recognised in one way more: %(what)s."),
    "titles": gettext_lazy("One window title more gets a name: %(what)s."),
    "urls": gettext_lazy("One page more gets a name: %(what)s."),
    "fields": gettext_lazy("Text typed into one field more may be captured: %(what)s."),
    "masks": gettext_lazy("One place more is never captured: %(what)s."),
    "labels": gettext_lazy("One menu word more may be captured: %(what)s."),
    "rules": gettext_lazy("A rule is new: %(what)s."),
}
_REMOVED: Final[Mapping[str, str | Promise]] = {
    "purposes": gettext_lazy("It may no longer be used for: %(what)s."),
    "categories": gettext_lazy("It no longer captures: %(what)s."),
    "places": gettext_lazy("Nobody is captured any more who works in: %(what)s."),
    "participants": gettext_lazy("Work beside people from here is not named any more: %(what)s."),
    "matchers": gettext_lazy("The application is no longer recognised by: %(what)s."),
    "titles": gettext_lazy("A window title gets no name any more: %(what)s."),
    "urls": gettext_lazy("A page gets no name any more: %(what)s."),
    "fields": gettext_lazy("Text typed into this field is no longer captured: %(what)s."),
    "masks": gettext_lazy("This place is masked no longer: %(what)s."),
    "labels": gettext_lazy("A menu word is no longer captured: %(what)s."),
    "rules": gettext_lazy("A rule is gone: %(what)s."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that a version says: which part of it, and the words."""

    part: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One difference in a sentence; `is_wider` when more may be captured than before."""

    sentence: str
    is_wider: bool


def said(content: Mapping[str, object]) -> list[Line]:
    """Return all that a version says, part by part, in words."""
    names = _names()
    return [
        Line(part, _words(part, line, names)) for part in PARTS for line in lines(content.get(part))
    ]


def changes(old: Mapping[str, object], new: Mapping[str, object]) -> list[Change]:
    """Return what a version says otherwise than another one, the wider first."""
    names = _names()
    found = [
        change
        for part in _LISTED
        for change in _of_part(part, lines(old.get(part)), lines(new.get(part)), names)
    ]
    found += _of_budgets(old.get("budgets", {}), new.get("budgets", {}))
    return sorted(found, key=lambda change: not change.is_wider)


def _of_part(part: str, was: list[str], will: list[str], names: Mapping[str, str]) -> list[Change]:
    found = []
    if part == "fields" and bool(was) is not bool(will):
        # Without any named field every field may be typed into; the first name shuts the others.
        found.append(_every_field(opened=bool(was)))
    widens = part != "masks"
    had, has = set(was), set(will)
    for line in will:
        if line not in had:
            sentence = str(_ADDED[part]) % {"what": _words(part, line, names)}
            # The first of these gives nothing that was not open before.
            is_first = part in _OPEN_WHEN_EMPTY and not was
            found.append(Change(sentence, widens and not is_first))
    for line in was:
        if line not in has:
            sentence = str(_REMOVED[part]) % {"what": _words(part, line, names)}
            found.append(Change(sentence, _is_wider_without(part, line, will)))
    return found


def _kind_of(line: str) -> str:
    return matcher_kind(line.partition(" = ")[2])


def _is_wider_without(part: str, line: str, will: list[str]) -> bool:
    if part == "matchers":
        # A window matches every kind that is named, so that without one kind more windows match.
        return _kind_of(line) not in map(_kind_of, will)
    if part in _OPEN_WHEN_EMPTY:
        return not will
    # A rule mostly narrows, so that without it more may come; doubt counts as wider.
    return part in {"masks", "rules"}


def _of_budgets(old: object, new: object) -> list[Change]:
    was, will = msgspec.convert(old, Budgets), msgspec.convert(new, Budgets)
    found = []
    for name in Budgets.__struct_fields__:
        before, after = getattr(was, name), getattr(will, name)
        if before != after:
            words = _("A computer may be asked for %(name)s = %(after)s, before %(before)s.")
            words %= {
                "name": name,
                "after": written_value(after),
                "before": written_value(before),
            }
            is_wider = not msgspec.structs.replace(was, **{name: after}).is_within(was)
            found.append(Change(words, is_wider))
    return found


def _every_field(*, opened: bool) -> Change:
    if opened:
        words = _("No field is named any more, so text typed into every field may be captured.")
        return Change(words, is_wider=True)
    words = _("Fields are named now, so text typed into any other field is no longer captured.")
    return Change(words, is_wider=False)


def _names() -> dict[str, str]:
    return {purpose.key: purpose.name for purpose in selectors.purposes()}


def _words(part: str, line: str, purposes: Mapping[str, str]) -> str:
    match part:
        case "purposes":
            return purposes.get(line, line)
        case "categories":
            return str(naming.category(line))
        case "places":
            return str(naming.place(line))
        case "rules":
            category, _colon, rule = line.partition(": ")
            return f"{naming.category(category)}, {rule}"
    return line
