"""What a policy's selectors mean: fields, roles and places, read in one way everywhere.

`#id` and `[name=id]` mean a field by its id, a word with or without `*` the same by pattern,
`@role=word` whatever has that role, `@rect=x,y,width,height` a place in its window. Promise: what
cannot be read is None, never "no"; who asks decides what is safe then.
"""

import re
from dataclasses import dataclass
from typing import Final

from remit_agent import globs
from remit_agent.observed import Element

_BY_NAME: Final = re.compile(r'(?:[a-z]+)?\[name=["\']?(?P<name>[\w.-]+)["\']?\]')
_BY_ID: Final = re.compile(r"#(?P<name>[\w.-]+)")
_BY_GLOB: Final = re.compile(r"[\w.*-]+")
_BY_ROLE: Final = re.compile(r"@role=(?P<role>[a-z]{2,30})")
_BY_PLACE: Final = re.compile(r"@rect=(\d{1,5}),(\d{1,5}),(\d{1,5}),(\d{1,5})")


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle, from the left upper corner of its window."""

    x: int
    y: int
    width: int
    height: int


def selects(selector: str, element: Element) -> bool | None:
    """Return whether a selector means the field; None when it cannot be told."""
    if found := _BY_NAME.fullmatch(selector) or _BY_ID.fullmatch(selector):
        return found["name"] == element.field
    if found := _BY_ROLE.fullmatch(selector):
        return found["role"] == element.role
    if _BY_GLOB.fullmatch(selector):
        return globs.matches(selector, element.field)
    return None


def place(selector: str) -> Place | None:
    """Return the place that a selector names, or None when it names none."""
    found = _BY_PLACE.fullmatch(selector)
    return Place(*(int(each) for each in found.groups())) if found else None


def is_known(selector: str) -> bool:
    """Whether this agent can read the selector."""
    patterns = (_BY_NAME, _BY_ID, _BY_GLOB, _BY_ROLE, _BY_PLACE)
    return any(each.fullmatch(selector) for each in patterns)
