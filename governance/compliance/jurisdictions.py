"""Jurisdiction profiles: what the law of a place asks for, as dated data with its sources.

Promises: a profile holds only from its day on; a rule without a citation does not load; several
places together ask for everything that any of them asks for (the shortest period, the strictest
threshold); a place that no profile knows has none, and nothing may be captured there.
Leaves to others: whether a rule is met (`guards`, `monitoring`). The data is no legal advice: each
citation says how far it was read, and `reviewed_by` stays empty until counsel has.
"""

import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from governance.compliance.errors import ProfileError
from governance.compliance.spans import days_of

_FOLDER: Final = Path(__file__).with_name("profiles")
Place = Annotated[str, Meta(pattern=r"^[A-Z]{2}(-[A-Z]{2,3})?\Z")]
Span = Annotated[str, Meta(pattern=r"^P(\d+[YMD]|T\d+H)\Z")]
Basis = Literal["A6-1-a-explicit-consent", "A6-1-f"]
CONSENT_BASIS: Final[Basis] = "A6-1-a-explicit-consent"
INTERESTS_BASIS: Final[Basis] = "A6-1-f"
# The further a list stands to the right, the more is asked.
CODETERMINATION: Final = ("none", "consultation", "consent")
MONITORING: Final = ("none", "written", "acknowledged")
REPEATS: Final = ("none", "yearly", "daily")
THRESHOLDS: Final = ("high-risk", "risk", "any")


class Citation(Struct, forbid_unknown_fields=True, frozen=True):
    """Where a rule comes from, and how far that text was read."""

    field: str
    source: str
    checked: Literal["read", "secondary", "memory", "own-rule"]


class Profile(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The rules of one place from one day on; spans are ISO 8601, none is a promise of ours."""

    code: str
    words: str
    valid_from: date
    valid_to: date | None = None
    applies_to: list[Place]
    lawful_bases_allowed: list[Basis]
    consent_max_validity: Span
    notice_before_capture: bool
    languages: list[str]
    monitoring_notice: Literal["none", "written", "acknowledged"]
    monitoring_notice_alternative: Literal["daily"] | None = None
    notice_repeat: Literal["none", "yearly", "daily"]
    posting: bool
    applicant_notice: bool
    personal_device_refusal: bool
    codetermination: Literal["none", "consultation", "consent"]
    all_party_consent: bool
    message_content_sensitive: bool
    assessment_review: Span | None = None
    assessment_update: Span | None = None
    dsar_ack: Span
    dsar_due: Span
    dsar_extension: Span
    optout_due: Span
    breach_authority_due: Span
    breach_subject_due: Span
    breach_threshold: Literal["high-risk", "risk", "any"]
    authority: str
    reviewed_by: str
    reviewed_at: str
    category_max: dict[str, int] = {}
    record_min: dict[str, Span] = {}
    citations: Annotated[list[Citation], Meta(min_length=1)]

    @property
    def digest(self) -> str:
        """The SHA-256 of the profile's canonical bytes, so that an entry can name what held."""
        return sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()

    @property
    def is_reviewed(self) -> bool:
        """Whether counsel has put a name under it."""
        return bool(self.reviewed_by and self.reviewed_at)


# What binds and so needs a source; the rest describes.
_CITED: Final = ("codetermination", "monitoring_notice", "posting", "all_party_consent")


def parse(text: str) -> Profile:
    """Return the profile that a file holds; ProfileError for one that says more than it cites."""
    try:
        profile = msgspec.convert(tomllib.loads(text), Profile, strict=True)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as error:
        raise ProfileError(f"A jurisdiction profile is not well formed: {error}") from error
    cited = {citation.field for citation in profile.citations}
    if strangers := cited - set(Profile.__struct_fields__):
        raise ProfileError(f"{profile.code} cites {min(strangers)}, which it does not hold.")
    for field in _CITED:
        if getattr(profile, field) not in {"none", False} and field not in cited:
            raise ProfileError(f"{profile.code} holds {field} without a source.")
    return profile


@cache
def _all() -> tuple[Profile, ...]:
    return tuple(parse(path.read_text("utf-8")) for path in sorted(_FOLDER.glob("*.toml")))


def profiles(on: date) -> list[Profile]:
    """Return every profile that holds on a day, by code."""
    held = [p for p in _all() if p.valid_from <= on and (p.valid_to is None or on < p.valid_to)]
    return sorted(held, key=lambda profile: (profile.code, profile.valid_from))


def profile(code: str, on: date) -> Profile | None:
    """Return a profile by its code, or None."""
    return next((found for found in profiles(on) if found.code == code), None)


def profile_of(place: str, on: date) -> Profile | None:
    """Return the profile of a place (ISO 3166), or None: nobody knows what it asks for.

    A state of the United States without a profile of its own falls under theirs.
    """
    held = profiles(on)
    for wanted in (place, "US" if place.startswith("US-") else place):
        # A profile of one place goes before one of many.
        fitting = sorted(
            (p for p in held if wanted in p.applies_to), key=lambda p: len(p.applies_to)
        )
        if fitting:
            return fitting[0]
    return None


def as_json(held: Profile) -> dict[str, object]:
    """Return a profile as plain JSON values, with its digest."""
    plain: dict[str, object] = msgspec.to_builtins(held)
    return plain | {"digest": held.digest, "is_reviewed": held.is_reviewed}


class Duties(Struct, frozen=True, kw_only=True):
    """What several places ask for together."""

    lawful_bases_allowed: frozenset[str]
    languages: frozenset[str]
    codetermination: str
    monitoring_notice: str
    notice_repeat: str
    posting: bool
    all_party_consent: bool
    consent_max_days: int
    category_max: dict[str, int]
    breach_authority_hours: int
    breach_threshold: str


def combine(together: Sequence[Profile]) -> Duties:
    """Return the union of the duties, the shortest periods and the strictest thresholds."""
    if not together:
        raise ProfileError("No place is named.")
    bases = [frozenset[str](p.lawful_bases_allowed) for p in together]
    return Duties(
        lawful_bases_allowed=frozenset.intersection(*bases),
        languages=frozenset(language for p in together for language in p.languages),
        codetermination=_strictest(CODETERMINATION, (p.codetermination for p in together)),
        monitoring_notice=_strictest(MONITORING, (p.monitoring_notice for p in together)),
        notice_repeat=_strictest(REPEATS, (p.notice_repeat for p in together)),
        posting=any(p.posting for p in together),
        all_party_consent=any(p.all_party_consent for p in together),
        consent_max_days=min(days_of(p.consent_max_validity) for p in together),
        category_max=_shortest(together),
        breach_authority_hours=min(int(24 * days_of(p.breach_authority_due)) for p in together),
        breach_threshold=_strictest(THRESHOLDS, (p.breach_threshold for p in together)),
    )


def strictest(on: date) -> Duties:
    """Return what holds for somebody whose place nobody knows: all of it. Capture stays off."""
    return combine(profiles(on))


def _strictest(order: Sequence[str], values: Iterable[str]) -> str:
    return max(values, key=order.index)


def _shortest(together: Sequence[Profile]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in together:
        for category, days in each.category_max.items():
            found[category] = min(days, found.get(category, days))
    return found
