"""What a captured event is: read strictly, sorted into its one category, written canonically.

Promise: what leaves `parse_lines` has a known type, known fields of bounded values, exactly one
data category or none (session control), and never came from a secure field. Everything else is
counted under a reason and forgotten; no input raises. What this module leaves to others: whether
the category is consented and allowed at the event's time (capture), and what typed text says
(redaction).
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import msgspec

from governance.redaction import vocabulary
from governance.redaction.schema import (
    BARE,
    DENIED_TYPES,
    ENVELOPE,
    KEY_LEAVES,
    MASK,
    ONE_CATEGORY,
    STORED_ONLY,
    TYPES,
    Event,
    KeyPress,
    KeyShortcut,
)

__all__ = [
    "LEAVES",
    "MASK",
    "SCHEMA_ID",
    "TYPES",
    "Event",
    "Parsed",
    "categories_of",
    "json_schema",
    "parse_lines",
    "to_dict",
    "to_line",
]

SCHEMA_ID: Final = "/api/v1/schemas/events-1.json"
MAX_BYTES: Final = 8 << 20
MAX_LINE: Final = 512 << 10
MAX_EVENTS: Final = 5000
_ROLE_FIELDS: Final = ("element_role", "control_role", "field_role")
_NAME_FIELDS: Final = ("key_name", "canonical_key_name")
_CHARACTER_FIELDS: Final = ("key_char", "canonical_key_char")
_TYPED_CONTROLS: Final = frozenset("\b\t\n\r\x7f")

Labels = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Parsed:
    """The events that may be judged further, and how many were refused for which reason."""

    events: list[Event]
    refused: dict[str, int]


class _RefusedError(Exception):
    """A line is not an event; the one argument is the reason."""


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


def categories_of(event: Event) -> frozenset[str]:
    """Return the categories of the leaves this event carries: one, or none for session control."""
    found = {
        category
        for leaf in event.__struct_fields__
        if (category := LEAVES.get((event.type, leaf))) is not None
        and getattr(event, leaf) is not None
    }
    if event.type in BARE:
        found.add(BARE[event.type])
    return frozenset(found)


def to_line(event: Event) -> bytes:
    """Return the event's canonical bytes: sorted names, no blanks, absent leaves left out."""
    return msgspec.json.encode(event, order="sorted")


def to_dict(event: Event) -> dict[str, Any]:
    """Return the event as plain values, for readers behind the gate."""
    plain: dict[str, Any] = msgspec.to_builtins(event, order="sorted")
    return plain


def parse_lines(data: bytes, *, labels: Labels | None = None) -> Parsed:
    """Read newline-delimited events; refuse each bad line by itself, under a reason.

    `labels` lists, by application, the control labels its active policy allows; without it every
    `control_label` is refused. A field that was secure once in these lines is secure in all of
    them, so that "show password" shows nothing. Reasons: not_json, unknown_type, unknown_field,
    bad_value, mixed_category, secure_field, category_denied, label_not_listed, too_large, too_many.
    """
    if len(data) > MAX_BYTES:
        return Parsed([], {"too_large": 1})
    refused: Counter[str] = Counter()
    objects = list(_objects(data, refused))
    secure = {_element(item) for item in objects if _is_secure(item)} - {None}
    events: list[Event] = []
    for item in objects:
        if _is_secure(item) or _element(item) in secure:
            refused["secure_field"] += 1
            continue
        try:
            events.append(_event(item, labels or {}))
        except _RefusedError as error:
            refused[error.args[0]] += 1
    return Parsed(events, dict(sorted(refused.items())))


def _objects(data: bytes, refused: Counter[str]) -> Iterable[dict[str, Any]]:
    """Yield the JSON objects of the lines, up to the number a batch may hold."""
    lines = [line for line in data.split(b"\n") if line.strip()]
    if len(lines) > MAX_EVENTS:
        refused["too_many"] = len(lines) - MAX_EVENTS
    for line in lines[:MAX_EVENTS]:
        try:
            yield _read_object(line)
        except _RefusedError as error:
            refused[error.args[0]] += 1


