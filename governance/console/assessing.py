"""Between the form of an impact assessment and its content: lines of text in, JSON values out.

What the parts mean and whether they may stand is decided by `governance.compliance.assessment`;
here they are only taken apart.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from django.http import QueryDict

from governance.compliance.commitments import Commitment

TEXTS: Final = ("description", "necessity", "proportionality", "other_persons")
LINES: Final = ("measures", "risks", "commitments")
# What stands behind the kind of a commitment; the last name takes all words that are left.
PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "category-never": ("category",),
    "retention-at-most": ("category", "days"),
    "places-only": ("places",),
    "mask-always": ("application", "selector"),
    "typing-quantum-at-least": ("milliseconds",),
    "typed-text-in-named-fields": (),
    "contributors-at-least": ("people",),
    "recall-at-least": ("percent",),
}
_NUMBERS: Final = frozenset({"days", "milliseconds", "people", "percent"})
_RISK: Final = ("id", "to", "likelihood", "severity", "residual", "measures", "words")


class LineError(Exception):
    """A line does not have its form; `field` says in which part and `line` which one."""

    def __init__(self, field: str, line: str) -> None:
        super().__init__(line)
        self.field = field
        self.line = line


def content_of(sent: QueryDict) -> dict[str, object]:
    """Return the content that a form holds; LineError for a line that has no form."""
    content: dict[str, object] = {
        "kind": "dpia",
        "title": sent.get("title", "").strip(),
        "covers": [_covered(value) for value in sent.getlist("covers")],
        "purposes": sent.getlist("purposes"),
        **{name: sent.get(name, "").strip() for name in TEXTS},
        "measures": [_measure(line) for line in _lines(sent, "measures")],
        "risks": [_risk(line) for line in _lines(sent, "risks")],
        "commitments": [_commitment(line) for line in _lines(sent, "commitments")],
    }
    if sent.get("advice_on"):
        content["advice"] = {
            "by": sent.get("advice_by", ""),
            "on": sent.get("advice_on", ""),
            "words": sent.get("advice_words", ""),
        }
    if sent.get("views_on"):
        content["views"] = {
            "of": sent.get("views_of", "representatives"),
            "on": sent.get("views_on", ""),
            "words": sent.get("views_words", ""),
        }
    for name in ("residual_risk", "review_on"):
        if sent.get(name):
            content[name] = sent.get(name)
    return content


def sent_of(content: Mapping[str, object]) -> dict[str, object]:
    """Return the form filled with an earlier version, so that a change starts from what holds."""
    filled: dict[str, object] = dict(content)
    filled["covers"] = [
        f"{each['application']}={each['scope_digest']}" for each in _of(content, "covers")
    ]
    filled["measures"] = "\n".join(
        f"{each['id']} = {each['words']}" for each in _of(content, "measures")
    )
    filled["risks"] = "\n".join(map(_said_risk, _of(content, "risks")))
    filled["commitments"] = "\n".join(map(_said, _of(content, "commitments")))
    for part in ("advice", "views"):
        said = content.get(part)
        for name, value in said.items() if isinstance(said, Mapping) else ():
            filled[f"{part}_{name}"] = value
    return filled


def said(commitment: Commitment) -> str:
    """Return a commitment in the form in which it is written, without its name."""
    return _said(msgspec.to_builtins(commitment)).partition(" = ")[2]


def _of(content: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    value = content.get(name)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _strings(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _said_risk(risk: Mapping[str, object]) -> str:
    before = [str(risk[name]) for name in _RISK[:5]]
    return " | ".join([*before, " ".join(_strings(risk["measures"])), str(risk["words"])])


def _said(commitment: Mapping[str, object]) -> str:
    kind = str(commitment["kind"])
    values = (word for name in PARAMETERS[kind] for word in _strings(commitment[name]))
    return " ".join([str(commitment["id"]), "=", kind, *values])


def _lines(sent: QueryDict, name: str) -> list[str]:
    return [line.strip() for line in sent.get(name, "").splitlines() if line.strip()]


def _covered(value: str) -> dict[str, str]:
    application, _, digest = value.partition("=")
    return {"application": application, "scope_digest": digest}


def _measure(line: str) -> dict[str, str]:
    key, separator, words = line.partition("=")
    if not separator:
        raise LineError("measures", line)
    return {"id": key.strip(), "words": words.strip()}


def _risk(line: str) -> dict[str, object]:
    parts = [part.strip() for part in line.split("|", len(_RISK) - 1)]
    if len(parts) != len(_RISK):
        raise LineError("risks", line)
    risk: dict[str, object] = dict(zip(_RISK, parts, strict=True))
    return risk | {"measures": parts[5].replace(",", " ").split()}


def _commitment(line: str) -> dict[str, object]:
    key, _, rest = line.partition("=")
    kind, *values = rest.split() or [""]
    names = PARAMETERS.get(kind)
    if names is None or len(values) < len(names):
        raise LineError("commitments", line)
    found: dict[str, object] = {"id": key.strip(), "kind": kind}
    for position, name in enumerate(names):
        word = values[position]
        if name in _NUMBERS:
            if not (word.isascii() and word.isdecimal()):
                raise LineError("commitments", line)
            found[name] = int(word)
        elif name == "places":
            found[name] = values[position:]
        else:
            found[name] = " ".join(values[position:]) if name == names[-1] else word
    return found
