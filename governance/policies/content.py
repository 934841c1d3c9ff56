"""What a capture policy says: a closed schema, and one byte form for each content.

Promise: what `parse` returns is complete, names only what exists in the schema, and matches no
application by accident (no bare `*`), and reaches for no protected surface and no kind of data that
nobody may collect (`surfaces`). The digest of `canonical` is what an approver signs for.
Leaves to others: whether purposes and applications are registered (`services`).
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from audit.leaf import canonical as canonical_json
from governance.compliance.jurisdictions import Place
from governance.policies import surfaces
from governance.policies.budgets import Budgets
from governance.policies.categories import Category, offered_categories
from governance.policies.errors import PolicyContentError

Key = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=64)]
Id = Annotated[str, Meta(pattern=r"^[a-z0-9]+([-._][a-z0-9]+)*\Z", max_length=64)]
# What has no place in a line of text, or no form in UTF-8.
_PRINTED: Final = r"^[^\x00-\x1f\x7f\ud800-\udfff]*\Z"
Pattern = Annotated[str, Meta(min_length=2, max_length=300, pattern=_PRINTED)]
Label = Annotated[str, Meta(min_length=1, max_length=80, pattern=_PRINTED)]
_EXACT: Final = 2**53 - 1  # Beyond it JSON knows no whole numbers (RFC 8785).
RuleValue = (
    bool
    | Annotated[int, Meta(ge=-_EXACT, le=_EXACT)]
    | Annotated[str, Meta(max_length=80, pattern=_PRINTED)]
)
_LABEL_OF_HOST: Final = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
Participant = Annotated[
    str, Meta(max_length=253, pattern=rf"^([A-Z]{{2}}|{_LABEL_OF_HOST}(\.{_LABEL_OF_HOST})+)\Z")
]

WEB_MATCHERS: Final = frozenset({"origin"})
DESKTOP_MATCHERS: Final = frozenset({"window-title", "process", "identity"})
# What a computer can find out of a program without believing it: the digest of its file, who
# signed it (Windows: the SHA-256 of the certificate), its team and bundle (macOS).
_IDENTITY: Final = re.compile(
    r"(sha256|authenticode):[0-9a-f]{64}|apple:[A-Z0-9]{10}/[A-Za-z0-9.-]{3,155}"
)
MOST_ITEMS: Final = 200
# Of one pattern. Each more costs whoever compares it, here and on every computer.
MOST_WILDCARDS: Final = 10


class Matcher(Struct, forbid_unknown_fields=True, frozen=True):
    """How an agent recognises the application; a `*` stands for any run of characters.

    Where matchers are of several kinds, one of each kind must match: whatever may show a title is
    not the program of that name, and whatever bears its name has not its identity.
    """

    kind: Literal["window-title", "origin", "process", "identity"]
    pattern: Pattern
    id: Id


class NamedPattern(Struct, forbid_unknown_fields=True, frozen=True):
    """A title or URL pattern; only its id is ever stored, never the text it matched."""

    id: Id
    pattern: Pattern


class Field(Struct, forbid_unknown_fields=True, frozen=True):
    """A field or region of the application, by selector."""

    id: Id
    selector: Pattern


class Content(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One capture policy version. `fields` may be typed into on record; `masks` never are."""

    application: Key
    kind: Literal["web", "desktop"]
    purposes: Annotated[list[Key], Meta(min_length=1, max_length=20)]
    categories: Annotated[list[Category], Meta(min_length=1, max_length=len(Category))]
    matchers: Annotated[list[Matcher], Meta(min_length=1, max_length=MOST_ITEMS)]
    titles: Annotated[list[NamedPattern], Meta(max_length=MOST_ITEMS)] = []
    urls: Annotated[list[NamedPattern], Meta(max_length=MOST_ITEMS)] = []
    fields: Annotated[list[Field], Meta(max_length=MOST_ITEMS)] = []
    masks: Annotated[list[Field], Meta(max_length=MOST_ITEMS)] = []
    labels: Annotated[list[Label], Meta(max_length=2000)] = []
    rules: dict[Category, dict[Key, RuleValue]] = {}
    # Where the people work who may be captured (ISO 3166); nobody else is.
    places: Annotated[list[Place], Meta(max_length=60)] = []
    # Whose mail addresses may stand beside them: domains, and countries (ISO 3166) by the end of
    # the domain. With a list, what shows anybody else's is not kept; without one, nobody asks.
    participants: Annotated[list[Participant], Meta(max_length=MOST_ITEMS)] = []
    budgets: Budgets = Budgets()

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values, categories in the order of the house, the rest as given."""
        plain: dict[str, object] = msgspec.to_builtins(self)
        order = [category.value for category in Category]
        plain["categories"] = sorted((c.value for c in self.categories), key=order.index)
        if not self.participants:  # What was signed before there was such a list stays as it was.
            del plain["participants"]
        return plain

    def canonical(self) -> bytes:
        """Return the one byte form (RFC 8785) of this content."""
        return canonical_json(self.as_json())  # type: ignore[arg-type]  # msgspec yields only JSON.

    def digest(self) -> str:
        """Return the SHA-256 of the canonical bytes in hex."""
        return sha256(self.canonical()).hexdigest()


def parse(value: object) -> Content:
    """Return the content that a JSON value holds; PolicyContentError for anything else."""
    surfaces.check_categories(value)
    try:
        content = msgspec.convert(value, Content, strict=True)
    except msgspec.ValidationError as error:
        # "... - at `$.places[0]`", or "... - at `key` in `$.rules`" for the key of a mapping.
        detail, _, where = str(error).partition(" - at ")
        path = where.partition("`$")[2].rstrip("`")
        raise PolicyContentError(detail + ".", pointer=_pointer(path)) from error
    _check_categories(content)
    _check_matchers(content)
    _check_wildcards(content)
    for name in ("matchers", "titles", "urls", "fields", "masks"):
        _check_distinct([item.id for item in getattr(content, name)], name)
    surfaces.check(*reach(content))
    for name in ("purposes", "categories", "labels", "places", "participants"):
        _check_distinct(getattr(content, name), name)
    return content


def reach(content: Content) -> list[str]:
    """Return every text by which a version says where it reaches."""
    named = (each.pattern for each in (*content.titles, *content.urls))
    return [content.application, *(each.pattern for each in content.matchers), *named]


def from_bytes(stored: bytes) -> Content:
    """Return the content of a stored version."""
    return msgspec.json.decode(stored, type=Content)


def from_plain(values: Mapping[str, object]) -> Content:
    """Return the content of a stored version that was read as JSON values."""
    return msgspec.convert(values, Content)


def _pointer(path: str) -> str:
    return path.replace("[", "/").replace("]", "").replace(".", "/")


def _check_categories(content: Content) -> None:
    for index, category in enumerate(content.categories):
        if category not in offered_categories():
            raise PolicyContentError(
                f"The category {category} is not offered.",
                pointer=f"/categories/{index}",
                fault="not-offered",
            )
    if strangers := set(content.rules) - set(content.categories):
        raise PolicyContentError(
            f"Rules for {min(strangers)}, which the policy does not capture.",
            pointer="/rules",
            fault="rule-of-nothing",
        )


def _check_matchers(content: Content) -> None:
    possible = WEB_MATCHERS if content.kind == "web" else DESKTOP_MATCHERS
    for index, matcher in enumerate(content.matchers):
        pointer = f"/matchers/{index}"
        if matcher.kind not in possible:
            raise PolicyContentError(
                f"A {content.kind} application is not recognised by its {matcher.kind}.",
                pointer=f"{pointer}/kind",
                fault="kind",
            )
        if matcher.kind == "origin" and not _is_origin(matcher.pattern):
            raise PolicyContentError(
                "An origin is a scheme and a whole host, and has no wildcard.",
                pointer=f"{pointer}/pattern",
                fault="origin",
            )
        if matcher.kind == "identity" and not _IDENTITY.fullmatch(matcher.pattern):
            raise PolicyContentError(
                "An identity is sha256:, authenticode: or apple: and what follows, whole.",
                pointer=f"{pointer}/pattern",
                fault="identity",
            )
        if len(matcher.pattern.replace("*", "").strip()) < 3:  # noqa: PLR2004 - "*a*" matches all.
            raise PolicyContentError(
                "The pattern would match nearly everything.",
                pointer=f"{pointer}/pattern",
                fault="too-wide",
            )


def _check_wildcards(content: Content) -> None:
    parts: dict[str, Sequence[Matcher | NamedPattern]] = {
        "matchers": content.matchers,
        "titles": content.titles,
        "urls": content.urls,
    }
    for name, items in parts.items():
        for index, item in enumerate(items):
            if item.pattern.count("*") > MOST_WILDCARDS:
                raise PolicyContentError(
                    f"A pattern has at most {MOST_WILDCARDS} wildcards.",
                    pointer=f"/{name}/{index}/pattern",
                    fault="wildcards",
                )


def _is_origin(pattern: str) -> bool:
    scheme, separator, host = pattern.partition("://")
    return (
        scheme in {"http", "https"}
        and bool(separator)
        and bool(host)
        and not set(host) & set("/*?#@ \\")
    )


def _check_distinct(values: Sequence[str], name: str) -> None:
    if len(set(values)) != len(values):
        raise PolicyContentError(f"The {name} repeat one.", pointer=f"/{name}", fault="repeats")


def digest_of(words: Mapping[str, str]) -> str:
    """Return the SHA-256 in hex of the canonical form of some named words."""
    return sha256(canonical_json(words)).hexdigest()


def plain(stored: bytes) -> Mapping[str, object]:
    """Return a stored content as JSON values, for documents and answers."""
    return from_bytes(stored).as_json()