def _read_object(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise _RefusedError("too_large")
    try:
        value = json.loads(
            line.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError):  # Bad UTF-8, bad JSON, endless digits, endless depth.
        raise _RefusedError("not_json") from None
    if not isinstance(value, dict):
        raise _RefusedError("not_json")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RefusedError("not_json")
    return found


def _refuse_constant(_: str) -> NoReturn:
    raise _RefusedError("bad_value")


def _is_secure(item: Mapping[str, Any]) -> bool:
    role = item.get("field_role")
    return isinstance(role, str) and role.strip().lower() in vocabulary.SECURE_ROLES


def _element(item: Mapping[str, Any]) -> tuple[str, str] | None:
    app, field = item.get("app"), item.get("field")
    return (app, field) if isinstance(app, str) and isinstance(field, str) else None


def _event(item: dict[str, Any], labels: Labels) -> Event:
    """Return the typed event of a plain object, or raise the reason it is refused for."""
    kind = item.get("type")
    if isinstance(kind, str) and kind in DENIED_TYPES:
        raise _RefusedError("category_denied")
    struct = TYPES.get(kind) if isinstance(kind, str) else None
    if struct is None:
        raise _RefusedError("unknown_type")
    known = ENVELOPE.union(struct.__struct_fields__) - STORED_ONLY
    if not item.keys() <= known:
        raise _RefusedError("unknown_field")
    try:
        event = msgspec.convert(item, struct)
    except msgspec.ValidationError as error:
        reason = "unknown_field" if "unknown field" in str(error) else "bad_value"
        raise _RefusedError(reason) from None
    _check_values(event)
    _check_category(event, labels)
    return event


def _check_values(event: Event) -> None:
    """Refuse words outside the closed lists and characters no keyboard makes."""
    checks: list[bool] = [
        all(_known(event, leaf, vocabulary.ROLES) for leaf in _ROLE_FIELDS),
        all(_known(event, leaf, vocabulary.KEY_NAMES) for leaf in _NAME_FIELDS),
        all(node.role in vocabulary.ROLES for node in getattr(event, "nodes", ())),
        all(_is_character(getattr(event, leaf, None)) for leaf in _CHARACTER_FIELDS),
        all(_is_clean(text) for text in _texts(event)),
        not isinstance(event, KeyShortcut) or _is_shortcut(event.keys),
    ]
    if not all(checks):
        raise _RefusedError("bad_value")


def _known(event: Event, leaf: str, words: frozenset[str]) -> bool:
    value = getattr(event, leaf, None)
    return value is None or value in words


def _is_character(value: str | None) -> bool:
    """Accept printable characters and the few controls that typing makes."""
    return value is None or all(c.isprintable() or c in _TYPED_CONTROLS for c in value)


def _texts(event: Event) -> Iterable[str]:
    for leaf in event.__struct_fields__:
        value = getattr(event, leaf)
        if isinstance(value, str):
            yield value


def _is_clean(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _is_shortcut(keys: list[str]) -> bool:
    """Tell whether the keys are named; a letter counts only when a modifier makes it a command."""
    commanded = any(key in vocabulary.LETTER_MODIFIERS for key in keys)
    characters = [key for key in keys if key not in vocabulary.KEY_NAMES]
    return not characters or (
        commanded
        and len(characters) == 1
        and len(characters[0]) == 1
        and characters[0].isprintable()
    )


def _check_category(event: Event, labels: Labels) -> None:
    categories = categories_of(event)
    if len(categories) > 1:
        raise _RefusedError("mixed_category")
    if isinstance(event, KeyPress) and not _says_a_key(event):
        raise _RefusedError("bad_value")
    label = getattr(event, "control_label", None)
    if label is not None and label not in labels.get(event.app, ()):
        raise _RefusedError("label_not_listed")


def _says_a_key(event: KeyPress) -> bool:
    leaves = (*_NAME_FIELDS, *_CHARACTER_FIELDS, "key_class", "key_vk", "canonical_key_vk")
    return any(getattr(event, leaf) is not None for leaf in leaves)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema 2020-12 of a wire event, made from the types the code parses with."""
    _, parts = msgspec.json.schema_components(list(TYPES.values()), ref_template="#/$defs/{name}")
    for definition in parts.values():
        properties: dict[str, Any] = definition.get("properties", {})
        for leaf in STORED_ONLY:
            properties.pop(leaf, None)
        for leaf, value in properties.items():
            _publish_words(leaf, value)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "A captured event",
        "oneOf": [{"$ref": f"#/$defs/{struct.__name__}"} for struct in TYPES.values()],
        "$defs": dict(sorted(parts.items())),
    }


def _publish_words(leaf: str, value: dict[str, Any]) -> None:
    """Put the closed word lists, which msgspec checks apart, where a reader looks for them."""
    words = None
    if leaf == "role" or leaf in _ROLE_FIELDS:
        words = vocabulary.ROLES
    elif leaf in _NAME_FIELDS:
        words = vocabulary.KEY_NAMES
    if words is None:
        return
    target = next((part for part in value.get("anyOf", []) if part.get("type") == "string"), value)
    target["enum"] = sorted(words)
