"""What an impact assessment promises, in a form that a machine checks. Pure.

Each commitment compiles to one question about the facts of a policy; the answer decides whether it
may act (`guards`), and stands on the pages of the assessment and in the conformance report.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, cast

from msgspec import Meta, Struct

Name = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=64)]
Whole = Annotated[int, Meta(ge=0, le=1_000_000)]
_DEFAULT_QUANTUM_MS: Final = 20


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of a policy version and of the installation at one moment.

    `content` is the version's content as JSON, `days` the retention of each category.
    """

    content: Mapping[str, object]
    days: Mapping[str, int]
    minimum_contributors: int
    minimum_recall_percent: int

    def strings(self, name: str) -> Sequence[str]:
        """Return a list of the content that holds plain texts."""
        return cast("Sequence[str]", self.content.get(name, ()))


class _Commitment(Struct, forbid_unknown_fields=True, frozen=True, tag_field="kind"):
    id: Name

    def holds(self, facts: Facts) -> bool:
        """Return whether the facts keep the promise."""
        raise NotImplementedError


class CategoryNever(_Commitment, frozen=True, tag="category-never"):
    """A kind of data is never captured."""

    category: Name

    def holds(self, facts: Facts) -> bool:
        return self.category not in facts.strings("categories")


class RetentionAtMost(_Commitment, frozen=True, tag="retention-at-most"):
    """A kind of data is kept for so many days at most."""

    category: Name
    days: Whole

    def holds(self, facts: Facts) -> bool:
        return facts.days.get(self.category, 0) <= self.days


class PlacesOnly(_Commitment, frozen=True, tag="places-only"):
    """Only people who work in these places are captured."""

    places: Annotated[list[str], Meta(min_length=1, max_length=60)]

    def holds(self, facts: Facts) -> bool:
        return set(facts.strings("places")) <= set(self.places)


class MaskAlways(_Commitment, frozen=True, tag="mask-always"):
    """A region of an application is always masked on the computer."""

    application: Name
    selector: Annotated[str, Meta(min_length=1, max_length=300)]

    def holds(self, facts: Facts) -> bool:
        if facts.content.get("application") != self.application:
            return True
        masks = cast("Sequence[Mapping[str, str]]", facts.content.get("masks", ()))
        return any(mask["selector"] == self.selector for mask in masks)


class TypingQuantum(_Commitment, frozen=True, tag="typing-quantum-at-least"):
    """The rhythm of typing is rounded to at least so many milliseconds."""

    milliseconds: Whole

    def holds(self, facts: Facts) -> bool:
        if "keystroke-timing" not in facts.strings("categories"):
            return True
        rules = cast("Mapping[str, Mapping[str, object]]", facts.content.get("rules", {}))
        quantum = rules.get("keystroke-timing", {}).get("quantise-ms", _DEFAULT_QUANTUM_MS)
        return isinstance(quantum, int) and quantum >= self.milliseconds


class TypedTextInNamedFields(_Commitment, frozen=True, tag="typed-text-in-named-fields"):
    """Typed text is captured in named fields only, so at least one is named."""

    def holds(self, facts: Facts) -> bool:
        return "keystroke-text" not in facts.strings("categories") or bool(
            facts.content.get("fields")
        )


class ContributorsAtLeast(_Commitment, frozen=True, tag="contributors-at-least"):
    """No release has fewer contributors."""

    people: Whole

    def holds(self, facts: Facts) -> bool:
        return facts.minimum_contributors >= self.people


class RecallAtLeast(_Commitment, frozen=True, tag="recall-at-least"):
    """Redaction must find at least this share of planted canaries before anything is released."""

    percent: Annotated[int, Meta(ge=0, le=100)]

    def holds(self, facts: Facts) -> bool:
        return facts.minimum_recall_percent >= self.percent


Commitment = (
    CategoryNever
    | RetentionAtMost
    | PlacesOnly
    | MaskAlways
    | TypingQuantum
    | TypedTextInNamedFields
    | ContributorsAtLeast
    | RecallAtLeast
)


def kind_of(commitment: Commitment) -> str:
    """Return the kind of a commitment as the content names it."""
    return str(type(commitment).__struct_config__.tag)


def broken(promised: Sequence[Commitment], facts: Facts) -> list[str]:
    """Return the ids of the commitments that the facts do not keep, in their order."""
    return [commitment.id for commitment in promised if not commitment.holds(facts)]
