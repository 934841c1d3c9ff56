"""What a captured event is: read strictly, sorted into its one category, written canonically.

Promise: what leaves `parse_lines` has a known type, known fields of bounded values, exactly one
data category or none (session control), and never came from a secure field. Everything else is
counted under a reason and forgotten; no input raises. What this module leaves to others: whether
the category is consented and allowed at the event's time (capture), and what typed text says
(redaction).
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import msgspec

from governance.redaction import quick, vocabulary
from governance.redaction.forms import (
    FORMS,
    LEAVES,
    NAME_FIELDS,
    PLAIN,
    ROLE_FIELDS,
    Form,
    key_categories,
    says_a_key,
)
from governance.redaction.schema import MASK, STORED_ONLY, TYPES, Event

__all__ = [
    "LEAVES",
    "MASK",
    "SCHEMA_ID",
    "TYPES",
    "Event",
    "Parsed",
    "categories_of",
    "category_of",
    "json_schema",
    "parse_lines",
    "to_dict",
    "to_line",
]

SCHEMA_ID: Final = "/api/v1/schemas/events-1.json"
MAX_BYTES: Final = 8 << 20
MAX_LINE: Final = 512 << 10
MAX_EVENTS: Final = 5000

_encode: Final = msgspec.json.Encoder(order="sorted").encode

Labels = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Parsed:
    """The events that may be judged further, and how many were refused for which reason."""

    events: list[Event]
    refused: dict[str, int]


class _RefusedError(Exception):
    """A line is not an event; the one argument is the reason."""


def categories_of(event: Event) -> frozenset[str]:
    """Return the categories of the leaves this event carries: one, or none for session control."""
    form = FORMS[event.type]
    return key_categories(event) if form.is_key else form.category


def category_of(event: Event) -> str | None:
    """Return the one category of an event that `parse_lines` let through; None: session control."""
    form = FORMS[event.type]
    return next(iter(key_categories(event)), None) if form.is_key else form.only


def to_line(event: Event) -> bytes:
    """Return the event's canonical bytes: sorted names, no blanks, absent leaves left out."""
    return _encode(event)


def to_dict(event: Event) -> dict[str, Any]:
    """Return the event as plain values, for readers behind the gate."""
    plain: dict[str, Any] = msgspec.to_builtins(event, order="sorted")
    return plain


def parse_lines(data: bytes, *, labels: Labels | None = None) -> Parsed:
    """Read newline-delimited events; refuse each bad line by itself, under a reason.

    `labels` lists, by application, the control labels its active policy allows; without it every
    `control_label` is refused. A field that was secure once in these lines is secure in all of
    them, so that "show password" shows nothing. Reasons: not_json, unknown_type, unknown_field,
    bad_value, mixed_category, secure_field, label_not_listed, too_large, too_many.
    """
    if len(data) > MAX_BYTES:
        return Parsed([], {"too_large": 1})
    refused: Counter[str] = Counter()
    items = _read(data, refused)
    secure = [item for item in items if _is_secure(item)]
    elements = {_element(item) for item in secure} - {None}
    events: list[Event] = []
    for item in items:
        if isinstance(item, Event) and item.type in PLAIN:
            events.append(item)
        elif secure and (_is_secure(item) or _element(item) in elements):
            refused["secure_field"] += 1
        else:
            try:
                events.append(_event(item, labels or {}))
            except _RefusedError as error:
                refused[error.args[0]] += 1
    return Parsed(events, dict(sorted(refused.items())))


def _read(data: bytes, refused: Counter[str]) -> list[Event | dict[str, Any]]:
    """Return what the lines hold, up to the number a batch may hold: events, or JSON objects."""
    lines = [line for line in data.split(b"\n") if line.strip()]
    if len(lines) > MAX_EVENTS:
        refused["too_many"] = len(lines) - MAX_EVENTS
    items: list[Event | dict[str, Any]] = []
    for line in lines[:MAX_EVENTS]:
        if len(line) > MAX_LINE:
            refused["too_large"] += 1
            continue
        try:
            items.append(quick.read(line) or _read_object(line))
        except _RefusedError as error:
            refused[error.args[0]] += 1
    return items


def _read_object(line: bytes) -> dict[str, Any]:
    try:
        text = line.decode("utf-8").strip(_BLANKS)
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):  # Bad UTF-8, bad JSON, endless digits, endless depth.
        raise _RefusedError("not_json") from None
    if end != len(text) or not isinstance(value, dict):
        raise _RefusedError("not_json")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RefusedError("not_json")
    return found


def _refuse_constant(_: str) -> NoReturn:
    raise _RefusedError("bad_value")


# Made once: `json.loads` makes one for each line.
_BLANKS: Final = " \t\n\r"
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _is_secure(item: Event | Mapping[str, Any]) -> bool:
    if isinstance(item, Event):
        role: object = None if item.type in PLAIN else getattr(item, "field_role", None)
    else:
        role = item.get("field_role")
    return isinstance(role, str) and role.strip().lower() in vocabulary.SECURE_ROLES


def _element(item: Event | Mapping[str, Any]) -> tuple[str, str] | None:
    app: object
    field: object
    if isinstance(item, Event):
        app, field = item.app, getattr(item, "field", None)
    else:
        app, field = item.get("app"), item.get("field")
    return (app, field) if isinstance(app, str) and isinstance(field, str) else None


def _event(item: Event | dict[str, Any], labels: Labels) -> Event:
    """Return the typed event of a line, or raise the reason it is refused for."""
    if isinstance(item, Event):
        event, form = item, FORMS[item.type]
    else:
        form = _form(item.get("type"))
        event = _typed(item, form)
    for check in form.checks:
        if not check(event):
            raise _RefusedError("bad_value")
    if form.is_key:
        _check_key(event)
    if form.has_label:
        _check_label(event, labels)
    return event


def _form(kind: object) -> Form:
    form = FORMS.get(kind) if isinstance(kind, str) else None
    if form is None:
        raise _RefusedError("unknown_type")
    return form


def _typed(item: dict[str, Any], form: Form) -> Event:
    try:
        event = msgspec.convert(item, form.struct)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:  # A lone surrogate in a name.
        is_unknown = not item.keys() <= form.known or "unknown field" in str(error)
        raise _RefusedError("unknown_field" if is_unknown else "bad_value") from None
    # Everything else that is not known msgspec has refused.
    if form.has_stored_only and not item.keys() <= form.known:
        raise _RefusedError("unknown_field")
    return event


def _check_key(event: Event) -> None:
    if len(key_categories(event)) > 1:
        raise _RefusedError("mixed_category")
    if not says_a_key(event):
        raise _RefusedError("bad_value")


def _check_label(event: Event, labels: Labels) -> None:
    label = getattr(event, "control_label", None)
    if label is not None and label not in labels.get(event.app, ()):
        raise _RefusedError("label_not_listed")


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
    if leaf == "role" or leaf in ROLE_FIELDS:
        words = vocabulary.ROLES
    elif leaf in NAME_FIELDS:
        words = vocabulary.KEY_NAMES
    if words is None:
        return
    target = next((part for part in value.get("anyOf", []) if part.get("type") == "string"), value)
    target["enum"] = sorted(words)
