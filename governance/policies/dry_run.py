"""What a version would have captured of a recording, before anybody approves it. Pure.

Promise: nothing is captured or stored; texts of windows and addresses are matched and forgotten, so
the answer holds counts and the names that the policy itself gives. What may be captured follows
from the agent's own rules (`matching`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from governance.policies import matching
from governance.policies.categories import Category
from governance.policies.content import Content
from governance.policies.errors import PolicyContentError, UnknownSampleError

_FOLDER: Final = Path(__file__).with_name("samples")
_MOST: Final = 5000
Text = Annotated[str, Meta(max_length=600)]


class Seen(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """So many equal things that a recorder saw: where, of which kind, and in which field.

    Of the place one fact is in `kind` and `value`; what else the recorder knew has its own name.
    """

    kind: Literal["origin", "window-title", "process"]
    value: Text
    process: Text | None = None
    title: Text | None = None
    identity: Annotated[list[Text], Meta(max_length=10)] = []
    category: Category
    url: Text | None = None
    field: Text | None = None
    role: Text | None = None
    label: Text | None = None
    count: Annotated[int, Meta(ge=1, le=1_000_000)] = 1

    @property
    def facts(self) -> dict[str, list[str]]:
        """What is known of the place, by kind of matcher."""
        known: dict[str, str | None] = {"process": self.process, "window-title": self.title}
        known[self.kind] = self.value
        facts = {kind: [value] for kind, value in known.items() if value is not None}
        return facts | {"identity": self.identity}


class Sample(Struct, forbid_unknown_fields=True, frozen=True):
    """A recording in this form; `source` says who made it."""

    schema: Literal["sample/1"]
    name: Annotated[str, Meta(max_length=80)]
    source: Text
    seen: Annotated[list[Seen], Meta(max_length=_MOST)]


@dataclass(frozen=True, slots=True)
class Tried:
    """So many things of one kind and what became of them: `reason` is None for what was captured.

    `page` is the name that the policy gives to where it happened, "" where it gives none.
    """

    category: str
    reason: str | None
    page: str
    count: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would have been captured and what not, in counts."""

    sample: str
    total: int
    captured: dict[str, int]
    left_out: dict[str, int]
    pages: dict[str, int]
    tried: tuple[Tried, ...] = ()

    @property
    def kept(self) -> int:
        """How much of it would have been captured."""
        return sum(self.captured.values())


@cache
def samples() -> tuple[Sample, ...]:
    """Return the recordings that come with the service, by name."""
    found = (msgspec.json.decode(path.read_bytes(), type=Sample) for path in _FOLDER.glob("*.json"))
    return tuple(sorted(found, key=lambda sample: sample.name))


def sample(name: str) -> Sample:
    """Return a recording that comes with the service; UnknownSampleError."""
    for found in samples():
        if found.name == name:
            return found
    raise UnknownSampleError("There is no recording of this name.")


def parse(value: object) -> Sample:
    """Return the recording that a JSON value holds; PolicyContentError for anything else."""
    try:
        return msgspec.convert(value, Sample, strict=True)
    except msgspec.ValidationError as error:
        detail, _, path = str(error).partition(" - at `$")
        pointer = path.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/")
        raise PolicyContentError(detail + ".", pointer=pointer) from error


def run(content: Content, recording: Sample) -> Outcome:
    """Return what this content would have let an agent capture of a recording."""
    tried: Counter[tuple[str, str | None, str]] = Counter()
    captured: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    pages: Counter[str] = Counter()
    for seen in recording.seen:
        reason = _refusal(content, seen)
        page = "" if reason else _page(content, seen) or ""
        tried[seen.category.value, reason, page] += seen.count
        if reason is not None:
            left_out[reason] += seen.count
            continue
        captured[seen.category.value] += seen.count
        if page:
            pages[page] += seen.count
    return Outcome(
        sample=recording.name,
        total=sum(seen.count for seen in recording.seen),
        captured=dict(captured),
        left_out=dict(left_out),
        pages=dict(pages),
        tried=tuple(Tried(*what, count) for what, count in tried.items()),
    )


def run_all(content: Content, recordings: Sequence[Sample] | None = None) -> list[Outcome]:
    """Return the outcome for every recording that comes with the service."""
    return [run(content, each) for each in recordings or samples()]


def _refusal(content: Content, seen: Seen) -> str | None:
    if not matching.recognises(content.matchers, seen.facts):
        return "app_not_allowed"
    if seen.category not in content.categories:
        return "category_denied"
    is_text = seen.category is Category.KEYSTROKE_TEXT
    if is_text and not matching.may_type_into(content, seen.field, seen.role):
        return "field_not_named"
    return None


def _page(content: Content, seen: Seen) -> str | None:
    """Return the one name that the policy gives to a page or title, or None: it is not told."""
    if seen.kind == "origin":
        return matching.name_of(content.urls, seen.url)
    return matching.name_of(content.titles, next(iter(seen.facts.get("window-title", ())), None))
