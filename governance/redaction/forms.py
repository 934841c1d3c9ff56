"""What each type of event is held to beyond its bounds, worked out once from the type itself.

Promise: a leaf that may hold free words is checked whatever its name; what a type cannot hold costs
its events nothing. Reading the lines, and the reasons they are refused for, belong to `events`.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, Final

import msgspec
from msgspec import inspect

from governance.redaction import vocabulary
from governance.redaction.schema import (
    BARE,
    ENVELOPE,
    KEY_LEAVES,
    ONE_CATEGORY,
    STORED_ONLY,
    TYPES,
    Event,
    KeyPress,
    KeyShortcut,
)

ROLE_FIELDS: Final = ("element_role", "control_role", "field_role")
NAME_FIELDS: Final = ("key_name", "canonical_key_name")
_CHARACTER_FIELDS: Final = ("key_char", "canonical_key_char")
_TYPED_CONTROLS: Final = frozenset("\b\t\n\r\x7f")
_UNCLEAN: Final = re.compile("[\x00\ud800-\udfff]")

Leaf = Callable[[Any], Any]
Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Form:
    """One type: what its lines may name, what its values are checked for, what it counts as.

    `category` holds for every event of the type, and `only` is the one in it; for keys it is empty
    and each is looked at.
    """

    struct: type[Event]
    known: frozenset[str]
    has_stored_only: bool
    has_label: bool
    is_key: bool
    checks: tuple[Check, ...]
    category: frozenset[str]
    only: str | None


def _leaves() -> dict[tuple[str, str], str | None]:
    table: dict[tuple[str, str], str | None] = {}
    by_type = {kind: category for category, kinds in ONE_CATEGORY.items() for kind in kinds}
    for name, struct in TYPES.items():
        for leaf in struct.__struct_fields__:
            if leaf in ENVELOPE or leaf in STORED_ONLY:
                continue
            if issubclass(struct, KeyPress):
                table[name, leaf] = KEY_LEAVES.get(leaf, "keystroke-text")
            else:
                table[name, leaf] = by_type.get(name)
    return table


# The data category of every leaf a wire event can carry; None is session control.
LEAVES: Final = _leaves()
_KEY_LEAVES: Final = tuple(leaf for kind, leaf in LEAVES if kind == "key.down")
_KEY_CATEGORIES: Final = tuple(LEAVES["key.down", leaf] for leaf in _KEY_LEAVES)
_key_values = attrgetter(*_KEY_LEAVES)


def key_categories(event: Event) -> frozenset[str]:
    """Return the categories of the leaves that a key going down or up carries."""
    pairs = zip(_KEY_CATEGORIES, _key_values(event), strict=True)
    return frozenset(category for category, value in pairs if value is not None and category)


def says_a_key(event: Event) -> bool:
    """Tell whether a key event says anything of the key itself."""
    return any(value is not None for value in _said(event))


_said = attrgetter(*NAME_FIELDS, *_CHARACTER_FIELDS, "key_class", "key_vk", "canonical_key_vk")


def _category(name: str, struct: type[Event]) -> frozenset[str]:
    """Return the one category of all events of a type; ValueError when one could go without."""
    if issubclass(struct, KeyPress):
        return frozenset()
    found = {LEAVES[name, leaf] for kind, leaf in LEAVES if kind == name} | {BARE.get(name)}
    categories = frozenset(category for category in found if category is not None)
    required = {field.name for field in msgspec.structs.fields(struct) if field.required}
    if categories and name not in BARE and not required - ENVELOPE:
        raise ValueError(f"An event {name} could carry no leaf, and so be of no category.")
    return categories


def _form(name: str, struct: type[Event]) -> Form:
    leaves, category = frozenset(struct.__struct_fields__), _category(name, struct)
    return Form(
        struct=struct,
        known=ENVELOPE.union(leaves) - STORED_ONLY,
        has_stored_only=bool(leaves & STORED_ONLY),
        has_label="control_label" in leaves,
        is_key=issubclass(struct, KeyPress),
        checks=tuple(_checks(struct)),
        category=category,
        only=next(iter(category), None),
    )


def _checks(struct: type[Event]) -> Iterable[Check]:
    """Yield the checks against closed word lists and against characters no keyboard makes."""
    for field in msgspec.structs.fields(struct):
        value = attrgetter(field.name)
        for leaves, check in _BY_NAME:
            if field.name in leaves:
                yield partial(check, value)
        if _is_free(inspect.type_info(field.type)):
            yield partial(_is_clean, value)
    if issubclass(struct, KeyShortcut):
        yield _is_shortcut


def _is_free(kind: inspect.Type) -> bool:
    """Tell whether a leaf may hold a string that no pattern bounds."""
    if isinstance(kind, inspect.UnionType):
        return any(map(_is_free, kind.types))
    return isinstance(kind, inspect.StrType) and kind.pattern is None


def _is_role(leaf: Leaf, event: Event) -> bool:
    value = leaf(event)
    return value is None or value in vocabulary.ROLES


def _is_key_name(leaf: Leaf, event: Event) -> bool:
    value = leaf(event)
    return value is None or value in vocabulary.KEY_NAMES


def _is_character(leaf: Leaf, event: Event) -> bool:
    """Accept printable characters and the few controls that typing makes."""
    value = leaf(event)
    return value is None or all(c.isprintable() or c in _TYPED_CONTROLS for c in value)


def _have_roles(leaf: Leaf, event: Event) -> bool:
    return all(node.role in vocabulary.ROLES for node in leaf(event))


def _is_clean(leaf: Leaf, event: Event) -> bool:
    value = leaf(event)
    return not isinstance(value, str) or _UNCLEAN.search(value) is None


def _is_shortcut(event: KeyShortcut) -> bool:
    """Tell whether the keys are named; a letter counts only when a modifier makes it a command."""
    commanded = any(key in vocabulary.LETTER_MODIFIERS for key in event.keys)
    characters = [key for key in event.keys if key not in vocabulary.KEY_NAMES]
    return not characters or (
        commanded
        and len(characters) == 1
        and len(characters[0]) == 1
        and characters[0].isprintable()
    )


_BY_NAME: Final = (
    (ROLE_FIELDS, _is_role),
    (NAME_FIELDS, _is_key_name),
    (_CHARACTER_FIELDS, _is_character),
    (("nodes",), _have_roles),
)
FORMS: Final = {name: _form(name, struct) for name, struct in TYPES.items()}
# Types whose events are held to their bounds alone: none of their leaves says a word, a role, a key
# or a field.
PLAIN: Final = frozenset(
    name
    for name, form in FORMS.items()
    if not (form.checks or form.is_key or form.has_label or "field" in form.known)
)
