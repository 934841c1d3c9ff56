"""What an impact assessment says: a closed schema, and what must be there before it is approved.

The parts are those of GDPR 35(7)(a)-(d), 35(2) and 35(9), and the sections those of the EDPB's
template. A draft may leave parts out; `missing` names them, and nobody approves it until none is.
"""

from datetime import date
from hashlib import sha256
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from audit.leaf import canonical as canonical_json
from governance.compliance.commitments import Commitment, Name
from governance.compliance.errors import AssessmentContentError

Kind = Literal["dpia", "risk-assessment", "legitimate-interests"]
Level = Literal["low", "medium", "high"]
Words = Annotated[str, Meta(max_length=8000)]
Line = Annotated[str, Meta(min_length=1, max_length=300)]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
LEVELS: Final = ("low", "medium", "high")
_MOST: Final = 100


class Covered(Struct, forbid_unknown_fields=True, frozen=True):
    """One scope that the assessment looked at: all that one policy version may reach."""

    application: Name
    scope_digest: Digest


class Risk(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Something that may happen to people; `measures` are the ids of what stands against it."""

    id: Name
    to: Literal["data-subjects", "other-persons"]
    words: Line
    likelihood: Level
    severity: Level
    measures: Annotated[list[Name], Meta(max_length=_MOST)] = []
    residual: Level


class Measure(Struct, forbid_unknown_fields=True, frozen=True):
    """What is done against risks."""

    id: Name
    words: Line


class Advice(Struct, forbid_unknown_fields=True, frozen=True):
    """What the data protection officer said (GDPR 35(2))."""

    by: Line
    on: date
    words: Words


class Views(Struct, forbid_unknown_fields=True, frozen=True):
    """What the people concerned or their representatives said (GDPR 35(9))."""

    of: Literal["data-subjects", "representatives"]
    on: date
    words: Words


class Content(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One version of an assessment."""

    kind: Kind
    title: Line
    covers: Annotated[list[Covered], Meta(max_length=_MOST)] = []
    purposes: Annotated[list[Name], Meta(max_length=20)] = []
    description: Words = ""
    necessity: Words = ""
    proportionality: Words = ""
    other_persons: Words = ""
    risks: Annotated[list[Risk], Meta(max_length=_MOST)] = []
    measures: Annotated[list[Measure], Meta(max_length=_MOST)] = []
    advice: Advice | None = None
    views: Views | None = None
    residual_risk: Level | None = None
    review_on: date | None = None
    # The two further steps of an assessment of legitimate interests.
    interest: Words = ""
    balance: Words = ""
    commitments: Annotated[list[Commitment], Meta(max_length=_MOST)] = []

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        plain: dict[str, object] = msgspec.to_builtins(self)
        return plain

    def canonical(self) -> bytes:
        """Return the one byte form (RFC 8785) of this content."""
        return canonical_json(self.as_json())  # type: ignore[arg-type]  # msgspec yields only JSON.

    def digest(self) -> str:
        """Return the SHA-256 of the canonical bytes in hex."""
        return sha256(self.canonical()).hexdigest()

    def covers_scope(self, *, application: str, scope_digest: str) -> bool:
        """Return whether exactly this scope was looked at."""
        return Covered(application, scope_digest) in self.covers


# Part, what must be filled, and its section of the EDPB's template.
PARTS: Final[tuple[tuple[str, str], ...]] = (
    ("covers", "0 scope"),
    ("purposes", "1 description"),
    ("description", "1 description"),
    ("necessity", "2 necessity"),
    ("proportionality", "2 necessity"),
    ("risks to data subjects", "3 risks"),
    ("risks to other persons", "3 risks"),
    ("measures", "4 measures"),
    ("advice", "5 advice and views"),
    ("views", "5 advice and views"),
    ("residual_risk", "6 decision"),
    ("review_on", "6 decision"),
)
_INTERESTS: Final = ("purposes", "interest", "necessity", "balance", "advice", "review_on")


def parse(value: object) -> Content:
    """Return the content that a JSON value holds; AssessmentContentError for anything else."""
    try:
        content = msgspec.convert(value, Content, strict=True)
    except msgspec.ValidationError as error:
        detail, _, path = str(error).partition(" - at `$")
        pointer = path.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/")
        raise AssessmentContentError(detail + ".", pointer=pointer) from error
    known = [measure.id for measure in content.measures]
    _check_distinct(known, "measures")
    _check_distinct([risk.id for risk in content.risks], "risks")
    _check_distinct([promised.id for promised in content.commitments], "commitments")
    for index, risk in enumerate(content.risks):
        if strangers := set(risk.measures) - set(known):
            raise AssessmentContentError(
                f"The measure {min(strangers)} is not described.", pointer=f"/risks/{index}"
            )
    return content


def _check_distinct(ids: list[str], name: str) -> None:
    if len(set(ids)) != len(ids):
        raise AssessmentContentError(f"The {name} repeat one.", pointer=f"/{name}")


def from_bytes(stored: bytes) -> Content:
    """Return the content of a stored version."""
    return msgspec.json.decode(stored, type=Content)


def missing(content: Content) -> list[str]:
    """Return the parts that are not said yet, by their names in `PARTS`."""
    if content.kind == "legitimate-interests":
        return [name for name in _INTERESTS if not getattr(content, name)]
    touched = {risk.to for risk in content.risks}
    said: dict[str, object] = {
        "risks to data subjects": "data-subjects" in touched,
        # Other people are on the screen as well (GDPR 35(7)(d)): a chapter and at least one risk.
        "risks to other persons": "other-persons" in touched and content.other_persons.strip(),
    }
    found = [
        name for name, _ in PARTS if not (said[name] if name in said else _is_said(content, name))
    ]
    if content.residual_risk is not None and content.risks:
        highest = max((risk.residual for risk in content.risks), key=LEVELS.index)
        if LEVELS.index(content.residual_risk) < LEVELS.index(highest):
            # The whole is not less risky than one of its parts.
            found.append("residual_risk")
    return found


def sections() -> dict[str, list[str]]:
    """Return the parts by the sections of the EDPB's template, in order."""
    found: dict[str, list[str]] = {}
    for name, section in PARTS:
        found.setdefault(section, []).append(name)
    return found


def _is_said(content: Content, name: str) -> bool:
    value = getattr(content, name)
    return bool(value.strip()) if isinstance(value, str) else bool(value)
