"""What a version would have captured of a recording, before anybody approves it. Pure.

Promise: nothing is captured or stored; texts of windows and addresses are matched and forgotten, so
the answer holds counts and the names that the policy itself gives. It repeats the rules of the
agent in other code: a difference between the two is a bug in one of them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from governance.policies.categories import Category
from governance.policies.content import Content
from governance.policies.errors import PolicyContentError, UnknownSampleError

_FOLDER: Final = Path(__file__).with_name("samples")
_MOST: Final = 5000
Text = Annotated[str, Meta(max_length=600)]


class Seen(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """So many equal things that a recorder saw: where, of which kind, and in which field."""

    kind: Literal["origin", "window-title", "process"]
    value: Text
    category: Category
    url: Text | None = None
    field: Text | None = None
    label: Text | None = None
    count: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


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
    if not any(
        matcher.kind == seen.kind and _matches(matcher.pattern, seen.value)
        for matcher in content.matchers
    ):
        return "app_not_allowed"
    if seen.category not in content.categories:
        return "category_denied"
    if seen.category is Category.KEYSTROKE_TEXT and not _may_type(content, seen.field):
        return "field_not_named"
    return None


def _may_type(content: Content, field: str | None) -> bool:
    if field is None:
        return not content.fields and not content.masks
    if any(mask.selector in {field, f"#{field}"} for mask in content.masks):
        return False
    named = {each.selector for each in content.fields}
    return not named or bool(named & {field, f"#{field}"})


def _page(content: Content, seen: Seen) -> str | None:
    """Return the one name that the policy gives to a page or title, or None: it is not told."""
    text, patterns = (
        (seen.url, content.urls) if seen.kind == "origin" else (seen.value, content.titles)
    )
    if text is None:
        return None
    return next((each.id for each in patterns if _matches(each.pattern, text)), None)


def _matches(pattern: str, text: str) -> bool:
    """Match the whole text; `*` stands for any run of characters, nothing else is special."""
    parts = pattern.split("*")
    if len(parts) == 1:
        return pattern == text
    if not text.startswith(parts[0]):
        return False
    at = len(parts[0])
    for part in parts[1:-1]:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(parts[-1]) and text.endswith(parts[-1])
