"""Records in which somebody is hidden in every way we know, and who must not be left in them.

`leaks` runs them all and says where something stayed: the suite wants none, and a detector with a
planted bug must not get through.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from governance.redaction import events, pipeline
from governance.redaction.directory import Employee
from governance.redaction.errors import RedactionError
from governance.redaction.pipeline import RedactionContext
from governance.redaction.schema import MASK, KeyPress
from governance.redaction.streams import redact_stream
from tests.governance.redaction import scoring

HARBOUR = RedactionContext(directory=(Employee("Ylva", "Quist", "yquist"),))
QUARRY = RedactionContext(directory=(Employee("Tamsin", "Orr", "torr"),))
WIDE = str.maketrans("0123456789", "".join(map(chr, range(0xFF10, 0xFF1A))))


@dataclass(frozen=True)
class Vector:
    """A record, and letters and digits that must not be found together in what is stored of it."""

    name: str
    items: list[dict[str, Any]]
    gone: tuple[str, ...]
    kept: str = ""
    context: RedactionContext = field(default=HARBOUR)


def _event(seq: int, kind: str, **leaves: object) -> dict[str, Any]:
    return {"seq": seq, "t_ns": 10**18 + seq * 7 * 10**7, "type": kind, "app": "desk"} | leaves


def _keys(text: str, **leaves: object) -> list[dict[str, Any]]:
    """Return the presses of a text as openadapt-capture records them; `\\b` is Backspace."""
    items: list[dict[str, Any]] = []
    for character in text:
        said: dict[str, object] = {"key_char": character}
        if character == "\b":
            said = {"canonical_key_name": "backspace"}
        for kind in ("key.down", "key.up"):
            items.append(_event(len(items), kind, field="f", **said, **leaves))
    return items


def _spelled(text: str) -> list[dict[str, Any]]:
    """Return keys that say a text in every leaf a key has."""
    return [
        _event(n, "key.down", key_char=c, key_vk=str(ord(c)), canonical_key_char=c,
               canonical_key_vk=ord(c))
        for n, c in enumerate(text)
    ]  # fmt: skip


def _spelled_beside(text: str) -> list[dict[str, Any]]:
    """Return keys that read "x" and say a text in the leaf beside it."""
    return [_event(n, "key.down", key_char="x", canonical_key_char=c) for n, c in enumerate(text)]


def _texts(*said: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [
        _event(n, "text.input", field=name, field_role="document", text=text)
        | ({"field_label": label} if label else {})
        for n, (name, label, text) in enumerate(said)
    ]


def vectors() -> Iterator[Vector]:
    """Yield the records of `events.md` (conformance vectors) and of every bug we plant."""
    mail = "ulla.brand@hafen.example"
    yield Vector("an address typed as keys", _keys(f"write {mail} now"), (mail,), "write")
    yield Vector("an address in the virtual keys", _spelled(mail), (mail,))
    yield Vector("an address beside the keys", _spelled_beside(mail), (mail,))
    yield Vector(
        "an address in a query",
        _texts(("u", "", "https://x.example/?to=ulla.brand%40hafen.example&page=2")),
        ("ulla.brand", "hafen"), "page=2",
    )  # fmt: skip
    yield Vector(
        "a name in markup",
        _texts(("h", "", "<b>Dear Ulla Brandt,</b> <i>done</i>")), ("Ulla", "Brandt"), "done",
    )  # fmt: skip
    yield Vector(
        "a name in a label", _texts(("l", "Message to Ulla Brandt", "ok")), ("Ulla",), "ok"
    )
    yield Vector(
        "an address with a zero-width joint",
        _texts(("z", "", "ask q7xk\u200b@\u200bhafen.example soon")), ("q7xk",), "soon",
    )  # fmt: skip
    card = "4111 1111 1111 1111"
    yield Vector(
        "a card in wide digits", _texts(("c", "", f"pay with {card.translate(WIDE)} ok")),
        (card.translate(WIDE).replace(" ", ""),), "pay with",
    )  # fmt: skip
    yield Vector(
        "a card with a mistyped digit", _keys("card 4111 1111 19\b1 1111 1111 ok"), ("9",), "ok"
    )
    yield Vector("a name typed and taken back", _keys("Dear Ulla Brandt,\b\b\b\b\b\b\bx"), ("Bra",))
    yield Vector(
        "a name found beside its label, repeated elsewhere",
        _texts(("a", "Full name", "Xo"), ("a", "Full name", "Xolani Q"), ("b", "", "for xolani q")),
        ("xolani",), "for",
    )  # fmt: skip
    yield Vector("a colleague", _texts(("d", "", "row 4 of yquist")), ("yquist",), "row 4")
    yield Vector(
        "a colleague of another organisation", _texts(("d", "", "row 4 of torr")), ("torr",),
        "row 4", QUARRY,
    )  # fmt: skip


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum()).casefold()


def _said(items: list[Any]) -> str:
    """Return everything stored, as texts and as the texts that keys spell, letters only."""
    keys = [event for event in items if isinstance(event, KeyPress)]
    spelled = [
        "".join(str(getattr(event, leaf) or "") for event in keys if event.type == kind)
        for kind in ("key.down", "key.up")
        for leaf in ("key_char", "canonical_key_char")
    ]
    texts = [
        str(value)
        for event in items
        for name, value in json.loads(events.to_line(event)).items()
        if name not in ("seq", "t_ns", "type", "app") and isinstance(value, str)
    ]
    return " ".join(map(_letters, [*spelled, *texts])) + " ".join(texts)


def _of_vector(vector: Vector) -> Iterator[str]:
    lines = "\n".join(map(json.dumps, vector.items)).encode()
    try:
        stored = pipeline.redact(events.parse_lines(lines).events, context=vector.context).events
    except RedactionError as error:
        yield f"{vector.name}: {error!r}"
        return
    said = _said(stored)
    yield from (f"{vector.name}: {value}" for value in vector.gone if _letters(value) in said)
    if _letters(vector.kept) not in said:
        yield f"{vector.name}: nothing is left"
    if [event.type for event in stored] != [item["type"] for item in vector.items]:
        yield f"{vector.name}: other events"
    downs = [e.key_char for e in stored if e.type == "key.down" and isinstance(e, KeyPress)]
    ups = [e.key_char for e in stored if e.type == "key.up" and isinstance(e, KeyPress)]
    if ups and ups != downs:
        yield f"{vector.name}: key-ups tell"


def _stream(*spoken: dict[str, Any]) -> dict[str, Any]:
    return {"id": "s", "events": [{"i": n, "t": 9 * n * n, **e} for n, e in enumerate(spoken)]}


def _focus(name: str, role: str = "textbox", label: str = "") -> dict[str, Any]:
    return {"k": "focus", "field": name, "role": role, "label": label, "value": ""}


def _of_streams() -> Iterator[str]:
    """Say what stays of a card in four boxes, of a composed name, and of the rhythm of a secret."""
    card = ("5425", "2334", "3010", "9903")
    boxes = [
        event
        for number, part in enumerate(card)
        for event in (
            _focus(f"b{number}"),
            *({"k": k, "key": c} for c in part for k in ("kd", "ku")),
        )
    ]
    composed = [
        _focus("n", label="Full name"),
        {"k": "ime", "phase": "update", "text": "yama"},
        {"k": "ime", "phase": "commit", "text": "山田"},
        {"k": "paste", "text": "Ulla Brandt"},
    ]
    secret = [
        _focus("p", "password"),
        *({"k": k, "key": c} for c in "hunter22" for k in ("kd", "ku")),
    ]
    for name, spoken in (("boxes", boxes), ("composed", composed), ("secret", secret)):
        after = redact_stream(_stream(*spoken), scoring.detector())["events"]
        said = "".join(str(e.get("key", "")) + str(e.get("text", "")) for e in after)
        if any(c.isalnum() for c in said):
            yield f"{name}: {said}"
        times = [e["t"] for e in after if e.get("key") == MASK]
        if name == "secret" and len({b - a for a, b in pairwise(times)}) > 2:
            yield f"{name}: its rhythm stayed"


def leaks() -> list[str]:
    """Return everything the vectors still say of anyone, and everything they lost for nothing."""
    return [*(leak for vector in vectors() for leak in _of_vector(vector)), *_of_streams()]
