"""One person in every leaf of every type of event, written as each leaf lets words be written.

What a leaf can hold is read from the types the service parses with, so that a new leaf is planted
the day it exists. Values that no leaf lets through are here as well: they must be refused.
"""

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import msgspec
from msgspec import inspect

from governance.redaction.schema import ENVELOPE, STORED_ONLY, TYPES
from tests.governance.redaction.test_events import SAMPLES

MAIL: Final = "ottilie.brandhorstmann@planted.example"
NAME: Final = "Ottilie Brandhorstmann"
PHONE: Final = "+4915123004581"
DIGEST: Final = hashlib.sha256(MAIL.encode()).hexdigest()
# What no value has by chance.
TOKENS: Final = ("Brandhorstmann", "brandhorstmann", "4915123004581", DIGEST)
# For free words, for names of fields and patterns, for numbers, for digests.
FORMS: Final = (
    f"write to {MAIL} now", NAME, MAIL, PHONE, "ottilie.brandhorstmann", "4915123004581", DIGEST,
)  # fmt: skip
Line = dict[str, Any]


def strings(kind: inspect.Type, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths to every leaf of a type that a string may be written to."""
    match kind:
        case inspect.StrType() | inspect.LiteralType() | inspect.AnyType():
            yield path
        case inspect.UnionType(types=types):
            yield from dict.fromkeys(found for one in types for found in strings(one, path))
        case inspect.ListType(item_type=item):
            yield from strings(item, (*path, 0))
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from strings(field.type, (*path, field.encode_name))
        case inspect.TupleType(item_types=items):
            for number, item in enumerate(items):
                yield from strings(item, (*path, number))


def leaves(name: str) -> list[tuple[Any, ...]]:
    """Return the paths of a type of event at which words may stand, but for what all events say."""
    found = strings(inspect.type_info(TYPES[name]))
    return [path for path in found if path[0] not in ENVELOPE | STORED_ONLY]


def with_value(line: Line, path: tuple[Any, ...], value: object) -> Line:
    """Return a copy of a line with one leaf set; what is not there on the way is made."""
    copy: Line = msgspec.json.decode(msgspec.json.encode(line))
    here: Any = copy
    for step, after in pairwise(path):
        if isinstance(here, list):
            here = here[step]
        else:
            here = here.setdefault(step, [{}] if after == 0 else {})
    here[path[-1]] = value
    return copy


def planted(app: str) -> Iterator[tuple[str, Line]]:
    """Yield (leaf, line): each form in each leaf of each type, in names, roles and types too."""
    for kind, sample in SAMPLES.items():
        base = {"type": kind, "app": app, **sample}
        for path in leaves(kind):
            name = f"{kind}:{'.'.join(map(str, path))}"
            for form in FORMS:
                yield name, with_value(_alone(base, path), path, form)
        yield f"{kind}:app", {**base, "app": "ottilie.brandhorstmann"}
        yield f"{kind}:type", {**base, "type": NAME}
        for key in (MAIL, "text", "title", "value", "name"):
            if key not in TYPES[kind].__struct_fields__:
                yield f"{kind}:?", {**base, key: NAME}
        for leaf in sorted(STORED_ONLY):
            yield f"{kind}:{leaf}", {**base, leaf: NAME}


def _alone(base: Line, path: tuple[Any, ...]) -> Line:
    """Return a line in which a leaf of a key may stand: a key says one thing only."""
    if not str(base["type"]).startswith("key.") or base["type"] == "key.shortcut":
        return base
    about = str(path[0]).startswith("field")
    return {"type": base["type"], "app": base["app"]} | ({"key_char": "x"} if about else {})


def spelt(app: str) -> Iterator[Line]:
    """Yield single keys that spell somebody, in every leaf that takes a character."""
    for leaf in ("key_char", "canonical_key_char", "key_vk", "canonical_key_vk"):
        for letter in f" {MAIL} ":
            said = {leaf: letter} if "char" in leaf else {"key_char": "x", leaf: letter}
            for kind in ("key.down", "key.up"):
                yield {"type": kind, "app": app, "field": leaf, "field_role": "textbox", **said}


def batch(app: str, picture: bytes, policy_digest: str) -> list[Line]:
    """Return the lines of one batch: all of it, and something of every type that may stay.

    `picture` is what its screens show; `policy_digest` names what it was captured under.
    """
    listed = {
        "blob_id": hashlib.sha256(picture).hexdigest(), "policy_digest": policy_digest,
        "title_pattern": "claim", "url_pattern": "form", "control_label": "Germany",
    }  # fmt: skip
    lines = [
        {"type": kind, "app": app, **sample, **{k: v for k, v in listed.items() if k in sample}}
        for kind, sample in SAMPLES.items()
    ]
    for leaf, line in planted(app):
        is_shown = line["type"] == "screen.frame" and not leaf.endswith(":blob_id")
        lines.append({**line, "blob_id": listed["blob_id"]} if is_shown else line)
    return [*lines, *spelt(app)]
