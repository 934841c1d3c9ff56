"""Whether a policy stands for a place or a field, and which names it gives to them. Pure.

Promise: the very rules of the agent, in other code: both answer the vectors that come with the
conformance kit (`clients/remit_conformance/{patterns,surfaces,fields}.json`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from governance.policies.content import Content, Field, Matcher, NamedPattern

# `#id`, `[name=id]`, and `input[name="id"]`.
_NAMES: Final = (
    re.compile(r"#(?P<name>[\w.-]+)"),
    re.compile(r"""(?:[a-z]+)?\[name=["']?(?P<name>[\w.-]+)["']?\]"""),
)
_ROLE: Final = re.compile(r"@role=(?P<role>[a-z]{2,30})")
_WORD: Final = re.compile(r"[\w.*-]+")
_PLACE: Final = re.compile(r"@rect=\d{1,5},\d{1,5},\d{1,5},\d{1,5}")


def recognises(matchers: Sequence[Matcher], facts: Mapping[str, Sequence[str]]) -> bool:
    """Return whether a place of which so much is known is the application's.

    It must be matched in each kind of matcher that the policy names; what is not known is no match.
    """
    left = {matcher.kind for matcher in matchers}
    for matcher in matchers:
        if any(matches(matcher.pattern, value) for value in facts.get(matcher.kind, ())):
            left.discard(matcher.kind)
    return bool(matchers) and not left


def may_type_into(content: Content, field: str | None, role: str | None) -> bool:
    """Return whether text of a field may be taken; what is not known means no where it matters."""
    if field is None:
        return not content.fields and not content.masks
    masks = [each for each in content.masks if not _PLACE.fullmatch(each.selector)]
    if any(_selects(mask, field, role) is not False for mask in masks):
        return False
    return not content.fields or any(_selects(each, field, role) for each in content.fields)


def _selects(asked: Field, field: str, role: str | None) -> bool | None:
    """Return whether a selector means a field; None when it cannot be told."""
    for named in _NAMES:
        if found := named.fullmatch(asked.selector):
            return found["name"] == field
    if found := _ROLE.fullmatch(asked.selector):
        return None if role is None else found["role"] == role
    return matches(asked.selector, field) if _WORD.fullmatch(asked.selector) else None


def name_of(patterns: Iterable[NamedPattern], text: str | None) -> str | None:
    """Return the id of the first pattern that stands for a title or URL."""
    found = (each.id for each in patterns if text is not None and matches(each.pattern, text))
    return next(found, None)


def matches(pattern: str, text: str) -> bool:
    """Return whether a text is of a pattern: `*` is any run of characters, nothing else special."""
    parts = pattern.split("*")
    if len(parts) == 1:
        return pattern == text
    if not text.startswith(parts[0]):
        return False
    at = len(parts[0])
    for part in parts[1:-1]:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(parts[-1]) and text.endswith(parts[-1])
